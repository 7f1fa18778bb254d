// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

const markdownHead = `# Performance

What the proxy costs beside Envoy's ` + "`tcp_proxy`" + `, which moves bytes and understands nothing, and beside no proxy at all.
This page is written by ` + "`make bench`" + `; do not edit it.

`

const markdownReading = `
## What is measured

A load generator keeps N requests in flight on each of C connections ("C×N"): when an answer comes, the next request
takes its place; those that answers of one read make room for leave in one write. The frames are as a Java 5.3.3
client sends them. A stub broker answers at once. So these are the limits of the path, not the throughput of a
RocketMQ, and a direct connection is compared with a broker that does no work.

| path | |
| --- | --- |
| direct | the load generator is connected to the stub |
| tcp_proxy | through an Envoy with tcp_proxy alone, our modules not loaded |
| per-broker | through an Envoy with ` + "`envoy-config/per-broker.yaml`" + `: our filter before tcp_proxy |
| unified | through an Envoy with ` + "`envoy-config/unified.yaml`" + `: our filter opens the upstream connections |

Load generator, stub, and each Envoy are processes of their own on one machine. All Envoys live through the whole run.
A round measures every path once, one after the other, in an order that changes with the round.

## How to read it

- Figures are medians over the rounds. "to tcp_proxy" is the median of the ratios within each round, with the least
  and the greatest in brackets: slow changes of the machine cancel out in it. **Compare ratios, and distrust a difference
  that is smaller than its brackets.** Requests per second of two runs, or of two machines, are not comparable.
- With as few cores as busy processes (load generator, stub, a worker of Envoy) the paths share them: requests per second
  then say how much work a request makes in all of them together. The CPU time says it for Envoy alone.
- CPU is the time that all threads of Envoy ran, user and kernel, within the measured window, by the requests answered
  in it. At 1×1 most of it is waking up: Envoy, the kernel and, in our paths, Go go to sleep and wake for each request.
- Switches are context switches of Envoy per request. RSS is Envoy's resident memory at the end of the window.
- Latency is from before the write of a request to after the read of its answer; p99.9 of a cell with few requests
  stands for a few dozen of them.
- Every answer is checked: right opaque, once, on the right connection, SUCCESS; the stub must have answered exactly
  as many requests, and the filter have counted as many. A run in which one is wrong has no report.

All figures of all rounds, and those of the run queue, are in the JSON file that the same command writes into
` + "`out/bench/`" + `. ` + "`QUICK=1 make bench`" + ` takes about two minutes and leaves this page as it is.
`

// markdown is the page for docs/.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString(markdownHead)
	b.WriteString("| | |\n| --- | --- |\n")
	for _, line := range [][2]string{
		{"date", r.Started.UTC().Format("2006-01-02 15:04 UTC")},
		{"machine", r.Machine.String()},
		{"versions", r.Versions.String()},
		{"load average before", fmt.Sprintf("%.2f", r.LoadBefore)},
		{"other work meanwhile", fmt.Sprintf("about %.2f cores (median of all windows; greatest %.2f)", r.others().Median, r.others().Max)},
		{"rounds", fmt.Sprintf("%d of %s after %s of warm-up, each path", r.RoundCount, r.Window, r.WarmUp)},
		{"command", "`" + r.Command + "`"},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", line[0], line[1])
	}
	for i, row := range r.Rows {
		if i == 0 || row.Concurrency != r.Rows[i-1].Concurrency || row.Workload != r.Rows[i-1].Workload {
			fmt.Fprintf(&b, "\n## %s; Envoy with --concurrency %d\n\n", row.Workload, row.Concurrency)
			b.WriteString("| C×N | path | requests/s | p50 µs | p99 µs | p99.9 µs | CPU µs/request | switches/request | RSS MB | requests/s to tcp_proxy | CPU to tcp_proxy | p99 to tcp_proxy |\n")
			b.WriteString("| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
		}
		b.WriteString(row.markdown())
	}
	b.WriteString(markdownTargets(r.verdicts()))
	b.WriteString(markdownReading)
	return b.String()
}

func markdownTargets(all []verdict) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n## Targets\n\nRatios to tcp_proxy in the same round.\n\n| what | path | C×N | workload | measured | goal | |\n| --- | --- | --- | --- | --: | --: | --- |\n")
	for _, v := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", v.name, v.row.Variant, v.row.cell, v.row.Workload, v.measured.ratio(), v.comparison(), v.result())
	}
	return b.String()
}

func (r row) markdown() string {
	columns := []string{
		r.String(), string(r.Variant),
		fmt.Sprintf("%.0f [%.0f-%.0f]", r.Rate.Median, r.Rate.Min, r.Rate.Max),
		fmt.Sprintf("%.0f", r.P50.Median), fmt.Sprintf("%.0f", r.P99.Median), fmt.Sprintf("%.0f", r.P999.Median),
		"–", "–", "–", "–", "–", "–",
	}
	if e := r.Envoy; e != nil {
		columns[6] = fmt.Sprintf("%.2f", e.CPU.Median)
		columns[7] = fmt.Sprintf("%.2f", e.Switches.Median)
		columns[8] = fmt.Sprintf("%.0f", e.RSS.Median)
	}
	if q := r.Ratios; q != nil && r.Variant != tcpProxy {
		columns[9] = q.Rate.ratio()
		columns[11] = q.P99.ratio()
		if q.CPU != nil {
			columns[10] = q.CPU.ratio()
		}
	}
	return "| " + strings.Join(columns, " | ") + " |\n"
}

// others is the work of strangers over all windows, in cores.
func (r *report) others() spread {
	var all []float64
	for _, row := range r.Rows {
		for _, m := range row.Rounds {
			all = append(all, m.Others.Seconds()/m.Window.Seconds())
		}
	}
	if len(all) == 0 {
		return spread{}
	}
	slices.Sort(all)
	return spreadOf(all)
}
