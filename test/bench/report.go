// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// report is everything that was found. Its JSON is for later comparisons.
type report struct {
	Started    time.Time     `json:"started"`
	Took       time.Duration `json:"took_ns"`
	Command    string        `json:"command"`
	Quick      bool          `json:"quick"`
	Machine    machine       `json:"machine"`
	Versions   versions      `json:"versions"`
	LoadBefore float64       `json:"load_average_before"`
	RoundCount int           `json:"round_count"`
	WarmUp     time.Duration `json:"warm_up_ns"`
	Window     time.Duration `json:"window_ns"`
	Rows       []row         `json:"rows"`
}

// write writes the JSON and, except for a quick run, the Markdown.
func (b *benchmark) write(r *report) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	file := b.opt.json
	if file == "" {
		file = filepath.Join(b.root, "out", "bench", r.Started.UTC().Format("2006-01-02T150405Z")+".json")
	}
	if err := writeFile(file, append(text, '\n')); err != nil {
		return err
	}
	file = b.opt.markdown
	if file == "" {
		if b.opt.partial {
			return nil
		}
		file = filepath.Join(b.root, "docs", "PERFORMANCE.md")
	}
	return writeFile(file, []byte(r.markdown()))
}

func writeFile(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return err
	}
	fmt.Printf("wrote %s\n", file)
	return nil
}

func printHeading(w io.Writer) {
	fmt.Fprintf(w, "%-7s %-10s  %8s %-17s  %7s %8s %8s  %7s %6s %6s  %s\n",
		"C×N", "path", "req/s", "[min-max]", "p50 µs", "p99", "p99.9", "CPU µs", "switch", "RSS MB", "to tcp_proxy: req/s, CPU, p99 [min-max]")
}

func printRows(w io.Writer, rows []row) {
	for _, r := range rows {
		fmt.Fprintf(w, "%-7s %-10s  %8.0f %-17s  %7.0f %8.0f %8.0f  ", r.cell, r.Variant, r.Rate.Median,
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
