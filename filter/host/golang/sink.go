// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"runtime"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// namespace begins the names of all stats, as metrics_namespace does in a stock Envoy.
const namespace = "rocketmq."

// sink is the stats of one stat_prefix on their way to Envoy. All is guarded by metrics.mu.
type sink struct {
	metrics *metrics
	prefix  string
	rows    []stats.Def // of all configs with the prefix; only grows
	rowOf   map[string]int
	total   []int64 // of counters and gauges, by row
	given   []int64 // what of it Envoy has
	samples map[sample]uint64
}

// sample is a value of a histogram.
type sample struct {
	row   int
	value uint64
}

func newSink(m *metrics, statPrefix string) *sink {
	return &sink{
		metrics: m,
		prefix:  namespace + statPrefix + ".",
		rowOf:   make(map[string]int),
		samples: make(map[sample]uint64),
	}
}

// tableSink is the sink of one config, whose stats are some of a sink's.
type tableSink struct {
	*sink
	rows []int // by stats.ID
}

// of gives the sink of a config with a table of stats, and makes rows for those that are new.
func (s *sink) of(table []stats.Def) *tableSink {
	t := &tableSink{sink: s, rows: make([]int, len(table))}
	for id, def := range table {
		row, known := s.rowOf[def.Name]
		if !known {
			row = len(s.rows)
			s.rowOf[def.Name] = row
			s.rows, s.total, s.given = append(s.rows, def), append(s.total, 0), append(s.given, 0)
		}
		t.rows[id] = row
	}
	return t
}

// define makes the stats known behind a door, as far as they are not. With `ask` it takes Envoy's values as what was given:
// nothing if Envoy has made the stats just now, more if it still had those of an earlier door.
func (s *sink) define(d *door, ask bool) {
	defer runtime.KeepAlive(d)
	ids := d.ids[s]
	for i := len(ids); i < len(s.rows); i++ {
		def := s.rows[i]
		id, ok := s.metrics.envoy.define(d.config, def.Kind, s.prefix+def.Name)
		if !ok {
			s.metrics.host.LogError("Envoy does not take the stat %q", s.prefix+def.Name)
			break
		}
		ids = append(ids, id)
		if ask && def.Kind != stats.Histogram {
			value, _ := s.metrics.envoy.value(d.config, id)
			s.given[i] = int64(value)
		}
	}
	d.ids[s] = ids
}

// through has `use` called with the newest door, then with older ones until it answers true: a config
// may be gone before we are told. A door may not know the last rows.
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
func (s *sink) move(row int) {
	delta := s.total[row] - s.given[row]
	if delta == 0 {
		return
	}
	s.through(func(d *door, ids []uint32) bool {
		ok := row < len(ids) && s.metrics.envoy.increment(d.config, ids[row], delta)
		if ok {
			s.given[row] = s.total[row]
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
				if what.row >= len(ids) || !s.metrics.envoy.record(d.config, ids[what.row], what.value) {
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
func (t *tableSink) Add(id stats.ID, delta int64) {
	t.metrics.mu.Lock()
	defer t.metrics.mu.Unlock()
	t.total[t.rows[id]] += delta
	t.move(t.rows[id])
}

// Record implements stats.Sink.
func (t *tableSink) Record(id stats.ID, value, count uint64) {
	t.metrics.mu.Lock()
	defer t.metrics.mu.Unlock()
	t.samples[sample{t.rows[id], value}] += count
	t.metrics.waiting.Store(true)
}
