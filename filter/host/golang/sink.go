// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"runtime"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// namespace begins the names of all stats, as metrics_namespace does in a stock Envoy.
const namespace = "rocketmq."

// sink is the stats of one stat_prefix on their way to Envoy. All is guarded by metrics.mu.
type sink struct {
	metrics *metrics
	prefix  string
	total   []int64 // of counters and gauges, by stats.ID
	given   []int64 // what of it Envoy has
	samples map[sample]uint64
}

// sample is a value of a histogram.
type sample struct {
	id    stats.ID
	value uint64
}

func newSink(m *metrics, statPrefix string) *sink {
	return &sink{
		metrics: m,
		prefix:  namespace + statPrefix + ".",
		total:   make([]int64, len(stats.Table)),
		given:   make([]int64, len(stats.Table)),
		samples: make(map[sample]uint64),
	}
}

// define makes the stats known behind a door. With `ask` it takes Envoy's values as what was given:
// nothing if Envoy has made the stats just now, more if it still had those of an earlier door.
func (s *sink) define(d *door, ask bool) {
	defer runtime.KeepAlive(d)
	ids := make([]uint32, len(stats.Table))
	for i, def := range stats.Table {
		id, ok := s.metrics.envoy.define(d.config, def.Kind, s.prefix+def.Name)
		if !ok {
			host.LogError("Envoy does not take the stat %q", s.prefix+def.Name)
			return
		}
		ids[i] = id
		if ask && def.Kind != stats.Histogram {
			value, _ := s.metrics.envoy.value(d.config, id)
			s.given[i] = int64(value)
		}
	}
	d.ids[s] = ids
}

// through has `use` called with the newest door, then with older ones until it answers true: a config
// may be gone before we are told.
func (s *sink) through(use func(d *door, ids []uint32) bool) {
	for _, d := range slices.Backward(s.metrics.doors()) {
		ids, known := d.ids[s]
		done := known && use(d, ids)
		runtime.KeepAlive(d)
		if done {
			return
		}
	}
}

// move gives Envoy what it does not have yet of a counter or a gauge.
func (s *sink) move(id stats.ID) {
	delta := s.total[id] - s.given[id]
	if delta == 0 {
		return
	}
	s.through(func(d *door, ids []uint32) bool {
		ok := s.metrics.envoy.increment(d.config, ids[id], delta)
		if ok {
			s.given[id] = s.total[id]
		}
		return ok
	})
}

// record gives Envoy up to *left samples, and takes those off *left.
func (s *sink) record(left *int) {
	s.through(func(d *door, ids []uint32) bool {
		for what, count := range s.samples {
			for ; count > 0; count-- {
				if *left == 0 {
					return true
				}
				if !s.metrics.envoy.record(d.config, ids[what.id], what.value) {
					return false
				}
				*left--
				s.samples[what] = count - 1
			}
			delete(s.samples, what)
		}
		return true
	})
}

// Add implements stats.Sink.
func (s *sink) Add(id stats.ID, delta int64) {
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	s.total[id] += delta
	s.move(id)
}

// Record implements stats.Sink.
func (s *sink) Record(id stats.ID, value, count uint64) {
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	s.samples[sample{id, value}] += count
	s.metrics.waiting.Store(true)
}
