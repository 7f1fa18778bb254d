// SPDX-License-Identifier: Apache-2.0

package session

// passage follows the bytes of one event while frames are cut from them, and hands on what goes on
// unchanged in as few writes as possible: none at all if everything does and the host works in place.
//
// Offsets count from the start of the event. From start to at lies the run: bytes judged, all for
// the same target, not handed on yet. Its tail from heldFrom on is not judged yet.
type passage struct {
	write    func(to UpstreamID, b []byte)
	in       [][]byte
	at       int
	start    int
	heldFrom int // -1: none
	to       UpstreamID
	touched  bool // something was written or left out
}

func (p *passage) begin(in [][]byte) {
	p.in, p.at, p.start, p.heldFrom, p.to, p.touched = in, 0, 0, -1, 0, false
}

// pass sends the next n bytes on.
func (p *passage) pass(n int, to UpstreamID) {
	if p.to != to {
		p.flush(p.at)
		p.to = to
	}
	p.at += n
}

// drop leaves the next n bytes out.
func (p *passage) drop(n int) {
	p.flush(p.at)
	p.at += n
	p.start = p.at
	p.touched = true
}

// hold goes past n bytes that cannot be judged yet. The caller has copied them.
func (p *passage) hold(n int) {
	if p.heldFrom < 0 {
		p.heldFrom = p.at
	}
	p.at += n
}

// passHeld sends held bytes on, `held` being all of them, those of earlier events included.
func (p *passage) passHeld(held []byte, to UpstreamID) {
	if p.at-p.heldFrom == len(held) { // all of this event: they are part of the run
		if p.to != to {
			p.flush(p.heldFrom)
			p.to = to
		}
		p.heldFrom = -1
		return
	}
	p.dropHeld()
	p.write(to, held)
}

// dropHeld leaves held bytes out.
func (p *passage) dropHeld() {
	p.flush(p.heldFrom)
	p.start = p.at
	p.heldFrom = -1
	p.touched = true
}

// flushJudged hands the judged part of the run on, so that something else can be written after it.
func (p *passage) flushJudged() {
	if p.in == nil {
		return // no event of this direction is going on
	}
	if p.heldFrom >= 0 {
		p.flush(p.heldFrom)
	} else {
		p.flush(p.at)
	}
}

func (p *passage) flush(end int) {
	if p.start >= end {
		return
	}
	start, offset := p.start, 0
	p.start, p.touched = end, true // before anything is written: that may end the session, which flushes what is left
	for _, b := range p.in {
		from, to := max(start-offset, 0), min(end-offset, len(b))
		if from < to {
			p.write(p.to, b[from:to:to])
		}
		offset += len(b)
	}
}

// end finishes the event. It returns true, and has written nothing, if all bytes go on as they are.
func (p *passage) end(inPlace bool) bool {
	untouched := inPlace && !p.touched && p.heldFrom < 0
	if !untouched {
		p.flushJudged()
	}
	p.in = nil
	return untouched
}
