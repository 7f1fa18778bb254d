// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"sync"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// topic is what the last route of a topic said. It is immutable.
type topic struct {
	brokers  []string // names, sorted
	mappings []body.QueueMapping
}

// topics has the topics that were learned or used last, in two generations: when the newer one is full it becomes the
// older one, and what that had and nobody has used meanwhile is forgotten. So each topic in use stays, whatever
// else clients ask for, and a topic in the newer generation is read without a lock.
type topics struct {
	most int // in a generation

	newer, older atomic.Pointer[sync.Map] // name -> *topic

	mu        sync.Mutex // guards changes, and what follows
	count     int        // in newer
	left      int        // in older, and not in newer
	forgotten atomic.Int64
}

func newTopics(bound int) *topics {
	t := &topics{most: max(bound/2, 1)}
	t.newer.Store(&sync.Map{})
	t.older.Store(&sync.Map{})
	return t
}

// get returns a topic, which is used thereby; nil if it is not known.
func (t *topics) get(name string) *topic {
	if known, ok := t.newer.Load().Load(name); ok {
		return known.(*topic)
	}
	if _, ok := t.older.Load().Load(name); !ok {
		return nil // in the usual case, or it has just become too old
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.newer.Load().Load(name); ok {
		return known.(*topic)
	}
	known, ok := t.older.Load().Load(name)
	if !ok {
		return nil
	}
	t.add(name, known.(*topic))
	return known.(*topic)
}

// put notes what is known of a topic now.
func (t *topics) put(name string, known *topic) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(name, known)
}

func (t *topics) add(name string, known *topic) {
	newer := t.newer.Load()
	if _, isOld := newer.Swap(name, known); isOld {
		return
	}
	if _, isOld := t.older.Load().Load(name); isOld {
		t.left--
	}
	if t.count++; t.count < t.most {
		return
	}
	t.forgotten.Add(int64(t.left))
	t.older.Store(newer)
	t.newer.Store(&sync.Map{})
	t.count, t.left = 0, t.count
}
