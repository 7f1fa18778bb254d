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

// runtimeGauges shows figures of Go's runtime for one config. They are the whole process's, and configs with one
// stat_prefix share their gauges in Envoy, so only one of these configs shows them. When it ends it takes back what it
// has added to the gauges, and the next config to call show takes over.
type runtimeGauges struct {
	prefix   string
	recorder *stats.Recorder
	samples  []metrics.Sample
	shown    []int64 // by the order of runtimeMetrics
}

// runtimeGaugesShown are the gauges that are shown of each stat_prefix.
var (
	runtimeGaugesMu    sync.Mutex // guards the map and the gauges in it
	runtimeGaugesShown = make(map[string]*runtimeGauges)
)

func newRuntimeGauges(prefix string, recorder *stats.Recorder) *runtimeGauges {
	g := &runtimeGauges{prefix: prefix, recorder: recorder, shown: make([]int64, len(runtimeMetrics))}
	for _, m := range runtimeMetrics {
		g.samples = append(g.samples, metrics.Sample{Name: m.name})
	}
	return g
}

// show updates the gauges, unless another config of the stat_prefix shows them.
func (g *runtimeGauges) show() {
	runtimeGaugesMu.Lock()
	defer runtimeGaugesMu.Unlock()
	if runtimeGaugesShown[g.prefix] == nil {
		runtimeGaugesShown[g.prefix] = g
	}
	if runtimeGaugesShown[g.prefix] != g {
		return
	}
	metrics.Read(g.samples)
	for i, sample := range g.samples {
		g.set(i, int64(sample.Value.Uint64()))
	}
}

// close takes back what the config has shown.
func (g *runtimeGauges) close() {
	runtimeGaugesMu.Lock()
	defer runtimeGaugesMu.Unlock()
	if runtimeGaugesShown[g.prefix] != g {
		return
	}
	delete(runtimeGaugesShown, g.prefix)
	for i := range g.shown {
		g.set(i, 0)
	}
}

func (g *runtimeGauges) set(i int, value int64) {
	g.recorder.Add(runtimeMetrics[i].id, value-g.shown[i])
	g.shown[i] = value
}
