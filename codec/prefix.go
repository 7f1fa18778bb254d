// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/binary"
	"strconv"
)

const (
	// PrefixSize is the number of bytes before a frame's header: the length word and
	// the word with the serialize type and the header's length.
	PrefixSize = 8
	// DefaultMaxFrame is the longest frame accepted when Limits says nothing, in
	// bytes and with the length word, as NettyDecoder counts (16 MiB).
	DefaultMaxFrame = 16 << 20
	// DefaultMaxHeader is the longest header accepted when Limits says nothing, in
	// bytes. Java knows no such limit but that of its 24-bit field.
	DefaultMaxHeader = 256 << 10

	// headerCeiling bounds the header whatever Limits says. The field has 24 bits,
	// and AppendWithOpaque may lengthen the header by up to ten digits.
	headerCeiling = 1<<24 - 1 - 16
)

// Limits bounds what one frame may claim. The zero value means the defaults.
type Limits struct {
	MaxFrame  int // bytes of a whole frame; 0 means DefaultMaxFrame
	MaxHeader int // bytes of the header; 0 means DefaultMaxHeader
	MaxFields int // extFields of the header, at most MaxFields; 0 means MaxFields
}

// Prefix is the fixed start of a frame.
type Prefix struct {
	Type       SerializeType
	HeaderSize int // bytes
	BodySize   int // bytes; 0 when there is no body
}

// FrameSize is the length of the whole frame in bytes.
func (p Prefix) FrameSize() int { return PrefixSize + p.HeaderSize + p.BodySize }

// CheckLength refuses a frame by its length word alone, as soon as 4 bytes are
// there. It borrows b and returns nil or a *FrameError. Source: NettyDecoder.
func CheckLength(b []byte, l Limits) error {
	if len(b) < 4 {
		return &FrameError{ShortPrefix, "length word needs 4 bytes"}
	}
	n := int64(int32(binary.BigEndian.Uint32(b)))
	if n < 4 {
		return &FrameError{BadLength, strconv.FormatInt(n, 10)}
	}
	limit := l.MaxFrame
	if limit <= 0 {
		limit = DefaultMaxFrame
	}
	if n+4 > int64(limit) {
		return &FrameError{FrameTooLarge, strconv.FormatInt(n+4, 10) + " bytes, at most " + strconv.Itoa(limit)}
	}
	return nil
}

// ParsePrefix reads the first PrefixSize bytes of a frame, of which b must have all.
// Everything it returns without error lies within l, so memory may depend on it. It
// borrows b; any error is a *FrameError. Source: RemotingCommand.decode.
func ParsePrefix(b []byte, l Limits) (Prefix, error) {
	if len(b) < PrefixSize {
		return Prefix{}, &FrameError{ShortPrefix, "prefix needs 8 bytes"}
	}
	if err := CheckLength(b, l); err != nil {
		return Prefix{}, err
	}
	length := int(binary.BigEndian.Uint32(b))
	word := binary.BigEndian.Uint32(b[4:])
	t, size := SerializeType(word>>24), int(word&0xffffff)
	if t > ROCKETMQ {
		return Prefix{}, &FrameError{UnknownSerializeType, strconv.Itoa(int(t))}
	}
	if size > length-4 {
		return Prefix{}, &FrameError{HeaderBeyondFrame, strconv.Itoa(size) + " of " + strconv.Itoa(length-4) + " bytes"}
	}
	limit := l.MaxHeader
	if limit <= 0 {
		limit = DefaultMaxHeader
	}
	if limit = min(limit, headerCeiling); size > limit {
		return Prefix{}, &FrameError{HeaderTooLarge, strconv.Itoa(size) + " bytes, at most " + strconv.Itoa(limit)}
	}
	return Prefix{Type: t, HeaderSize: size, BodySize: length - 4 - size}, nil
}

// appendPrefix appends the prefix of a frame.
func appendPrefix(dst []byte, t SerializeType, headerSize, bodySize int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(4+headerSize+bodySize))
	return binary.BigEndian.AppendUint32(dst, uint32(t)<<24|uint32(headerSize)&0xffffff)
}
