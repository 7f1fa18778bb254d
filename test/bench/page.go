// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// pageCells are the loads of the synthetic part that docs/PERFORMANCE.md has.
var pageCells = []struct {
	workload workload
	cell     cell
	title    string
}{
	{send300, cell{16, 1}, "sends of 300 B, 16 connections"},
	{send300, cell{16, 16}, "the same with 16 requests in flight on each"},
	{pull64k, cell{16, 1}, "pulls with answers of 64 KiB, 16 connections"},
}

func (r *syntheticReport) summary() string {
	var b strings.Builder
	b.WriteString("A load generator and a stub broker that does no work: ratios to tcp_proxy's figures, of requests per second, CPU of Envoy per request,\n" +
		"and the 99th percentile of the latency. Differences below some hundredths are noise.\n\n" +
		"| | per-broker: requests/s · CPU · p99 | unified: requests/s · CPU · p99 |\n| --- | --- | --- |\n")
	for _, at := range pageCells {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", at.title, r.ratiosAt(perBroker, at.workload, at.cell), r.ratiosAt(unified, at.workload, at.cell))
	}
	return b.String()
}

func (r *syntheticReport) ratiosAt(v variant, w workload, c cell) string {
	for _, row := range r.Rows {
		if row.Variant == v && row.Workload == w.Title && row.cell == c && row.Concurrency == 1 && row.Ratios != nil {
			return fmt.Sprintf("%.2f · %.2f · %.2f", row.Ratios.Rate.Median, row.Ratios.CPU.Median, row.Ratios.P99.Median)
		}
	}
	return "–"
}

func (r *realReport) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Java clients send and consume messages of 300 B through two real brokers: %d threads as fast as answers come, then %d messages a second.\n\n"+
		"| path | messages/s | CPU of the proxy for 1,000 messages | calm: send, p50 | send, p99 | end to end, p50 |\n"+
		"| --- | --: | --: | --: | --: | --: |\n", realThreads, calmRate)
	for _, row := range r.Rows {
		used := "–"
		if row.CPU != nil {
			used = fmt.Sprintf("%.3f s", row.CPU.Median/1e3)
		}
		fmt.Fprintf(&b, "| %s | %.0f | %s | %.1f ms | %.1f ms | %.1f ms |\n",
			row.Variant, row.Rate.Median, used, row.P50.Median/1e3, row.P99.Median/1e3, row.EndToEndP50/1e3)
	}
	return b.String()
}

func (r *scaleReport) summary() string {
	var b strings.Builder
	b.WriteString("Of one thing there is much; CPU per request is compared with that where there is little.\n\n| | per-broker | unified |\n| --- | --- | --- |\n")
	for _, l := range ladders {
		rows := r.rows(l)
		if len(rows) == 0 {
			continue
		}
		most := rows[len(rows)-1].Level
		title, figures := fmt.Sprintf("%d %s", most, l.Name), map[variant]string{}
		for i, row := range rows {
			if row.Level != most {
				continue
			}
			figures[row.Variant] = fmt.Sprintf("%.2f", row.Loads[0].Growth.Median)
			if l.Name == "connections" {
				each := fmt.Sprintf("%.1f KiB each", row.eachAbove(rows[i%len(l.variants)]))
				figures[row.Variant] += ", " + each
				if row.Variant == tcpProxy {
					title += ", with tcp_proxy " + each
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", title, orDash(figures[perBroker]), orDash(figures[unified]))
	}
	return b.String()
}

func (r *microReport) summary() string { return "" }

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// picture has bars of what each proxy costs and adds, as SVG.
func (r *realReport) picture() string {
	var used, added []bar
	without := r.row(direct)
	for _, row := range r.Rows {
		if row.CPU == nil {
			continue
		}
		used = append(used, bar{string(row.Variant), row.CPU.Median / 1e3, fmt.Sprintf("%.3f s", row.CPU.Median/1e3)})
		if without != nil {
			more := max(row.P50.Median-without.P50.Median, 0)
			added = append(added, bar{string(row.Variant), more, fmt.Sprintf("%.0f µs", more)})
		}
	}
	const height = 24
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="720" height="%d" font-family="sans-serif" font-size="13">
<!-- SPDX-License-Identifier: Apache-2.0 -->
<rect width="100%%" height="100%%" fill="white"/>
`, height*(len(used)+len(added)+3))
	y := height
	for _, chart := range []struct {
		title string
		bars  []bar
	}{{"CPU of the proxy for 1,000 messages", used}, {"what it adds to a send, p50", added}} {
		fmt.Fprintf(&b, `<text x="10" y="%d" font-weight="bold">%s</text>`+"\n", y, chart.title)
		most := 0.0
		for _, each := range chart.bars {
			most = max(most, each.value)
		}
		for _, each := range chart.bars {
			y += height
			width := 1.0
			if most > 0 {
				width = max(1, 440*each.value/most)
			}
			fmt.Fprintf(&b, `<text x="130" y="%d" text-anchor="end">%s</text><rect x="140" y="%d" width="%.0f" height="16" fill="#4878a8"/><text x="%.0f" y="%d">%s</text>`+"\n",
				y, each.name, y-13, width, 148+width, y, each.label)
		}
		y += height + height/2
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// bar is one of a picture.
type bar struct {
	name  string
	value float64
	label string
}
