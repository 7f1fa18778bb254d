// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"sync"
	"sync/atomic"
	"time"
)

// recorders is how many independent sets of cells a Set has, so that workers do not fight over
// cache lines. A power of two.
const recorders = 8

// Set is the stats of one filter config: those of Table, and counters that the config has defined.
type Set struct {
	defs   []Def
	shards [recorders]Recorder
	next   atomic.Uint32

	flush   sync.Mutex // serialises Flush; guards flushed
	flushed []int64
}

// Recorder is where a session counts. All methods may be called from any thread.
type Recorder struct {
	cells []atomic.Int64
	times [2]times
	_     [64]byte // the next recorder's fields start on another cache line
}

// Sink is Envoy's side of a flush.
type Sink interface {
	// Add moves a counter or a gauge.
	Add(id ID, delta int64)
	// Record adds `count` samples of `value` to a histogram.
	Record(id ID, value, count uint64)
}

// New makes a Set with every stat of Table at zero.
func New() *Set {
	s := &Set{}
	for _, def := range Table {
		s.Define(def)
	}
	return s
}

// Define adds a counter of the config's own and returns its ID. It must not be called after Recorder or Flush.
func (s *Set) Define(def Def) ID {
	if s.next.Load() != 0 {
		panic("stats: Define after Recorder")
	}
	id := ID(len(s.defs))
	s.defs = append(s.defs, def)
	s.flushed = append(s.flushed, 0)
	for i := range s.shards {
		s.shards[i].cells = append(s.shards[i].cells, atomic.Int64{})
	}
	return id
}

// Defs returns all stats by ID. It must not be changed.
func (s *Set) Defs() []Def { return s.defs }

// Recorder returns one of the set's recorders, in turn.
func (s *Set) Recorder() *Recorder {
	return &s.shards[s.next.Add(1)%recorders]
}

// Add moves a counter or a gauge.
func (r *Recorder) Add(id ID, delta int64) { r.cells[id].Add(delta) }

// Inc adds one.
func (r *Recorder) Inc(id ID) { r.cells[id].Add(1) }

// Time records a duration in RequestTimeMs or, for a long poll, in LongPollTimeMs.
func (r *Recorder) Time(d time.Duration, longPoll bool) {
	if longPoll {
		r.times[1].record(d)
	} else {
		r.times[0].record(d)
	}
}

// Value is the sum of a counter or a gauge so far.
func (s *Set) Value(id ID) (sum int64) {
	for _, part := range sums[id] {
		sum += s.Value(part)
	}
	for i := range s.shards {
		sum += s.shards[i].cells[id].Load()
	}
	return sum
}

// Flush hands what has changed since the last Flush to `sink`.
func (s *Set) Flush(sink Sink) {
	s.flush.Lock()
	defer s.flush.Unlock()
	for id, before := range s.flushed {
		if now := s.Value(ID(id)); now != before {
			sink.Add(ID(id), now-before)
			s.flushed[id] = now
		}
	}
	for i, id := range [...]ID{RequestTimeMs, LongPollTimeMs} {
		var sum [cells]uint64
		var total uint64
		for shard := range s.shards {
			total += s.shards[shard].times[i].drainInto(&sum)
		}
		spread(&sum, total, func(value, count uint64) { sink.Record(id, value, count) })
	}
}
