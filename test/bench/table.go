// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
)

func printHeading(w io.Writer) {
	fmt.Fprintf(w, "%-7s %-15s  %8s %-17s  %7s %8s %8s  %7s %6s %6s  %s\n",
		"C×N", "path", "req/s", "[min-max]", "p50 µs", "p99", "p99.9", "CPU µs", "switch", "RSS MB", "to tcp_proxy: req/s, CPU, p99 [min-max]")
}

func printRows(w io.Writer, rows []row) {
	for _, r := range rows {
		fmt.Fprintf(w, "%-7s %-15s  %8.0f %-17s  %7.0f %8.0f %8.0f  ", r.cell, r.Variant, r.Rate.Median,
			fmt.Sprintf("[%.0f-%.0f]", r.Rate.Min, r.Rate.Max), r.P50.Median, r.P99.Median, r.P999.Median)
		if e := r.Envoy; e != nil {
			fmt.Fprintf(w, "%7.2f %6.2f %6.0f  ", e.CPU.Median, e.Switches.Median, e.RSS.Median)
		} else {
			fmt.Fprintf(w, "%7s %6s %6s  ", "-", "-", "-")
		}
		if q := r.Ratios; q != nil {
			cpu := "-"
			if q.CPU != nil {
				cpu = q.CPU.ratio()
			}
			fmt.Fprintf(w, "%s, %s, %s", q.Rate.ratio(), cpu, q.P99.ratio())
		}
		fmt.Fprintln(w)
	}
}

// ratio formats a ratio, as "0.97 [0.95-1.02]".
func (s spread) ratio() string { return fmt.Sprintf("%.2f [%.2f-%.2f]", s.Median, s.Min, s.Max) }
