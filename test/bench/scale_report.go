// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
)

// scaleReport is the part "scale".
type scaleReport struct {
	Rows []scaleRow `json:"rows"`
}

func (b *benchmark) scale(ctx context.Context) (finding, error) {
	r := &scaleReport{}
	for _, l := range ladders {
		if b.opt.quick {
			if !l.target {
				continue
			}
			l.levels, l.workloads = []int{l.levels[0], l.levels[len(l.levels)-1]}, l.workloads[:1]
		}
		rows, err := b.climb(ctx, l)
		if err != nil {
			return nil, err
		}
		r.Rows = append(r.Rows, rows...)
		fmt.Print(l.markdown(rows))
	}
	return r, nil
}

// rows are those of one ladder.
func (r *scaleReport) rows(l ladder) (all []scaleRow) {
	for _, row := range r.Rows {
		if row.Ladder == l.Name {
			all = append(all, row)
		}
	}
	return all
}

func (r *scaleReport) markdown() string {
	var b strings.Builder
	for _, l := range ladders {
		if rows := r.rows(l); len(rows) > 0 {
			b.WriteString(l.markdown(rows))
		}
	}
	return b.String()
}

const (
	eachGoal = 8.0  // KiB of an idle connection above tcp_proxy's
	baseGoal = 25.0 // 10^6 bytes of plugin and host
	flatGoal = 1.1
)

func (r *scaleReport) verdicts() (all []verdict) {
	for _, l := range ladders {
		rows := r.rows(l)
		for i, row := range rows {
			if !row.Variant.ours() {
				continue
			}
			least := rows[i%len(l.variants)]
			if l.Name == "connections" {
				yardstick := rows[i-i%len(l.variants)] // tcp_proxy comes first
				switch row.Level {
				case least.Level:
					base := row.RSS - yardstick.RSS
					all = append(all, verdict{
						fmt.Sprintf("memory of plugin and host, %s:", row.Variant), fmt.Sprintf("%.1f MB", base), fmt.Sprintf("≤ %.0f MB", baseGoal), base <= baseGoal,
					})
				case rows[len(rows)-1].Level:
					each := row.eachAbove(least) - yardstick.eachAbove(rows[0])
					all = append(all, verdict{
						fmt.Sprintf("memory of an idle connection above tcp_proxy's, %s, %d of them:", row.Variant, row.Level),
						fmt.Sprintf("%.1f KiB", each), fmt.Sprintf("≤ %.0f KiB", eachGoal), each <= eachGoal,
					})
				}
			}
			if row.Level == rows[len(rows)-1].Level {
				send := row.Loads[0]
				all = append(all, atMost(fmt.Sprintf("CPU per request with %d %s to that with %d, %s:", row.Level, l.Name, least.Level, row.Variant), send.Growth, flatGoal))
			}
		}
	}
	return all
}

// markdown is the table of one ladder.
func (l ladder) markdown(rows []scaleRow) string {
	var b strings.Builder
	columns := []string{l.Name, "path", "RSS MB"}
	switch l.Name {
	case "connections":
		columns = append(columns, "RSS KiB per connection", "CPU µs per heartbeat", "idle, cores")
	case "topics":
		columns = append(columns, "CPU µs per topic learned")
	case "brokers":
		columns = append(columns, "CPU µs per refresh")
	}
	for i := range rows[0].Loads {
		columns = append(columns, "CPU µs per "+l.workloads[i].code(), "to the least level", "p99 µs")
	}
	fmt.Fprintf(&b, "\n### %s\n\n| %s |\n| ---", capital(l.Title), strings.Join(columns, " | "))
	b.WriteString(" | ---" + strings.Repeat(" | --:", len(columns)-2) + " |\n")
	for i, r := range rows {
		cells := []string{fmt.Sprint(r.Level), string(r.Variant), fmt.Sprintf("%.1f", r.RSS)}
		switch l.Name {
		case "connections":
			each := "–"
			if least := rows[i%len(l.variants)]; r.Level > least.Level {
				each = fmt.Sprintf("%.1f", r.eachAbove(least))
			}
			cells = append(cells, each, fmt.Sprintf("%.1f", r.Heartbeat), fmt.Sprintf("%.3f", r.Idle))
		case "topics":
			cells = append(cells, fmt.Sprintf("%.1f", r.Learn))
		case "brokers":
			cells = append(cells, fmt.Sprintf("%.0f", r.Refresh))
		}
		for _, load := range r.Loads {
			cells = append(cells, fmt.Sprintf("%.2f", load.CPU.Median), load.Growth.ratio(), fmt.Sprintf("%.0f", load.P99.Median))
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	return b.String()
}

// eachAbove is the memory in KiB that each connection has cost since the least level.
func (r scaleRow) eachAbove(least scaleRow) float64 {
	return (r.RSS - least.RSS) * 1e6 / 1024 / float64(r.Level-least.Level)
}

// code is the name of a workload's request.
func (w workload) code() string {
	code, _, _ := strings.Cut(w.Title, ",")
	return code
}
