// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/usage"
)

// sample is what one look found.
type sample struct {
	Time    time.Duration        // since the load began
	Figures [figureCount]float64 // by figure
}

// figure is something that is looked at again and again.
type figure int

// The figures of Envoy's process that may not grow, and those that tell of the load.
const (
	rss figure = iota
	cHeap
	goHeap
	goroutines
	threads
	files

	pending
	downstream
	upstream
	sent
	consumed
	visits
	envoyCPU
	machineLoad
	figureCount
)

// definition describes a figure.
type definition struct {
	name  string  // in files
	title string  // in the picture and the verdict
	unit  float64 // what the title's unit is in the samples'
	bound float64 // how much it may grow after the warm-up, in the title's unit; 0: as it likes
}

var definitions = [figureCount]definition{
	rss:         {"rss_bytes", "RSS, KiB", 1 << 10, 8 << 10},
	cHeap:       {"c_heap_bytes", "C++ heap, KiB", 1 << 10, 2 << 10},
	goHeap:      {"go_heap_bytes", "Go heap, KiB", 1 << 10, 2 << 10},
	goroutines:  {"goroutines", "goroutines", 1, 8},
	threads:     {"threads", "threads", 1, 4},
	files:       {"files", "open files", 1, 8},
	pending:     {"pending", "requests that wait", 1, 0},
	downstream:  {"downstream", "client connections", 1, 0},
	upstream:    {"upstream", "upstream connections", 1, 0},
	sent:        {"sent", "messages sent", 1, 0},
	consumed:    {"consumed", "messages consumed", 1, 0},
	visits:      {"visits", "visits", 1, 0},
	envoyCPU:    {"envoy_cpu_seconds", "Envoy's CPU time, s", 1, 0},
	machineLoad: {"load_average", "load average of the machine", 1, 0},
}

// sample looks at everything once and writes a line of the CSV file.
func (r *run) sample(ctx context.Context) error {
	s := sample{Time: time.Since(r.begin)}
	v := &s.Figures
	pid := r.Envoy().Pid()
	used, err := usage.Of(pid)
	if err != nil {
		return err
	}
	v[rss], v[envoyCPU] = float64(used.RSS), used.CPU.Seconds()
	for f, folder := range map[figure]string{threads: "task", files: "fd"} {
		entries, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/" + folder)
		if err != nil {
			return err
		}
		v[f] = float64(len(entries))
	}
	all, err := r.Stats(ctx, "rocketmq.", "server.memory_allocated")
	if err != nil {
		return err
	}
	v[cHeap] = float64(all["server.memory_allocated"])
	for _, way := range r.ProxiedWays() {
		v[pending] += float64(all[way.StatPrefix+"request_active"])
		v[downstream] += float64(all[way.StatPrefix+"downstream_active"])
		v[upstream] += float64(all[way.StatPrefix+"upstream_active"])
		// These are the whole process's, and each listener's prefix has them.
		v[goHeap] = float64(all[way.StatPrefix+"go_heap_bytes"])
		v[goroutines] = float64(all[way.StatPrefix+"go_goroutines"])
	}
	for _, p := range r.pairs {
		sums := p.Sums()
		v[sent] += float64(sums.Sent)
		v[consumed] += float64(sums.Consumed)
	}
	v[visits] = float64(r.visitors.Count())
	if v[machineLoad], err = usage.LoadAverage(); err != nil {
		return err
	}
	r.samples = append(r.samples, s)
	return r.writeLine(s)
}

// writeLine appends a sample to the CSV file, which begins with the names.
func (r *run) writeLine(s sample) error {
	line := fmt.Sprintf("%.1f", s.Time.Seconds())
	for _, value := range s.Figures {
		line += "," + strconv.FormatFloat(value, 'f', -1, 64)
	}
	if len(r.samples) == 1 {
		head := "seconds"
		for _, d := range definitions {
			head += "," + d.name
		}
		line = head + "\n" + line
	}
	_, err := r.csv.WriteString(line + "\n")
	return err
}
