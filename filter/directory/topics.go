// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// RouteSource is where a route came from, and whom it was made for.
type RouteSource struct {
	NameServer string // ip:port; empty where Envoy chose one
	Zone       string // of a client that asks for the brokers of its zone; empty: of all
}

// maxRouteSources bounds the sources of one topic; of more the oldest is dropped. Clients choose the names of zones.
const maxRouteSources = 16

// topicWord is what the last route of one source said of a topic.
type topicWord struct {
	brokers  []string // names, sorted, each once
	mappings []body.QueueMapping
	at       time.Time
}

func topicWordOf(route *body.TopicRouteData, at time.Time) topicWord {
	w := topicWord{mappings: route.Mappings, at: at}
	for _, a := range route.Brokers {
		w.brokers = append(w.brokers, a.BrokerName)
	}
	slices.Sort(w.brokers)
	w.brokers = slices.Compact(w.brokers)
	return w
}

// topic is what all sources together have said. It is immutable.
type topic struct {
	words    map[RouteSource]topicWord
	brokers  []string // of any word: names, sorted
	agreed   []string // of every word
	mappings []body.QueueMapping
}

// confirmed reports whether a source has said the same lately.
func (t *topic) confirmed(from RouteSource, w topicWord, forgetAfter time.Duration) bool {
	if t == nil {
		return false
	}
	known, ok := t.words[from]
	return ok && len(known.mappings)+len(w.mappings) == 0 && slices.Equal(known.brokers, w.brokers) && w.at.Sub(known.at) < forgetAfter/4
}

// with is t, which may be nil, with the word of a source. Others that are older by forgetAfter or more are dropped.
func (t *topic) with(from RouteSource, w topicWord, forgetAfter time.Duration) *topic {
	next := &topic{words: map[RouteSource]topicWord{from: w}}
	if t != nil {
		for source, known := range t.words {
			if source != from && w.at.Sub(known.at) < forgetAfter {
				next.words[source] = known
			}
		}
	}
	if len(next.words) > maxRouteSources {
		oldest := from
		for source, known := range next.words {
			if known.at.Before(next.words[oldest].at) {
				oldest = source
			}
		}
		delete(next.words, oldest)
	}
	for _, known := range next.words {
		next.brokers = append(next.brokers, known.brokers...)
		next.mappings = append(next.mappings, known.mappings...)
	}
	slices.Sort(next.brokers)
	next.brokers = slices.Compact(next.brokers)
	for _, name := range next.brokers {
		if next.isAgreed(name) {
			next.agreed = append(next.agreed, name)
		}
	}
	return next
}

// isAgreed reports whether every source has named a broker.
func (t *topic) isAgreed(broker string) bool {
	for _, w := range t.words {
		if _, ok := slices.BinarySearch(w.brokers, broker); !ok {
			return false
		}
	}
	return true
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

// put notes what a source has said of a topic.
func (t *topics) put(name string, from RouteSource, w topicWord, forgetAfter time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.newer.Load().Load(name)
	if !ok {
		known, ok = t.older.Load().Load(name)
	}
	var before *topic
	if ok {
		before = known.(*topic)
	}
	t.add(name, before.with(from, w, forgetAfter))
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
