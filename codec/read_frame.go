// SPDX-License-Identifier: Apache-2.0

package codec

import "io"

// ReadFrame reads one frame, and nothing behind it. It takes memory only as bytes come. Errors are those of the reader,
// io.ErrUnexpectedEOF within the frame, or *FrameError.
func ReadFrame(r io.Reader, limits Limits) (header *Header, body []byte, err error) {
	start := make([]byte, PrefixSize)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, nil, err
	}
	prefix, err := ParsePrefix(start, limits)
	if err != nil {
		return nil, nil, err
	}
	size := prefix.HeaderSize + prefix.BodySize
	rest, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err != nil {
		return nil, nil, err
	}
	if len(rest) < size {
		return nil, nil, io.ErrUnexpectedEOF
	}
	header = &Header{}
	if err := header.Parse(prefix.Type, rest[:prefix.HeaderSize]); err != nil {
		return nil, nil, err
	}
	return header, rest[prefix.HeaderSize:], nil
}
