// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"runtime/metrics"
	"sync"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// runtimeMetrics are the figures of Go's runtime that have a gauge. Reading them stops nothing.
var runtimeMetrics = []struct {
	id   stats.ID
	name string // in runtime/metrics; a number
}{
	{stats.GoGoroutines, "/sched/goroutines:goroutines"},
	{stats.GoHeapBytes, "/gc/heap/live:bytes"},
}

// runtimeGauges shows figures of Go's runtime. They are the whole process's, and configs with one stat_prefix share
// their gauges in Envoy, so one of these configs shows them. When it ends, what it has added to a gauge ends too, and
// another one goes on within a second.
type runtimeGauges struct {
	prefix  string
	users   int
	shows   *Instance // nil: the next one that asks
	samples []metrics.Sample
	shown   []int64 // by the order of runtimeMetrics
}

// runtimeGaugesOf has an entry for each stat_prefix in use.
var (
	runtimeGaugesMu sync.Mutex // guards the map and all that is in it
	runtimeGaugesOf = make(map[string]*runtimeGauges)
)

// joinRuntimeGauges gives the gauges of a stat_prefix. Each call needs one of leave.
func joinRuntimeGauges(prefix string) *runtimeGauges {
	runtimeGaugesMu.Lock()
	defer runtimeGaugesMu.Unlock()
	g := runtimeGaugesOf[prefix]
	if g == nil {
		g = &runtimeGauges{prefix: prefix, shown: make([]int64, len(runtimeMetrics))}
		for _, m := range runtimeMetrics {
			g.samples = append(g.samples, metrics.Sample{Name: m.name})
		}
		runtimeGaugesOf[prefix] = g
	}
	g.users++
	return g
}

// show moves the gauges to what is so now, if that is x's to do.
func (g *runtimeGauges) show(x *Instance, r *stats.Recorder) {
	runtimeGaugesMu.Lock()
	defer runtimeGaugesMu.Unlock()
	if g.shows == nil {
		g.shows = x
	}
	if g.shows != x {
		return
	}
	metrics.Read(g.samples)
	for i, sample := range g.samples {
		g.set(r, i, int64(sample.Value.Uint64()))
	}
}

// leave takes back what x has shown.
func (g *runtimeGauges) leave(x *Instance, r *stats.Recorder) {
	runtimeGaugesMu.Lock()
	defer runtimeGaugesMu.Unlock()
	if g.users--; g.users == 0 {
		delete(runtimeGaugesOf, g.prefix)
	}
	if g.shows != x {
		return
	}
	g.shows = nil
	for i := range g.shown {
		g.set(r, i, 0)
	}
}

func (g *runtimeGauges) set(r *stats.Recorder, i int, value int64) {
	r.Add(runtimeMetrics[i].id, value-g.shown[i])
	g.shown[i] = value
}
