// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

const (
	realRateGoal = 3.0 // times RocketMQ Proxy's messages per second
	asDirect     = 0.95
	realCPUGoal  = 0.2
	addedGoal    = 0.25
)

func (r *realReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %d threads that send as fast as answers come; %d messages a second\n\n", realThreads, calmRate)
	b.WriteString("| path | messages/s | send RT p50 µs | p99 µs | CPU s per 1,000 messages | RSS MB | calm: send RT p50 µs | p99 µs | end to end p50 µs | p99 µs |\n")
	b.WriteString("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, row := range r.Rows {
		used, rss := "–", "–"
		if row.CPU != nil {
			used = fmt.Sprintf("%.3f [%.3f-%.3f]", row.CPU.Median/1e3, row.CPU.Min/1e3, row.CPU.Max/1e3)
			rss = fmt.Sprintf("%.0f", row.RSS)
		}
		fmt.Fprintf(&b, "| %s | %.0f [%.0f-%.0f] | %.0f | %.0f | %s | %s | %.0f | %.0f | %.0f | %.0f |\n", row.Variant,
			row.Rate.Median, row.Rate.Min, row.Rate.Max, row.BusyP50.Median, row.BusyP99.Median, used, rss,
			row.P50.Median, row.P99.Median, row.EndToEndP50, row.EndToEndP99)
	}
	return b.String()
}

// row finds a path; nil if it was not measured.
func (r *realReport) row(v variant) *realRow {
	for i := range r.Rows {
		if r.Rows[i].Variant == v {
			return &r.Rows[i]
		}
	}
	return nil
}

func (r *realReport) verdicts() (all []verdict) {
	theirs, without := r.row(rocketmqProxy), r.row(direct)
	if theirs == nil || without == nil {
		return nil
	}
	for _, ours := range r.Rows {
		if !ours.Variant.ours() {
			continue
		}
		ratio := func(f func(a, b realMeasurement) float64, other *realRow) spread {
			var values []float64
			for i := range ours.Rounds {
				values = append(values, f(ours.Rounds[i], other.Rounds[i]))
			}
			return spreadOf(values)
		}
		rates := func(a, b realMeasurement) float64 { return a.Rate / b.Rate }
		rate := atLeast(fmt.Sprintf("messages/s to RocketMQ Proxy's, %s:", ours.Variant), ratio(rates, theirs), realRateGoal)
		// Where direct clients are no faster, it is not the proxy that limits.
		toDirect := ratio(rates, without)
		rate.Goal += fmt.Sprintf(", or ≥ %.2f of direct", asDirect)
		rate.Measured += fmt.Sprintf(", of direct %s", toDirect.ratio())
		rate.Met = rate.Met || toDirect.Median >= asDirect
		all = append(all, rate,
			atMost(fmt.Sprintf("CPU per message to RocketMQ Proxy's, %s:", ours.Variant),
				ratio(func(a, b realMeasurement) float64 { return a.CPU / b.CPU }, theirs), realCPUGoal),
			added("send RT", ours.Variant, ours.P50.Median, theirs.P50.Median, without.P50.Median),
			added("end to end", ours.Variant, ours.EndToEndP50, theirs.EndToEndP50, without.EndToEndP50))
	}
	return all
}

// added judges what a path adds to the latency of direct clients, in microseconds, beside what RocketMQ Proxy adds.
func added(what string, v variant, ours, theirs, without float64) verdict {
	mine, other := max(ours-without, 0), max(theirs-without, 0)
	return verdict{
		fmt.Sprintf("added latency (%s, p50) to RocketMQ Proxy's, %s:", what, v),
		fmt.Sprintf("%.0f µs of %.0f µs", mine, other), fmt.Sprintf("≤ %.2f", addedGoal), mine <= addedGoal*other,
	}
}
