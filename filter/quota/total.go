// SPDX-License-Identifier: Apache-2.0

package quota

import "sync/atomic"

// Total is a number that all connections move, from any thread. The zero value is nothing taken.
type Total struct {
	used atomic.Int64
	_    [56]byte // the next one is on another cache line
}

// Used returns how much is taken.
func (t *Total) Used() int64 { return t.used.Load() }

// outcome says whether a total grants what was asked for, and if not, whose limit is reached.
type outcome uint8

const (
	granted outcome = iota
	totalTaken
	sourceTaken
)

// take adds n for a source. The source may have `percent` of what all others leave of the limit: so whatever some
// sources take, there is something left for the next one.
func (t *Total) take(source *atomic.Int64, n, limit, percent int64) outcome {
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

// giveBack returns n that were taken for a source.
func (t *Total) giveBack(source *atomic.Int64, n int64) {
	source.Add(-n)
	t.used.Add(-n)
}

// part returns `percent` of n, rounded up: a part of something is never nothing.
func part(n, percent int64) int64 { return (n*percent + 99) / 100 }
