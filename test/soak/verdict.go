// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// result is soak.json.
type result struct {
	Verdict    string
	Problems   []string
	Began      time.Time
	Duration   string
	Wave       string
	Rate       int
	Seed       uint64
	Trends     map[string]trend // after the warm-up; units as in the verdict
	SampleHead []string
	Samples    [][]float64
}

// write judges the trends, writes the results and prints the verdict.
func (r *run) write() error {
	trends := map[string]trend{}
	var slopes []string
	// Whole waves, so that rising and falling weigh the same.
	from, to := r.wave, r.duration/r.wave*r.wave
	for f, d := range definitions {
		if d.bound == 0 {
			continue
		}
		t := trendOf(r.samples, figure(f), from, to)
		trends[d.name] = t
		slopes = append(slopes, fmt.Sprintf("%s %+.1f/h", d.title, t.PerHour))
		if t.Growth > d.bound {
			r.problem("%s has grown by %.1f between %s and %s, more than %.0f", d.title, t.Growth, from, to, d.bound)
		}
	}
	last := r.samples[len(r.samples)-1].Figures
	verdict := fmt.Sprintf("soak: %s, %d violations, %.0f messages, %.0f visits, slopes: %s",
		r.duration, len(r.problems), last[sent], last[visits], strings.Join(slopes, ", "))
	text := ""
	for _, p := range r.problems {
		text += "not ok: " + p + "\n"
	}
	text += verdict + "\n"
	all := result{
		Verdict: verdict, Problems: r.problems, Began: r.begin.UTC().Truncate(time.Second), Duration: r.duration.String(), Wave: r.wave.String(),
		Rate: r.rate, Seed: r.seed, Trends: trends, SampleHead: []string{"seconds"},
	}
	for _, d := range definitions {
		all.SampleHead = append(all.SampleHead, d.name)
	}
	for _, s := range r.samples {
		all.Samples = append(all.Samples, append([]float64{s.Time.Seconds()}, s.Figures[:]...))
	}
	document, err := json.Marshal(all)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"soak.json": document, "soak.svg": []byte(draw(r.samples, verdict)), "verdict.txt": []byte(text),
	} {
		if err := os.WriteFile(filepath.Join(r.out, name), content, 0o644); err != nil {
			return err
		}
	}
	fmt.Print(text)
	return nil
}
