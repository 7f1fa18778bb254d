// SPDX-License-Identifier: Apache-2.0

package framing

import "time"

// Passage follows the bytes of one event while frames are cut from them, and hands on what goes on
// unchanged in as few writes as possible: none at all if everything does and the caller works in place.
//
// Offsets count from the start of the event. From start to at lies the run: bytes judged, all for
// the same target, not handed on yet. Its tail from heldFrom on is not judged yet.
type Passage struct {
	Write    func(to Target, b []byte) // b is borrowed for the call; set before the first event
	now      time.Duration
	in       [][]byte
	at       int
	start    int
	heldFrom int // -1: none
	to       Target
	touched  bool // something was written or left out
}

// Begin starts an event, whose bytes are borrowed until End.
func (p *Passage) Begin(now time.Duration, in [][]byte) {
	p.now, p.in, p.at, p.start, p.heldFrom, p.to, p.touched = now, in, 0, 0, -1, 0, false
}

// Consumed returns how many bytes of the event have been cut.
func (p *Passage) Consumed() int { return p.at }

// Abort forgets the event without touching its bytes, which may be gone.
func (p *Passage) Abort() { p.in = nil }

// pass sends the next n bytes on.
func (p *Passage) pass(n int, to Target) {
	if p.to != to {
		p.flush(p.at)
		p.to = to
	}
	p.at += n
}

// drop leaves the next n bytes out.
func (p *Passage) drop(n int) {
	p.flush(p.at)
	p.at += n
	p.start = p.at
	p.touched = true
}

// hold goes past n bytes that cannot be judged yet. The caller has copied them.
func (p *Passage) hold(n int) {
	if p.heldFrom < 0 {
		p.heldFrom = p.at
	}
	p.at += n
}

// passHeld sends held bytes on, `held` being all of them, those of earlier events included.
func (p *Passage) passHeld(held []byte, to Target) {
	if p.at-p.heldFrom == len(held) { // all of this event: they are part of the run
		if p.to != to {
			p.flush(p.heldFrom)
			p.to = to
		}
		p.heldFrom = -1
		return
	}
	p.dropHeld()
	p.Write(to, held)
}

// dropHeld leaves held bytes out.
func (p *Passage) dropHeld() {
	p.flush(p.heldFrom)
	p.start = p.at
	p.heldFrom = -1
	p.touched = true
}

// Flush hands the judged part of the run on, so that something else can be written after it.
func (p *Passage) Flush() {
	if p.in == nil {
		return // no event of this direction is going on
	}
	if p.heldFrom >= 0 {
		p.flush(p.heldFrom)
	} else {
		p.flush(p.at)
	}
}

func (p *Passage) flush(end int) {
	if p.start >= end {
		return
	}
	start, offset := p.start, 0
	p.start, p.touched = end, true // before anything is written: that may end the session, which flushes what is left
	for _, b := range p.in {
		from, to := max(start-offset, 0), min(end-offset, len(b))
		if from < to {
			p.Write(p.to, b[from:to:to])
		}
		offset += len(b)
	}
}

// End finishes the event. It returns true, and has written nothing, if the caller works in place and all bytes go on as
// they are.
func (p *Passage) End(inPlace bool) bool {
	untouched := inPlace && !p.touched && p.heldFrom < 0
	if !untouched {
		p.Flush()
	}
	p.in = nil
	return untouched
}
