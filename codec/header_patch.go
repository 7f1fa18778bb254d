// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/binary"
	"strconv"
)

// AppendWithOpaque appends the prefix and the header with another opaque, every other
// byte of the header as it was, and gives the extended dst. The body is the caller's
// to append; its size in bytes goes into the length word. The fields a client signs do
// not include the opaque.
func (h *Header) AppendWithOpaque(dst []byte, opaque int32, bodySize int) []byte {
	if h.Type == ROCKETMQ {
		dst = appendPrefix(dst, h.Type, len(h.raw), bodySize)
		start := len(dst)
		dst = append(dst, h.raw...)
		binary.BigEndian.PutUint32(dst[start+binaryOpaque:], uint32(opaque))
		return dst
	}
	prefix := len(dst)
	dst = appendPrefix(dst, h.Type, 0, bodySize)
	start := len(dst)
	dst = append(dst, h.raw[:h.opaqueStart]...)
	if opaque == h.Opaque {
		dst = append(dst, h.raw[h.opaqueStart:h.opaqueEnd]...) // -0 stays -0
	} else {
		dst = strconv.AppendInt(dst, int64(opaque), 10)
	}
	dst = append(dst, h.raw[h.opaqueEnd:]...)
	appendPrefix(dst[:prefix], h.Type, len(dst)-start, bodySize)
	return dst
}

// AppendWithBodySize appends the prefix for a body of another size and the unchanged
// header, and gives the extended dst.
func (h *Header) AppendWithBodySize(dst []byte, bodySize int) []byte {
	dst = appendPrefix(dst, h.Type, len(h.raw), bodySize)
	return append(dst, h.raw...)
}
