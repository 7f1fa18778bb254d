// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// errOverMemory ends a connection whose bytes would need more memory than it may.
var errOverMemory = errors.New("more bytes than may be kept")

// cutter cuts one direction of a byte stream into frames. Each frame is judged once: as soon as its
// header is there, or when it is whole.
type cutter struct {
	limits codec.Limits
	whole  bool // judge whole frames only
	memory *share
	now    *Instant
	paused *bool // nothing is cut while it is set; nil: never

	held   []byte       // the front of a frame that is not judged yet
	prefix codec.Prefix // of held, once it has 8 bytes
	want   int          // how many bytes held shall have
	began  Instant      // when the first byte of held came
	grew   Instant      // when the latest did
	judged bool         // a frame has been judged

	rest     int // bytes of a judged frame still to come
	restDrop bool
	restTo   UpstreamID

	header codec.Header
}

// judge decides about frames. `frame` is borrowed; it has the whole frame if complete, else only
// the prefix and the header.
type judge interface {
	judge(frame []byte, header *codec.Header, complete bool) verdict
}

// verdict is what becomes of a frame.
type verdict struct {
	action action
	to     UpstreamID
}

type action uint8

const (
	pass action = iota // the frame goes on to verdict.to
	drop               // the frame ends here
	more               // show it again when it is whole
	stop               // the session has ended meanwhile: nothing more is judged
)

// maxSpareHeld is how much room for a held frame is kept for the next one.
const maxSpareHeld = 4 << 10

// feed cuts p's bytes. It returns a *codec.FrameError for bytes that are no frame, errOverMemory, and false when
// the judge said stop or it is paused: then p has gone past the bytes that were cut.
func (c *cutter) feed(p *passage, j judge) (bool, error) {
	for _, b := range p.in {
		for len(b) > 0 {
			if c.paused != nil && *c.paused {
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

// midFrame tells whether a part of a frame has gone on and the rest is still to come.
func (c *cutter) midFrame() bool { return c.rest > 0 && !c.restDrop }

// half tells whether a part of a frame is kept that cannot be judged yet.
func (c *cutter) half() bool { return len(c.held) > 0 }

// step consumes some of b: n > 0 bytes, or n < 0 to stop.
func (c *cutter) step(b []byte, p *passage, j judge) (n int, err error) {
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
		if c.prefix, err = codec.ParsePrefix(b, c.limits); err != nil {
			return 0, err
		}
		if size := c.size(c.whole); len(b) >= size {
			return c.inPlace(b, size, p, j)
		}
		c.want = c.size(c.whole)
		return c.hold(b, p, j)
	case len(c.held) == 0:
		c.want = codec.PrefixSize
	}
	return c.hold(b, p, j)
}

// size is what must be there to judge the current frame.
func (c *cutter) size(whole bool) int {
	if whole {
		return c.prefix.FrameSize()
	}
	return codec.PrefixSize + c.prefix.HeaderSize
}

// inPlace judges the frame at the start of b, of which `size` bytes suffice.
func (c *cutter) inPlace(b []byte, size int, p *passage, j judge) (int, error) {
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

// hold copies what is wanted of b, and judges the frame if that completes it.
func (c *cutter) hold(b []byte, p *passage, j judge) (int, error) {
	n := min(c.want-len(c.held), len(b))
	if !c.keep(b[:n]) {
		return 0, errOverMemory
	}
	p.hold(n)
	if len(c.held) >= 4 && len(c.held) < codec.PrefixSize {
		return n, codec.CheckLength(c.held, c.limits)
	}
	if len(c.held) < c.want {
		return n, nil
	}
	var err error
	if c.want == codec.PrefixSize {
		if c.prefix, err = codec.ParsePrefix(c.held, c.limits); err != nil {
			return 0, err
		}
		if c.want = c.size(c.whole); c.want > len(c.held) {
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
		c.memory.release(c.held)
		giveHeldRoom(c.held)
		c.held = nil
	}
	return n, nil
}

// keep adds to held; it returns false if there is no memory for that.
func (c *cutter) keep(b []byte) (ok bool) {
	c.grew = *c.now
	if len(c.held) == 0 {
		c.began = c.grew
	}
	if c.held == nil && c.want > maxSpareHeld {
		room := takeHeldRoom()
		if !c.memory.grow(cap(room)) {
			giveHeldRoom(room)
			return false
		}
		c.held = room
	}
	if size := len(c.held) + len(b); size > cap(c.held) {
		// Twice as much each time, and in the end exactly what is wanted: little is copied, and little left to the collector.
		room := min(max(size, 2*cap(c.held)), c.want)
		if !c.memory.grow(room - cap(c.held)) {
			return false
		}
		c.held = append(make([]byte, 0, room), c.held...)
	}
	c.held = append(c.held, b...)
	return true
}

// forget lets go of what is held.
func (c *cutter) forget() {
	c.memory.release(c.held)
	c.held = nil
}

func (c *cutter) ask(frame []byte, j judge) (verdict, error) {
	header := frame[codec.PrefixSize : codec.PrefixSize+c.prefix.HeaderSize]
	if err := c.header.Parse(c.prefix.Type, header); err != nil {
		return verdict{}, err
	}
	if err := c.header.CheckFields(c.limits); err != nil {
		return verdict{}, err
	}
	c.judged = true
	fault(&c.header)
	v := j.judge(frame, &c.header, len(frame) == c.prefix.FrameSize())
	c.header.Trim()
	return v, nil
}

// follow has the rest of a frame go the way of its first `size` bytes.
func (c *cutter) follow(size int, v verdict) {
	c.rest = c.prefix.FrameSize() - size
	c.restDrop = v.action == drop
	c.restTo = v.to
}
