// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// exact is the number of cells for a single number of milliseconds, from 0 on. A cell of longer durations is 1/16 of
// their length wide at most.
const exact = 256

// cells is exact plus 16 for each doubling up to 2^20 ms, the last of which takes all the rest.
const cells = exact + 16*12

// times counts durations in whole milliseconds until they are drained.
type times struct {
	count   [cells]atomic.Uint32
	touched atomic.Bool
}

func (t *times) record(d time.Duration) {
	t.count[cellOf(uint64(max(d, 0)/time.Millisecond))].Add(1)
	if !t.touched.Load() {
		t.touched.Store(true)
	}
}

// drainInto moves the durations of t into `sum` and returns their number.
func (t *times) drainInto(sum *[cells]uint64) (n uint64) {
	if !t.touched.Swap(false) {
		return 0
	}
	for i := range t.count {
		if t.count[i].Load() != 0 {
			count := uint64(t.count[i].Swap(0))
			sum[i] += count
			n += count
		}
	}
	return n
}

// maxSamples is the greatest number of durations of a histogram that are handed to Envoy in one flush. Envoy takes them one by
// one, about 0.2 µs each, so more are represented by as many, which keeps the quantiles and not the count.
const maxSamples = 10_000

// spread hands the `total` durations of `sum` to `each`, or maxSamples that stand for them.
func spread(sum *[cells]uint64, total uint64, each func(value, count uint64)) {
	kept := min(total, maxSamples)
	if kept == 0 {
		return
	}
	carry := rand.Uint64N(total) // so that what is rare has its chance
	if kept == total {
		carry = 0
	}
	for i, n := range sum {
		carry += n * kept
		if count := carry / total; count != 0 {
			each(valueOf(i), count)
			carry -= count * total
		}
	}
}

// cellOf finds the cell of a number of milliseconds.
func cellOf(ms uint64) int {
	if ms < exact {
		return int(ms)
	}
	cell, width := exact, uint64(exact/16)
	for start := uint64(exact); ; start, width, cell = start*2, width*2, cell+16 {
		if ms < start*2 {
			return cell + int((ms-start)/width)
		}
		if cell+16 == cells {
			return cells - 1
		}
	}
}

// valueOf is the least number of milliseconds in a cell.
func valueOf(cell int) uint64 {
	if cell < exact {
		return uint64(cell)
	}
	doublings, step := (cell-exact)/16, (cell-exact)%16
	return uint64(exact+step*exact/16) << doublings
}
