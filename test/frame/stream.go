// SPDX-License-Identifier: Apache-2.0

package frame

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Head is what Stream tells of a frame.
type Head struct {
	Code   int32
	Opaque int32
	Size   int // bytes of the whole frame
}

// Stream splits the bytes of one direction of one connection into frames. The zero value is ready. Bodies are
// counted, not kept.
type Stream struct {
	begun  []byte // a frame's bytes so far, while its header is not complete
	head   Head   // of the frame whose body is coming
	left   int    // bytes of that body still to come
	header codec.Header
}

// Next looks for the end of a frame in b, which it borrows. If there is one, it returns the frame's head and the
// bytes behind the frame; otherwise it has taken all of b.
func (s *Stream) Next(b []byte) (head Head, rest []byte, ok bool, err error) {
	if s.left == 0 {
		start, more, prefix, err := s.start(b)
		if start == nil {
			return Head{}, nil, false, err
		}
		if s.head.Code, s.head.Opaque, err = s.parse(prefix.Type, start); err != nil {
			return Head{}, nil, false, err
		}
		s.head.Size, s.left, b = prefix.FrameSize(), prefix.BodySize, more
	}
	n := min(s.left, len(b))
	s.left -= n
	return s.head, b[n:], s.left == 0, nil
}

// start returns the next frame's header, its prefix, and the bytes of b behind the header; no header if it is
// not complete, having kept what there is of it.
func (s *Stream) start(b []byte) (header, rest []byte, prefix codec.Prefix, err error) {
	if len(s.begun) == 0 {
		size, prefix, err := headSize(b)
		if err != nil {
			return nil, nil, prefix, err
		}
		if len(b) >= size {
			return b[codec.PrefixSize:size], b[size:], prefix, nil
		}
	}
	for {
		size, prefix, err := headSize(s.begun)
		if err != nil {
			return nil, nil, prefix, err
		}
		if len(s.begun) == size {
			header = s.begun[codec.PrefixSize:]
			s.begun = s.begun[:0] // header is good until the next append
			return header, b, prefix, nil
		}
		n := min(size-len(s.begun), len(b))
		if n == 0 {
			return nil, nil, prefix, nil
		}
		s.begun = append(s.begun, b[:n]...)
		b = b[n:]
	}
}

// headSize is the length of prefix and header; that of the prefix alone as long as no more is known.
func headSize(b []byte) (int, codec.Prefix, error) {
	if len(b) < codec.PrefixSize {
		return codec.PrefixSize, codec.Prefix{}, nil
	}
	prefix, err := codec.ParsePrefix(b, codec.Limits{})
	return codec.PrefixSize + prefix.HeaderSize, prefix, err
}

// What stands before the code and behind the opaque in the headers that Java 5.3.3 writes: its members are in
// alphabetical order, and few frames have a remark.
var (
	beforeCode   = []byte(`{"code":`)
	beforeOpaque = []byte(`"opaque":`)
	afterOpaque  = []byte(`,"serializeTypeCurrentRPC":"JSON","version":479}`)
)

func (s *Stream) parse(t codec.SerializeType, header []byte) (code, opaque int32, err error) {
	if code, opaque, ok := scan(header); ok && t == codec.JSON {
		return code, opaque, nil
	}
	err = s.header.Parse(t, header)
	return s.header.Code, s.header.Opaque, err
}

// scan reads code and opaque of a header of the usual shape.
func scan(header []byte) (code, opaque int32, ok bool) {
	end := len(header) - len(afterOpaque)
	if end < len(beforeCode) || !bytes.HasPrefix(header, beforeCode) || !bytes.HasSuffix(header, afterOpaque) {
		return 0, 0, false
	}
	at := len(beforeCode)
	for at < end && isDigit(header[at]) {
		code = code*10 + int32(header[at]-'0')
		at++
	}
	first := end
	for first > at && isDigit(header[first-1]) {
		first--
	}
	const most = 9 // digits that an int32 always has room for
	if digits := at - len(beforeCode); digits < 1 || digits > most || end-first < 1 || end-first > most {
		return 0, 0, false
	}
	for _, c := range header[first:end] {
		opaque = opaque*10 + int32(c-'0')
	}
	return code, opaque, bytes.HasSuffix(header[:first], beforeOpaque)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
