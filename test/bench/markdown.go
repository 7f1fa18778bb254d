// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

const matrixHead = `# The matrix of a run

What the proxy costs beside Envoy's ` + "`tcp_proxy`" + `, which moves bytes and understands nothing, beside RocketMQ Proxy, and beside no
proxy at all, in everything that the run measured. Written by ` + "`make bench`" + `; docs/PERFORMANCE.md has the figures that matter most.
`

const pageHead = `<!-- SPDX-License-Identifier: Apache-2.0 -->
# Performance

What the proxy costs beside Envoy's ` + "`tcp_proxy`" + `, which moves bytes and understands nothing, beside RocketMQ Proxy, and beside no
proxy at all. Written by ` + "`make bench`" + `; do not edit it. Each part has its own date: what a run did not measure stays.
[PROFILE.md](PROFILE.md) says what the costs are made of, and why some targets are missed.

![CPU of the proxy and what it adds to a send](performance.svg)
`

// pageParts are the parts that docs/PERFORMANCE.md has, with their titles, in the order of the page.
var pageParts = []struct{ name, title string }{
	{"real", "Real brokers and clients"},
	{"synthetic", "The limits of the path"},
	{"scale", "Many connections, topics, brokers"},
}

const pageTail = `
All figures, of all rounds and of the parts that are not here, are in ` + "`out/bench/<date>.md`" + ` and ` + "`.json`" + `, which the same command
writes, with how to read them and a line for each target. ` + "`make bench QUICK=1`" + ` measures what has targets, in three minutes, and leaves this
page as it is; ` + "`make bench FULL=1`" + ` measures more workloads, 1,000 connections and two workers, too; ` + "`make bench PARTS=scale,micro`" + `
measures some parts.
`

// markdownIntroductions stand at the head of each part.
var markdownIntroductions = map[string]string{
	"synthetic": `A load generator keeps N requests in flight on each of C connections ("C×N"): when an answer comes, the next request
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
`,
	"real": `Java producers send messages of 300 B, synchronously, from many threads, and a push consumer reads them, through each
path to the same two real brokers. All paths live through the whole run and take turns. Envoy has one worker.
RocketMQ Proxy is in cluster mode; clients use its remoting port. tcp_proxy cannot keep clients on it: for that path the
benchmark has a name server of its own, which tells them Envoy's addresses in place of the brokers'.
`,
	"scale": `Of one thing there is little or much; meanwhile 16 connections with a request in flight each show what a request costs.
An Envoy for each level and path lives through the whole series, and they take turns: "to the least level" is the ratio of
CPU per request within a round.
`,
	"micro": `Go benchmarks of a session, from bytes in to bytes out, without Envoy. ` + "`make bench-micro`" + ` shows all there are, and those
of the module's queues; ` + "`make bench-compare BASE=rev`" + ` what a change did.
`,
}

// markdownReadings stand at the end of each part.
var markdownReadings = map[string]string{
	"synthetic": `
### How to read it

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
`,
	"real": `
### How to read it

- Brokers, clients and proxy share the machine. Where they take all of its cores, messages per second say how much work a
  message makes in all of them together, and even direct clients are not limited by the broker alone.
- RT is of the whole send as the producer sees it. End to end is from the producer's clock before it sends to the
  consumer's listener, at a rate that every path can bear.
- CPU is that of the proxy's process for 1,000 messages sent and consumed. "Added" is the difference to direct clients.
`,
	"scale": `
### How to read it

- RSS is Envoy's resident memory before the load; per connection, what each costs over the least level. Both sides of
  an idle connection, the client's and the broker's, are in it.
- A heartbeat's CPU is the average over one from each connection, with what it leaves to be done in the next 3.5 s. Refreshes are of the brokers' addresses, one a second,
  with whatever else an idle Envoy does in that second; by default there is one every 30 s.
- Long polls are LITE_PULL_MESSAGE that the stub never answers, spread over the connections of the load.
- ` + "`route_config`" + ` is searched in order, since prefixes and expressions have to be; exact topics before the first of
  those are found at once.
- Where a process may open fewer than 27,000 files (` + "`ulimit -Hn`" + `) there are fewer than 10,000 idle connections.
`,
	"micro": `
### How to read it

- A send or pull is the request and its answer; "16" are sixteen requests in one read and their answers in another.
- "Without stats" is the same benchmark with every recording of a stat taken out, in turns. The target takes the
  difference as a share of what a request costs Envoy in the synthetic part of the same run.
`,
}

// markdown is the section of the synthetic part.
func (r *syntheticReport) markdown() string {
	var b strings.Builder
	for _, line := range [][2]string{
		{"other work meanwhile", fmt.Sprintf("about %.2f cores (median of all windows; greatest %.2f)", r.others().Median, r.others().Max)},
		{"rounds", fmt.Sprintf("%d of %s after %s of warm-up, each path", r.RoundCount, r.Window, r.WarmUp)},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", line[0], line[1])
	}
	for i, row := range r.Rows {
		if i == 0 || row.Concurrency != r.Rows[i-1].Concurrency || row.Workload != r.Rows[i-1].Workload {
			fmt.Fprintf(&b, "\n### %s; Envoy with --concurrency %d\n\n", capital(row.Workload), row.Concurrency)
			b.WriteString("| C×N | path | requests/s | p50 µs | p99 µs | p99.9 µs | CPU µs/request | switches/request | RSS MB | requests/s to tcp_proxy | CPU to tcp_proxy | p99 to tcp_proxy |\n")
			b.WriteString("| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
		}
		b.WriteString(row.markdown())
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
func (r *syntheticReport) others() spread {
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
