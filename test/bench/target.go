// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// target is what a figure of our paths shall reach, as a ratio to tcp_proxy.
type target struct {
	name    string
	in      func(row) bool
	measure func(*ratios) spread
	goal    float64
	atMost  bool // else at least
}

func pipelined(r row) bool { return r.InFlight >= 16 }

func pulls(r row) bool { return r.Workload == pull64k.Title }

var targets = []target{
	{
		name: "throughput", goal: 1.0, measure: rateRatio,
		in: func(r row) bool { return !pulls(r) && !pipelined(r) && r.Connections < 64 },
	},
	{
		name: "throughput", goal: 0.95, measure: rateRatio,
		in: func(r row) bool { return !pulls(r) && (pipelined(r) || r.Connections >= 64) },
	},
	{name: "bandwidth of 64 KiB answers", goal: 0.97, measure: rateRatio, in: pulls},
	{name: "CPU", goal: 1.15, atMost: true, measure: cpuRatio, in: func(r row) bool { return !pipelined(r) }},
	{name: "CPU", goal: 1.3, atMost: true, measure: cpuRatio, in: pipelined},
	{name: "p99", goal: 1.15, atMost: true, measure: func(q *ratios) spread { return q.P99 }, in: func(row) bool { return true }},
}

func rateRatio(q *ratios) spread { return q.Rate }
func cpuRatio(q *ratios) spread  { return *q.CPU }

// verdicts are those of all rows of our paths that have ratios.
func (r *syntheticReport) verdicts() (all []verdict) {
	for _, row := range r.Rows {
		if !row.Variant.ours() || row.Ratios == nil {
			continue
		}
		at := fmt.Sprintf("%s, %s, %s", row.Variant, row.cell, row.Workload)
		if row.Concurrency > 1 {
			at += fmt.Sprintf(", concurrency %d", row.Concurrency)
		}
		for _, t := range targets {
			if !t.in(row) {
				continue
			}
			judge := atLeast
			if t.atMost {
				judge = atMost
			}
			all = append(all, judge(t.name+", "+at+":", t.measure(row.Ratios), t.goal))
		}
	}
	return all
}
