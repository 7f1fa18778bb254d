// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Share is what one connection has taken of a [Total]. While less than half of the limit is taken, and of what its source
// may have, it takes a chunk at a time and keeps one to spare, so that it hardly ever touches what all connections touch;
// above, it has no more than it needs. A share is not for several threads at once. The zero value grants nothing, and
// closing it does nothing.
type Share struct {
	total   *Total
	source  *atomic.Int64 // what the client's address has taken of the total
	limit   int64         // of the total
	percent int64         // that the source may have of what others leave of the limit
	own     int64         // limit of this share
	chunk   int64
	needed  int64
	taken   int64 // of the total
	closed  bool  // nothing can be taken any more

	recorder *stats.Recorder
	isMemory bool // what is taken counts as stats.MemoryKept
}

// Needed returns how much is reserved now.
func (s *Share) Needed() int { return int(s.needed) }

// Reserve needs n more. It returns false, and changes nothing, if that exceeds a limit.
func (s *Share) Reserve(n int) bool {
	needed := s.needed + int64(n)
	if needed > s.own || needed > s.taken && !s.refill(needed) {
		return false
	}
	s.needed = needed
	return true
}

// HasRoom reports whether Reserve(n) would succeed.
func (s *Share) HasRoom(n int) bool {
	ok := s.Reserve(n)
	if ok {
		s.Release(n)
	}
	return ok
}

// refill takes as much of the total as will be needed, and a chunk where there is plenty.
func (s *Share) refill(needed int64) bool {
	if s.closed || s.total == nil {
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
	s.record(n)
	return true
}

// Release needs n less.
func (s *Share) Release(n int) {
	if s.closed {
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

// scarce reports whether chunks are no longer granted. It looks at the source, which is another cache line, only where
// so much of the total is taken that one source alone could have too much of it.
func (s *Share) scarce() bool {
	half, used := s.limit/2, s.total.used.Load()
	if used <= part(half, s.percent) {
		return false
	}
	own := s.source.Load()
	return used > half || own > part(half-(used-own), s.percent)
}

// ReleaseTo needs no more than n.
func (s *Share) ReleaseTo(n int) {
	if spare := int(s.needed) - n; spare > 0 {
		s.Release(spare)
	}
}

// GiveBackSpare returns to the total what is not needed now.
func (s *Share) GiveBackSpare() {
	if s.taken > s.needed {
		s.giveBack(s.taken - s.needed)
	}
}

// Close returns all but n to the total; nothing can be taken any more. A second call may return more.
func (s *Share) Close(n int) {
	s.closed, s.needed = true, int64(n)
	if s.total != nil { // else it was never opened
		s.giveBack(s.taken - s.needed)
	}
}

func (s *Share) giveBack(n int64) {
	s.total.giveBack(s.source, n)
	s.record(-n)
}

// record notes that n more are taken.
func (s *Share) record(n int64) {
	s.taken += n
	if s.isMemory {
		s.recorder.Add(stats.MemoryKept, n)
	}
}

// Append appends to bytes that are kept, and reserves the capacity that they take. It returns false, and `kept` as it
// was, if that exceeds a limit.
func (s *Share) Append(kept, b []byte) (longer []byte, ok bool) {
	before := kept
	kept = append(kept, b...)
	if more := cap(kept) - cap(before); more > 0 && !s.Reserve(more) {
		return before, false
	}
	return kept, true
}

// ReleaseBytes releases the capacity of bytes that are not kept any more.
func (s *Share) ReleaseBytes(kept []byte) { s.Release(cap(kept)) }
