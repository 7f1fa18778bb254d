// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// lacking is what a program says of a scenario that it does not have.
const lacking = "lacking"

// outcome is what a program says of a scenario.
type outcome struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"` // works, failed or lacking
	Detail  string `json:"detail"`
	Code    int    `json:"code"`
	Remark  string `json:"remark"`
	Millis  int64  `json:"ms"`
}

// cell is a place in the matrix.
type cell struct {
	scenario, client string
	way              way
}

// result is an outcome held against what was expected.
type result struct {
	cell
	outcome  outcome
	expected expectation
	problem  string // why it is a FAIL; empty if it is none
	first    string // what came of the first try, if this is the second
}

// word is what the table on stdout shows.
func (r result) word() string {
	if r.problem != "" {
		return "FAIL"
	}
	return r.expected.kind.String()
}

// judge tells what is wrong with an outcome, or nothing.
func judge(o outcome, want expectation) string {
	got := o.Detail
	if o.Outcome != "failed" {
		got = "it is " + o.Outcome
	}
	switch want.kind {
	case works:
		if o.Outcome != "works" {
			return got
		}
	case refused, denied:
		if o.Outcome != "failed" || o.Code != want.code || !strings.Contains(o.Remark, want.remark) {
			return fmt.Sprintf("expected to be %s with %d, %q; %s", want.kind, want.code, want.remark, got)
		}
	case fails:
		if o.Outcome != "failed" || !strings.Contains(o.Detail, want.detail) {
			return fmt.Sprintf("expected to fail with %q (%s); %s", want.detail, want.reason, got)
		}
	case lacks:
		if o.Outcome != lacking {
			return "expected to be lacking (" + want.reason + "); " + got
		}
	}
	return ""
}

// results of a run; may be used by several goroutines.
type results struct {
	mu    sync.Mutex
	all   map[cell]result
	order []cell
	out   func(result)
}

func newResults(out func(result)) *results {
	return &results{all: map[cell]result{}, out: out}
}

func (r *results) add(c cell, o outcome, want expectation) {
	res := result{cell: c, outcome: o, expected: want, problem: judge(o, want)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, ok := r.all[c]; ok {
		res.first = before.outcome.Detail
		if res.first == "" {
			res.first = before.problem
		}
	} else {
		r.order = append(r.order, c)
	}
	r.all[c] = res
	r.out(res)
}

// isWrong tells whether a cell is there and came out otherwise than expected.
func (r *results) isWrong(c cell) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[c].problem != ""
}

func printResult(r result) {
	why := r.problem
	if r.first != "" {
		why = "(second try) " + why
	}
	if why == "" && r.expected.kind != works {
		why = r.expected.why()
	}
	fmt.Printf("%-10s %-18s %-20s %-10s %5.1fs  %s\n", r.way, r.client, r.scenario, r.word(),
		(time.Duration(r.outcome.Millis) * time.Millisecond).Seconds(), shorten(why, 160))
}

func shorten(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// sum is how many cells came out how. What the broker itself refuses, as it should, works.
type sum struct{ works, refused, impossible, fail int }

func (r *results) sum() sum {
	var s sum
	for _, res := range r.all {
		switch {
		case res.problem != "":
			s.fail++
		case res.expected.kind == works, res.expected.kind == denied:
			s.works++
		case res.expected.kind == refused:
			s.refused++
		default:
			s.impossible++
		}
	}
	return s
}

func printFailures(out io.Writer, r *results) {
	for _, c := range r.order {
		if res := r.all[c]; res.problem != "" {
			fmt.Fprintf(out, "FAIL %s, %s, %s: %s\n", c.way, c.client, c.scenario, shorten(res.problem, 400))
		}
	}
	for _, c := range r.order {
		if res := r.all[c]; res.problem == "" && res.first != "" {
			fmt.Fprintf(out, "second try %s, %s, %s; the first: %s\n", c.way, c.client, c.scenario, shorten(res.first, 300))
		}
	}
}
