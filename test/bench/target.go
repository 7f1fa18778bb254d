// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
)

// target is what a figure of our paths shall reach, as a ratio to tcp_proxy.
type target struct {
	name    string
	in      func(row) bool
	measure func(*ratios) spread
	goal    float64
	atMost  bool // else at least
}

func pipelined(r row) bool { return r.InFlight >= 16 }

func pulls(r row) bool { return r.Workload == workloads[2].Title }

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

// verdict is what became of a target in one row.
type verdict struct {
	target
	row      row
	measured spread
	met      bool
}

// verdicts are those of all rows of our paths that have ratios.
func (r *report) verdicts() (all []verdict) {
	for _, row := range r.Rows {
		if !row.Variant.ours() || row.Ratios == nil {
			continue
		}
		for _, t := range targets {
			if !t.in(row) {
				continue
			}
			measured := t.measure(row.Ratios)
			met := measured.Median >= t.goal
			if t.atMost {
				met = measured.Median <= t.goal
			}
			all = append(all, verdict{target: t, row: row, measured: measured, met: met})
		}
	}
	return all
}

func (v verdict) comparison() string {
	if v.atMost {
		return fmt.Sprintf("≤ %.2f", v.goal)
	}
	return fmt.Sprintf("≥ %.2f", v.goal)
}

func (v verdict) result() string {
	if v.met {
		return "MET"
	}
	return "MISSED"
}

// printVerdicts prints a line for each target.
func printVerdicts(w io.Writer, all []verdict) {
	for _, v := range all {
		fmt.Fprintf(w, "target %s, %s, %s, %s: measured %s goal %s %s\n",
			v.name, v.row.Variant, v.row.cell, v.row.Workload, v.measured.ratio(), v.comparison(), v.result())
	}
}
