// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/bench/usage"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// benchmark is one run of the whole program.
type benchmark struct {
	opt   options
	root  string // of the repository
	self  string // this program's file
	envoy string // Envoy's file
	dir   string // for configs and logs; gone at the end
	ports ports
	stub  *stubProcess
}

var errBusy = errors.New("the machine is busy")

// bench measures everything and writes the reports.
func bench(ctx context.Context, opt options) error {
	load, err := usage.LoadAverage()
	if err != nil {
		return err
	}
	if load > opt.maxLoad && !opt.force {
		return fmt.Errorf("%w: the load average is %.2f, and figures mean little above %.2f. Wait, or set FORCE=1", errBusy, load, opt.maxLoad)
	}
	if d := opt.duration(); d > opt.limit {
		return fmt.Errorf("this would take about %s, more than -limit %s", d.Round(time.Second), opt.limit)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opt.limit, fmt.Errorf("gave up after -limit %s", opt.limit))
	defer cancel()
	b := &benchmark{opt: opt}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	r := &report{Started: time.Now(), Command: opt.command, LoadBefore: load, Quick: opt.quick, WarmUp: opt.warmUp, Window: opt.window, RoundCount: opt.rounds}
	r.Machine, r.Versions = describeMachine(), b.versions(ctx)
	fmt.Printf("%s, %s; load average %.2f; about %s\n", r.Machine, r.Versions, load, opt.duration().Round(time.Second))
	if b.stub, err = startStub(b.self, b.root, b.dir); err != nil {
		return err
	}
	defer b.stub.stop()
	for _, concurrency := range opt.concurrency {
		if err := b.measureAll(ctx, concurrency, r); err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return err
		}
	}
	r.Took = time.Since(r.Started)
	if err := b.write(r); err != nil {
		return err
	}
	printVerdicts(os.Stdout, r.verdicts())
	return nil
}

// prepare finds or fetches what is needed.
func (b *benchmark) prepare(ctx context.Context) error {
	var err error
	if b.root, err = world.Root(); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.opt.modules == "" {
		b.opt.modules = filepath.Join(b.root, "out")
	}
	for _, v := range b.opt.variants {
		if !v.ours() {
			continue
		}
		for _, name := range moduleFiles {
			if _, err := os.Stat(filepath.Join(b.opt.modules, name)); err != nil {
				return fmt.Errorf("%w: run `make build` first", err)
			}
		}
	}
	cache := os.Getenv("ROCKETMQ_PROXY_CACHE")
	if cache == "" {
		cache = filepath.Join(b.root, ".cache")
	}
	b.envoy = filepath.Join(cache, "envoy", b.opt.envoyVersion, "envoy")
	if _, err := os.Stat(b.envoy); err != nil {
		fetch := exec.CommandContext(ctx, filepath.Join(b.root, "build", "fetch.sh"), "envoy")
		fetch.Env = append(os.Environ(), "ENVOY_VERSION="+b.opt.envoyVersion)
		fetch.Stderr = os.Stderr
		if err := fetch.Run(); err != nil {
			return fmt.Errorf("build/fetch.sh envoy: %w", err)
		}
	}
	b.dir, err = os.MkdirTemp("", "rocketmq-bench-")
	return err
}

// measureAll starts an Envoy for each path, measures the matrix, and ends the Envoys.
func (b *benchmark) measureAll(ctx context.Context, concurrency int, r *report) error {
	var paths []*path
	defer func() {
		for _, p := range paths {
			if p.envoy != nil {
				p.envoy.stop()
			}
		}
	}()
	for _, v := range b.opt.variants {
		p, err := b.startPath(ctx, v, concurrency)
		if err != nil {
			return err
		}
		paths = append(paths, p)
		// Once before it counts: the filter learns the brokers, and a path that does not work is found early.
		if _, err := b.measure(ctx, p, b.opt.workloads[0], cell{1, 1}, 0, 50*time.Millisecond); err != nil {
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
			if all[i][k], err = b.measure(ctx, paths[k], w, c, b.opt.warmUp, b.opt.window); err != nil {
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

// measure runs the load generator once. The stub must have answered exactly as many requests as were made.
func (b *benchmark) measure(ctx context.Context, p *path, w workload, c cell, warmUp, window time.Duration) (m measurement, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	before, err := b.stub.counts()
	if err != nil {
		return m, err
	}
	argv := []string{
		b.self, "load", "-root", b.root, "-addr", p.addr.String(), "-stub", strconv.Itoa(b.stub.pid()),
		"-request", w.Request, "-body", strconv.Itoa(w.Body),
		"-connections", strconv.Itoa(c.Connections), "-in-flight", strconv.Itoa(c.InFlight),
		"-warmup", warmUp.String(), "-window", window.String(),
	}
	if p.envoy != nil {
		argv = append(argv, "-envoy", strconv.Itoa(p.envoy.pid()))
	}
	what := fmt.Sprintf("%s, %s, %s", p.variant, w.Name, c)
	var out bytes.Buffer
	load, err := start(b.dir, "load", nil, nil, &out, argv...)
	if err != nil {
		return m, err
	}
	if err := load.wait(ctx); err != nil {
		if p.envoy != nil && !p.envoy.running() {
			err = errors.Join(err, p.envoy.failure(errors.New("it has ended")))
		}
		return m, fmt.Errorf("%s: %w", what, err)
	}
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		return m, fmt.Errorf("%s: %w", what, err)
	}
	after, err := b.stub.counts()
	if err != nil {
		return m, err
	}
	p.total += m.Total
	if got := after.Sends + after.Pulls - before.Sends - before.Pulls; got != m.Total || after.Refused != before.Refused {
		return m, fmt.Errorf("%s: %d requests were made, the stub answered %d and refused %d", what, m.Total, got, after.Refused-before.Refused)
	}
	return m, nil
}
