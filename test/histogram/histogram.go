// SPDX-License-Identifier: Apache-2.0

// Package histogram counts latencies in buckets that grow with the value, so that any value from a nanosecond to
// hours is kept with the same relative error, in a fixed amount of memory.
package histogram

import (
	"math/bits"
	"time"
)

const (
	// stepBits: each power of two is divided into 2^stepBits buckets. A reported value is at most 1/128, 0.8 %,
	// off.
	stepBits = 7
	steps    = 1 << stepBits
	maxBits  = 44 // 2^44 ns are almost five hours
	buckets  = (maxBits - stepBits + 1) * steps
)

// Histogram counts durations. The zero value is empty. It is not safe for concurrent use; Record allocates
// nothing.
type Histogram struct {
	counts [buckets]uint64
	total  uint64
	max    time.Duration
}

// Record counts d; what is negative counts as 0.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// Count is how many values were recorded.
func (h *Histogram) Count() uint64 { return h.total }

// Max is the greatest value recorded, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile is a value that the share q (0 to 1) of all recorded values do not exceed, give or take the width of
// a bucket: the middle of the bucket in which the value of that rank lies. 0 if there are no values.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q*float64(h.total) + 0.5)
	rank = min(max(rank, 1), h.total)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			low, width := bounds(i)
			return min(low+(width-1)/2, h.max)
		}
	}
	return h.max
}

// bucket: values below `steps` have one each; above, the highest stepBits+1 bits of the value choose.
func bucket(d time.Duration) int {
	shift := bits.Len64(uint64(d)) - stepBits - 1
	if shift <= 0 {
		return int(d)
	}
	return min(shift*steps+int(d>>shift), buckets-1)
}

// bounds are the least value of a bucket and how many values it has.
func bounds(i int) (low, width time.Duration) {
	if i < 2*steps {
		return time.Duration(i), 1
	}
	shift := i/steps - 1
	return time.Duration(i-shift*steps) << shift, 1 << shift
}
