// SPDX-License-Identifier: Apache-2.0

package codec

import "encoding/binary"

const (
	binaryOpaque    = 5  // offset of the opaque in a ROCKETMQ header
	binaryRemark    = 13 // offset of the remark's length
	binaryHeaderMin = 21 // no remark, no fields
)

// parseBinary reads a ROCKETMQ header. Source: RocketMQSerializable.
func (h *Header) parseBinary() error {
	b := h.raw
	if len(b) < binaryHeaderMin {
		return badHeader("shorter than 21 bytes")
	}
	h.Code = int32(int16(binary.BigEndian.Uint16(b)))
	h.Language = LanguageCode(b[2])
	h.Version = int32(int16(binary.BigEndian.Uint16(b[3:])))
	h.Opaque = int32(binary.BigEndian.Uint32(b[binaryOpaque:]))
	h.opaqueStart, h.opaqueEnd = binaryOpaque, binaryOpaque+4
	h.Flag = int32(binary.BigEndian.Uint32(b[9:]))

	// Lengths are compared with what is left, never added before they are checked.
	size := int64(int32(binary.BigEndian.Uint32(b[binaryRemark:])))
	if size < 0 || size > int64(len(b)-binaryHeaderMin) {
		return badHeader("remark length")
	}
	i := binaryRemark + 4
	h.remarkStart, h.remarkEnd = int32(i), int32(i)+int32(size)
	i += int(size)
	size = int64(int32(binary.BigEndian.Uint32(b[i:])))
	i += 4
	// Java takes a negative length for none, and would take left-over bytes for the start of the body.
	if max(size, 0) != int64(len(b)-i) {
		return badHeader("extFields length")
	}
	for i < len(b) {
		if len(b)-i < 2 {
			return badHeader("cut field name length")
		}
		nameSize := int(int16(binary.BigEndian.Uint16(b[i:])))
		i += 2
		if nameSize < 0 || nameSize > len(b)-i-4 {
			return badHeader("field name length")
		}
		f := h.newField()
		if f == nil {
			return tooManyFields(MaxFields+1, MaxFields)
		}
		f.name, f.nameSize, f.marks = uint32(i), uint16(nameSize), 0
		i += nameSize
		size = int64(int32(binary.BigEndian.Uint32(b[i:])))
		i += 4
		if size < 0 || size > int64(len(b)-i) {
			return badHeader("field value length")
		}
		f.value = uint32(i)
		i += int(size)
		f.valueEnd = uint32(i)
	}
	return nil
}
