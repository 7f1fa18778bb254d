// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// syntheticReport is the part "synthetic": the limits of the paths, with a broker that does no work.
type syntheticReport struct {
	RoundCount int           `json:"round_count"`
	WarmUp     time.Duration `json:"warm_up_ns"`
	Window     time.Duration `json:"window_ns"`
	Rows       []row         `json:"rows"`
}

func (b *benchmark) synthetic(ctx context.Context) (finding, error) {
	r := &syntheticReport{RoundCount: b.opt.rounds, WarmUp: b.opt.warmUp, Window: b.opt.window}
	stub, err := startStub(b.self, b.dir, 1)
	if err != nil {
		return nil, err
	}
	defer stub.Stop()
	for _, concurrency := range b.opt.concurrency {
		if err := b.measureAll(ctx, stub, concurrency, r); err != nil {
			return nil, err
		}
	}
	b.envoyCosts = r.sessionCosts()
	return r, nil
}

// sessionCosts are what requests cost Envoy, in nanoseconds, where a benchmark of package session does the same.
func (r *syntheticReport) sessionCosts() map[string]float64 {
	names := map[variant]string{perBroker: "chained", unified: "unified"}
	costs := map[string]float64{}
	for _, row := range r.Rows {
		if name := names[row.Variant]; name != "" && row.Workload == send300.Title && row.Connections == 16 && row.Concurrency == 1 {
			costs[fmt.Sprintf("%s/send/%d", name, row.InFlight)] = row.Envoy.CPU.Median * 1e3
		}
	}
	return costs
}

// measureAll starts an Envoy for each path, measures the matrix, and ends the Envoys.
func (b *benchmark) measureAll(ctx context.Context, stub *stubProcess, concurrency int, r *syntheticReport) error {
	var paths []*path
	defer func() {
		for _, p := range paths {
			p.stop()
		}
	}()
	for _, v := range b.opt.variants {
		p, err := b.startPath(ctx, v, stub, concurrency)
		if err != nil {
			return err
		}
		paths = append(paths, p)
		// Once before it counts: the filter learns the brokers, and a path that does not work is found early.
		if _, err := b.measure(ctx, p, b.opt.workloads[0], cell{1, 1}, 0, 0, 50*time.Millisecond); err != nil {
			return err
		}
	}
	printHeading(os.Stdout)
	for _, w := range b.opt.workloads {
		for _, c := range b.opt.cells {
			rounds, err := b.rounds(ctx, paths, w, c)
			if err != nil {
				return err
			}
			rows := summarize(point{Concurrency: concurrency, Workload: w.Title, cell: c}, b.opt.variants, rounds)
			r.Rows = append(r.Rows, rows...)
			printRows(os.Stdout, rows)
		}
	}
	for _, p := range paths {
		if err := p.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rounds measures each path once a round; result[i][k] is path k in round i.
func (b *benchmark) rounds(ctx context.Context, paths []*path, w workload, c cell) ([][]measurement, error) {
	all := make([][]measurement, b.opt.rounds)
	for i := range all {
		all[i] = make([]measurement, len(paths))
		for _, k := range order(i, len(paths)) {
			var err error
			if all[i][k], err = b.measure(ctx, paths[k], w, c, 0, b.opt.warmUp, b.opt.window); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// order is the order of n paths in round i: each round begins with another one, and every second goes backwards.
func order(i, n int) []int {
	all := make([]int, n)
	for k := range all {
		all[k] = (i + k) % n
		if i%2 == 1 {
			all[k] = (i + n - k) % n
		}
	}
	return all
}
