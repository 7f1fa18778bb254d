// SPDX-License-Identifier: Apache-2.0

package session

import (
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// totals are what the sessions of an environment use together. The zero value is nothing.
type totals struct {
	connections total
	pending     total // requests that wait for an answer
	memory      total // bytes that are kept
}

// total is a number that all sessions move, from any thread.
type total struct {
	used atomic.Int64
	_    [56]byte // the next one is on another cache line
}

// refusal is why a total gives nothing.
type refusal uint8

const (
	granted refusal = iota
	totalTaken
	sourceTaken
)

// take adds n for a source. The source may have `percent` of what all others leave of the limit: so whatever some
// sources take, there is something left for the next one.
func (t *total) take(source *atomic.Int64, n, limit, percent int64) refusal {
	own := source.Add(n) // first, so that threads which take for one source do not overlook each other
	for {
		used := t.used.Load()
		others := used - (own - n)
		switch {
		case used+n > limit:
			source.Add(-n)
			return totalTaken
		case own > part(limit-others, percent):
			source.Add(-n)
			return sourceTaken
		case t.used.CompareAndSwap(used, used+n):
			return granted
		}
	}
}

// part returns `percent` of n, rounded up: a part of something is never nothing.
func part(n, percent int64) int64 { return (n*percent + 99) / 100 }

// share is what one session has taken of a total. While less than half of the limit is taken, and of what its source
// may have, it takes a chunk at a time and keeps one to spare, so that it hardly ever touches what all sessions touch;
// above, it has no more than it needs.
type share struct {
	total   *total
	source  *atomic.Int64 // what the client's address has taken of the total
	limit   int64         // of the total
	percent int64         // that the source may have of what others leave of the limit
	own     int64         // limit of this share
	chunk   int64
	needed  int64
	taken   int64 // of the total
	ended   bool  // nothing can be taken any more

	recorder *stats.Recorder
	isMemory bool // what is taken counts as stats.MemoryKept
}

// grow needs n more; it returns false, and changes nothing, if that is beyond a limit.
func (s *share) grow(n int) bool {
	needed := s.needed + int64(n)
	if needed > s.own || needed > s.taken && !s.take(needed) {
		return false
	}
	s.needed = needed
	return true
}

// hasRoom reports whether grow(n) would succeed.
func (s *share) hasRoom(n int) bool {
	ok := s.grow(n)
	if ok {
		s.shrink(n)
	}
	return ok
}

// take has enough taken for what will be needed.
func (s *share) take(needed int64) bool {
	if s.ended {
		return false
	}
	n := max(needed-s.taken, s.chunk)
	if s.total.take(s.source, n, s.limit/2, s.percent) != granted {
		n = needed - s.taken
		switch s.total.take(s.source, n, s.limit, s.percent) {
		case totalTaken:
			return false
		case sourceTaken:
			s.recorder.Inc(stats.SourceOverLimit)
			return false
		}
	}
	s.moved(n)
	return true
}

// shrink needs n less.
func (s *share) shrink(n int) {
	if s.ended {
		return
	}
	s.needed -= int64(n)
	spare := s.taken - s.needed
	switch {
	case spare >= 2*s.chunk:
		s.giveBack(spare - s.chunk)
	case spare > 0 && s.scarce():
		s.giveBack(spare)
	}
}

// scarce reports whether chunks are no longer given. It looks at the source, which is another cache line, only where
// so much of the total is taken that one source alone could have too much of it.
func (s *share) scarce() bool {
	half, used := s.limit/2, s.total.used.Load()
	if used <= part(half, s.percent) {
		return false
	}
	own := s.source.Load()
	return used > half || own > part(half-(used-own), s.percent)
}

// shrinkTo needs no more than n.
func (s *share) shrinkTo(n int) {
	if spare := int(s.needed) - n; spare > 0 {
		s.shrink(spare)
	}
}

// trim gives back what is not needed now.
func (s *share) trim() {
	if s.taken > s.needed {
		s.giveBack(s.taken - s.needed)
	}
}

// end gives back all but n; nothing can be taken any more. A later end gives back more.
func (s *share) end(n int) {
	s.ended, s.needed = true, int64(n)
	if s.total != nil { // else the session was never opened
		s.giveBack(s.taken - s.needed)
	}
}

func (s *share) giveBack(n int64) {
	s.source.Add(-n)
	s.total.used.Add(-n)
	s.moved(-n)
}

func (s *share) moved(n int64) {
	s.taken += n
	if s.isMemory {
		s.recorder.Add(stats.MemoryKept, n)
	}
}

// append appends to bytes that are kept, and needs the room that they take; it returns false, and `kept` as it was,
// if that is beyond a limit.
func (s *share) append(kept, b []byte) (longer []byte, ok bool) {
	before := kept
	kept = append(kept, b...)
	if more := cap(kept) - cap(before); more > 0 && !s.grow(more) {
		return before, false
	}
	return kept, true
}

// release needs the room of bytes that are not kept any more no longer.
func (s *share) release(kept []byte) { s.shrink(cap(kept)) }
