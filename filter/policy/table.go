// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// A table has several parts, so that threads do not wait for one another, but small ones, where that would make the
// most that each part may have too uneven a share.
const (
	maxShards    = 16
	keysForShard = 16
)

// sweepInterval is the least time between two sweeps of a shard that has reached its limit.
const sweepInterval = time.Second

// table has the buckets of a limit by the values of its key, as far as they are not full: a bucket that is can be
// forgotten.
type table struct {
	seed   maphash.Seed
	most   int // in each shard
	shards []shard
	others buckets // of the values over the limit
}

type shard struct {
	mu    sync.RWMutex
	byKey map[string]*buckets
	swept time.Duration
	_     [64]byte // the next shard is on another cache line
}

func newTable(maxKeys int) *table {
	n := min(max(maxKeys/keysForShard, 1), maxShards)
	t := &table{seed: maphash.MakeSeed(), most: maxKeys / n, shards: make([]shard, n)}
	for i := range t.shards {
		t.shards[i].byKey = make(map[string]*buckets)
	}
	return t
}

// of returns the buckets of a value; shared is true if it has to share them.
func (t *table) of(key string, now time.Duration) (b *buckets, shared bool) {
	if len(key) > codec.MaxGroupName { // memory for no longer ones
		return &t.others, true
	}
	s := &t.shards[maphash.String(t.seed, key)%uint64(len(t.shards))]
	s.mu.RLock()
	b = s.byKey[key]
	s.mu.RUnlock()
	if b != nil {
		return b, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b = s.byKey[key]; b != nil {
		return b, false
	}
	if len(s.byKey) >= t.most && !s.sweep(now) {
		return &t.others, true
	}
	b = &buckets{}
	s.byKey[key] = b
	return b, false
}

// sweep forgets full buckets, and reports whether there were any.
func (s *shard) sweep(now time.Duration) (found bool) {
	if s.swept != 0 && now-s.swept < sweepInterval {
		return false
	}
	s.swept = now
	for key, b := range s.byKey {
		if b.isFull(now) {
			delete(s.byKey, key)
			found = true
		}
	}
	return found
}
