// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Frame is one frame of a connection. Its bytes end with the call that hands it over.
type Frame struct {
	Time   time.Time // of its first byte; zero where nobody knows
	Offset int64     // of its first byte in its direction
	Prefix codec.Prefix
	Header *codec.Header
	Body   []byte // its beginning, or all of it
}

// errNoRoom ends a frame for which there is no memory left.
var errNoRoom = errors.New("too much of unfinished frames is kept already")

// splitter cuts one direction of a connection into frames.
type splitter struct {
	limits codec.Limits
	budget *budget
	each   func(Frame)

	held   []byte // prefix and header, then what is kept of the body
	taken  int    // of the budget
	frame  Frame
	header codec.Header
	parsed bool
	cut    bool  // no more of the body is kept
	rest   int   // bytes of the body still to come
	offset int64 // of the next byte
}

// idle tells whether the next byte is the first of a frame.
func (s *splitter) idle() bool { return len(s.held) == 0 }

// feed takes the next bytes, which are borrowed. After an error nothing that follows can be understood.
func (s *splitter) feed(at time.Time, b []byte) error {
	for len(b) > 0 {
		n, err := s.step(at, b)
		if err != nil {
			return err
		}
		b = b[n:]
		s.offset += int64(n)
	}
	return nil
}

// step takes a part of b, at least a byte.
func (s *splitter) step(at time.Time, b []byte) (n int, err error) {
	if s.idle() {
		s.frame = Frame{Time: at, Offset: s.offset}
	}
	if s.parsed {
		n = min(len(b), s.rest)
		if keep := min(n, maxBody-len(s.frame.Body)); !s.cut && s.grow(b[:keep]) {
			s.frame.Body = s.held[codec.PrefixSize+s.frame.Prefix.HeaderSize:]
			s.cut = keep < n
		} else {
			s.cut = true // a later part would not fit to what is kept
		}
		s.rest -= n
		return n, s.finish()
	}
	want := codec.PrefixSize
	if len(s.held) >= want {
		want += s.frame.Prefix.HeaderSize
	}
	n = min(len(b), want-len(s.held))
	if !s.grow(b[:n]) {
		return 0, errNoRoom
	}
	if len(s.held) == codec.PrefixSize {
		if s.frame.Prefix, err = codec.ParsePrefix(s.held, s.limits); err != nil {
			return 0, err
		}
		want = codec.PrefixSize + s.frame.Prefix.HeaderSize
	}
	if len(s.held) < codec.PrefixSize || len(s.held) < want {
		return n, nil
	}
	if err := s.header.Parse(s.frame.Prefix.Type, s.held[codec.PrefixSize:want:want]); err != nil {
		return 0, err
	}
	s.parsed, s.rest = true, s.frame.Prefix.BodySize
	return n, s.finish()
}

// grow keeps bytes, if there is room.
func (s *splitter) grow(b []byte) bool {
	if !s.budget.take(len(b)) {
		return false
	}
	s.taken += len(b)
	s.held = append(s.held, b...)
	return true
}

// finish hands the frame over if it is complete.
func (s *splitter) finish() error {
	if s.rest > 0 {
		return nil
	}
	// The bytes may have moved since.
	end := codec.PrefixSize + s.frame.Prefix.HeaderSize
	if err := s.header.Parse(s.frame.Prefix.Type, s.held[codec.PrefixSize:end:end]); err != nil {
		return err
	}
	s.frame.Header = &s.header
	s.each(s.frame)
	s.reset()
	return nil
}

// reset forgets an unfinished frame.
func (s *splitter) reset() {
	s.budget.give(s.taken)
	s.taken, s.parsed, s.cut, s.rest = 0, false, false, 0
	s.frame = Frame{}
	if cap(s.held) > 64<<10 {
		s.held = nil
	}
	s.held = s.held[:0]
}

// plausible tells whether b may begin with a frame: good enough to find back into a stream that was joined in the
// middle, where requests usually start with a packet.
func plausible(b []byte, limits codec.Limits) bool {
	if len(b) < codec.PrefixSize+1 {
		return len(b) > 0 && b[0] == 0 // shorter than 16 MiB; the splitter will see
	}
	p, err := codec.ParsePrefix(b, limits)
	if err != nil || p.HeaderSize == 0 {
		return false
	}
	return p.Type == codec.ROCKETMQ || b[codec.PrefixSize] == '{'
}
