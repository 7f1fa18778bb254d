// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"sync/atomic"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
)

// rate is what buckets of one limit have in common.
type rate struct {
	interval float64       // nanoseconds in which one token comes; 0: no limit
	capacity time.Duration // in which an empty bucket fills
}

func newRate(c apiv1.RateConfig) rate {
	if c.PerSecond == 0 {
		return rate{}
	}
	interval := 1e9 / float64(c.PerSecond)
	return rate{interval: interval, capacity: time.Duration(float64(c.Burst) * interval)}
}

// maxDebt bounds for how long what has been fetched can keep a bucket empty.
const maxDebt = time.Minute

// bucket is a token bucket, as the instant at which it will be full again. The zero value is full.
type bucket struct{ full atomic.Int64 }

// take takes tokens if they are there: all of them, or what a full bucket has and the rest as a debt.
func (b *bucket) take(r rate, tokens int, now time.Duration) bool {
	if r.interval == 0 || tokens == 0 {
		return true
	}
	cost := int64(float64(tokens) * r.interval)
	for {
		before := b.full.Load()
		start := max(before, int64(now))
		if start-int64(now)+min(cost, int64(r.capacity)) > int64(r.capacity) {
			return false
		}
		if b.full.CompareAndSwap(before, r.bounded(start+cost, now)) {
			return true
		}
	}
}

// spend takes tokens that are used already.
func (b *bucket) spend(r rate, tokens int, now time.Duration) {
	if r.interval == 0 {
		return
	}
	cost := int64(float64(tokens) * r.interval)
	for {
		before := b.full.Load()
		if b.full.CompareAndSwap(before, r.bounded(max(before, int64(now))+cost, now)) {
			return
		}
	}
}

// giveBack undoes a take.
func (b *bucket) giveBack(r rate, tokens int) {
	b.full.Add(-int64(float64(tokens) * r.interval))
}

// inDebt reports whether a bucket has nothing left.
func (b *bucket) inDebt(r rate, now time.Duration) bool {
	return r.interval != 0 && b.full.Load()-int64(now) >= int64(r.capacity)
}

func (r rate) bounded(full int64, now time.Duration) int64 {
	return min(full, int64(now+r.capacity+maxDebt))
}

// isFull reports whether a bucket is as good as a new one.
func (b *bucket) isFull(now time.Duration) bool { return b.full.Load() <= int64(now) }

// buckets are those of one key of a limit.
type buckets struct{ messages, bytes bucket }

func (b *buckets) isFull(now time.Duration) bool {
	return b.messages.isFull(now) && b.bytes.isFull(now)
}
