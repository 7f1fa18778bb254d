// SPDX-License-Identifier: Apache-2.0

package framing

import (
	"errors"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// ErrOverMemory ends a stream of which more would have to be kept than its memory grants.
var ErrOverMemory = errors.New("more bytes than may be kept")

// Memory grants what a cutter keeps, in bytes.
type Memory interface {
	// Reserve returns false, and changes nothing, if n bytes more exceed a limit.
	Reserve(n int) bool
	Release(n int)
}

// Cutter cuts one direction of a byte stream into frames. Each frame is judged once: as soon as its header is there, or
// when it is complete. Its exported fields are set before the first Feed.
type Cutter struct {
	Limits codec.Limits
	Whole  bool // judge complete frames only
	Memory Memory
	Paused *bool // nothing is cut while it is set; nil: never

	held     []byte        // the front of a frame that is not judged yet
	prefix   codec.Prefix  // of held, once it has 8 bytes
	want     int           // how many bytes held shall have
	began    time.Duration // when the first byte of held came
	grew     time.Duration // when the latest did
	sawFrame bool

	rest     int // bytes of a judged frame still to come
	restDrop bool
	restTo   Target

	header codec.Header
}

// maxSpareHeld is the largest buffer that is kept for the next held frame, in bytes.
const maxSpareHeld = 4 << 10

// Feed cuts the bytes of p's event. It returns a *codec.FrameError for bytes that are no frame, ErrOverMemory, and false
// when the judge said Stop or the cutter is paused: then p has gone past the bytes that were cut.
func (c *Cutter) Feed(p *Passage, j Judge) (proceed bool, err error) {
	for _, b := range p.in {
		for len(b) > 0 {
			if c.Paused != nil && *c.Paused {
				return false, nil
			}
			n, err := c.step(b, p, j)
			if n < 0 || err != nil {
				return false, err
			}
			b = b[n:]
		}
	}
	return true, nil
}

// MidFrame reports whether a part of a frame has gone on and the rest is still to come.
func (c *Cutter) MidFrame() bool { return c.rest > 0 && !c.restDrop }

// Kept returns how much memory is reserved for what is held, in bytes.
func (c *Cutter) Kept() int { return cap(c.held) }

// Holds reports whether a part of a frame is kept that cannot be judged yet.
func (c *Cutter) Holds() bool { return len(c.held) > 0 }

// Began returns when the first byte of what is held came.
func (c *Cutter) Began() time.Duration { return c.began }

// Restart lets the time of what is held begin at now: until now the stream was not read.
func (c *Cutter) Restart(now time.Duration) { c.began = now }

// Grew returns when the latest byte of what is held came.
func (c *Cutter) Grew() time.Duration { return c.grew }

// SawFrame reports whether a frame has been judged.
func (c *Cutter) SawFrame() bool { return c.sawFrame }

// step consumes some of b: n > 0 bytes, or n < 0 to stop.
func (c *Cutter) step(b []byte, p *Passage, j Judge) (n int, err error) {
	switch {
	case c.rest > 0:
		n = min(c.rest, len(b))
		c.rest -= n
		if c.restDrop {
			p.drop(n)
		} else {
			p.pass(n, c.restTo)
		}
		return n, nil
	case len(c.held) == 0 && len(b) >= codec.PrefixSize:
		if c.prefix, err = codec.ParsePrefix(b, c.Limits); err != nil {
			return 0, err
		}
		if size := c.size(c.Whole); len(b) >= size {
			return c.inPlace(b, size, p, j)
		}
		c.want = c.size(c.Whole)
		return c.hold(b, p, j)
	case len(c.held) == 0:
		c.want = codec.PrefixSize
	}
	return c.hold(b, p, j)
}

// size returns how many bytes must be there to judge the current frame.
func (c *Cutter) size(whole bool) int {
	if whole {
		return c.prefix.FrameSize()
	}
	return codec.PrefixSize + c.prefix.HeaderSize
}

// inPlace judges the frame at the start of b, of which `size` bytes suffice.
func (c *Cutter) inPlace(b []byte, size int, p *Passage, j Judge) (int, error) {
	v, err := c.ask(b[:size:size], j)
	if err != nil {
		return 0, err
	}
	if v.action == more {
		if size = c.prefix.FrameSize(); len(b) < size {
			c.want = size
			return c.hold(b, p, j)
		}
		if v, err = c.ask(b[:size:size], j); err != nil {
			return 0, err
		}
	}
	switch v.action {
	case pass:
		p.pass(size, v.to)
	case drop:
		p.drop(size)
	default:
		return -1, nil
	}
	c.follow(size, v)
	return size, nil
}

// hold copies the wanted bytes of b, and judges the frame if that completes it.
func (c *Cutter) hold(b []byte, p *Passage, j Judge) (int, error) {
	n := min(c.want-len(c.held), len(b))
	if !c.keep(p.now, b[:n]) {
		return 0, ErrOverMemory
	}
	p.hold(n)
	if len(c.held) >= 4 && len(c.held) < codec.PrefixSize {
		return n, codec.CheckLength(c.held, c.Limits)
	}
	if len(c.held) < c.want {
		return n, nil
	}
	var err error
	if c.want == codec.PrefixSize {
		if c.prefix, err = codec.ParsePrefix(c.held, c.Limits); err != nil {
			return 0, err
		}
		if c.want = c.size(c.Whole); c.want > len(c.held) {
			return n, nil
		}
	}
	v, err := c.ask(c.held, j)
	if err != nil {
		return 0, err
	}
	switch v.action {
	case pass:
		p.passHeld(c.held, v.to)
	case drop:
		p.dropHeld()
	case more:
		c.want = c.prefix.FrameSize()
		return n, nil
	default:
		return -1, nil
	}
	c.follow(len(c.held), v)
	if c.held = c.held[:0]; cap(c.held) > maxSpareHeld {
		c.Memory.Release(c.Kept())
		putBuffer(c.held)
		c.held = nil
	}
	return n, nil
}

// keep adds to held; it returns false if there is no memory for that.
func (c *Cutter) keep(now time.Duration, b []byte) (ok bool) {
	c.grew = now
	if len(c.held) == 0 {
		c.began = c.grew
	}
	if c.held == nil && c.want > maxSpareHeld {
		buffer := getBuffer()
		if !c.Memory.Reserve(cap(buffer)) {
			putBuffer(buffer)
			return false
		}
		c.held = buffer
	}
	if size := len(c.held) + len(b); size > cap(c.held) {
		// Twice as much each time, and in the end exactly as much as is wanted: little is copied, and little left to the collector.
		capacity := min(max(size, 2*cap(c.held)), c.want)
		if !c.Memory.Reserve(capacity - cap(c.held)) {
			return false
		}
		c.held = append(make([]byte, 0, capacity), c.held...)
	}
	c.held = append(c.held, b...)
	return true
}

// Discard drops what is held.
func (c *Cutter) Discard() {
	c.Memory.Release(c.Kept())
	c.held = nil
}

// ask parses a header and returns what the judge decides.
func (c *Cutter) ask(frame []byte, j Judge) (Verdict, error) {
	header := frame[codec.PrefixSize : codec.PrefixSize+c.prefix.HeaderSize]
	if err := c.header.Parse(c.prefix.Type, header); err != nil {
		return Verdict{}, err
	}
	if err := c.header.CheckFields(c.Limits); err != nil {
		return Verdict{}, err
	}
	c.sawFrame = true
	injectFault(&c.header)
	v := j.Judge(Frame{Raw: frame, Header: &c.header, Size: c.prefix.FrameSize()})
	c.header.Trim()
	return v, nil
}

// follow sends the rest of a frame the way of its first `size` bytes.
func (c *Cutter) follow(size int, v Verdict) {
	c.rest = c.prefix.FrameSize() - size
	c.restDrop = v.action == drop
	c.restTo = v.to
}
