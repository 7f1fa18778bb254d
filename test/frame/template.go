// SPDX-License-Identifier: Apache-2.0

package frame

import (
	"encoding/binary"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

// Template is a whole frame with a gap for the opaque. It is safe for concurrent use.
type Template struct {
	before []byte // of the header, up to the opaque
	after  []byte // the rest of the header, and the body
	header int    // bytes of the header, the opaque not counted
}

// NewTemplate makes a template of a JSON header and a body.
func NewTemplate(header, body []byte) (*Template, error) {
	var h codec.Header
	if err := h.Parse(codec.JSON, header); err != nil {
		return nil, err
	}
	// Two opaques of equal length: the bytes that differ are the gap.
	const one, two = 1, 2
	a := h.AppendWithOpaque(nil, one, len(body))[codec.PrefixSize:]
	b := h.AppendWithOpaque(nil, two, len(body))[codec.PrefixSize:]
	gap := 0
	for a[gap] == b[gap] {
		gap++
	}
	return &Template{
		before: a[:gap:gap],
		after:  append(a[gap+1:len(a):len(a)], body...),
		header: len(a) - 1,
	}, nil
}

// GoldenTemplate makes a template of a recorded frame, such as "SEND_MESSAGE_V2.request". body nil means the recorded
// one.
func GoldenTemplate(name string, body []byte) (*Template, error) {
	recorded, err := golden.Read(golden.JSON, name)
	if err != nil {
		return nil, err
	}
	if body == nil {
		body = recorded.Body
	}
	return NewTemplate(recorded.Header, body)
}

// Append appends the frame with this opaque to dst.
func (t *Template) Append(dst []byte, opaque int32) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = append(dst, t.before...)
	at := len(dst)
	dst = strconv.AppendInt(dst, int64(opaque), 10)
	digits := len(dst) - at
	dst = append(dst, t.after...)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	binary.BigEndian.PutUint32(dst[start+4:], uint32(t.header+digits)) // type 0, JSON, in the high byte
	return dst
}

// Size is the length in bytes of the frame with an opaque of so many digits.
func (t *Template) Size(digits int) int {
	return codec.PrefixSize + len(t.before) + digits + len(t.after)
}
