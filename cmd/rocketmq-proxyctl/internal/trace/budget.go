// SPDX-License-Identifier: Apache-2.0

package trace

// Bounds on what is kept. Their sum is some 100 MiB.
const (
	maxHeld        = 64 << 20 // bytes of unfinished frames, and of requests that wait for an answer
	maxBody        = 1 << 20  // of a frame; the rest is only counted
	maxConnections = 4096     // of a capture; beyond, the oldest are forgotten
	maxPages       = 16 << 10 // of 1.9 kB, with packets out of order
	maxPagesEach   = 256      // likewise, of one connection
	awaitedSize    = 64       // bytes that a request costs which waits for its answer
)

// budget is what may still be kept, for all connections together.
type budget struct{ left int }

func (b *budget) take(n int) bool {
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) give(n int) { b.left += n }
