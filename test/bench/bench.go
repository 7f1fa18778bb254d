// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/usage"
)

// benchmark is one run of the whole program.
type benchmark struct {
	opt   options
	root  string // of the repository
	self  string // this program's file
	dir   string // for configs and logs; gone at the end
	ports ports

	// envoyCosts is Envoy's CPU per request, in nanoseconds, that the synthetic part has found, by the name of the
	// benchmark of a session that does the same.
	envoyCosts map[string]float64
}

var errBusy = errors.New("the machine is busy")

// calmDown is how long quiet waits. What built this program, just before, shows in a load average of one minute.
const calmDown = 3 * time.Minute

// quiet waits until the machine is not busy, and returns its load average. Unless -force is set the error is errBusy where
// that takes longer than calmDown.
func quiet(ctx context.Context, opt options) (float64, error) {
	said := false
	for deadline := time.Now().Add(calmDown); ; {
		load, err := usage.LoadAverage()
		switch {
		case err != nil || load <= opt.maxLoad || opt.force:
			return load, err
		case time.Now().After(deadline):
			return 0, fmt.Errorf("%w: the load average is %.2f, and figures mean little above %.2f. Wait, or say FORCE=1 (-force)", errBusy, load, opt.maxLoad)
		case !said:
			said = true
			fmt.Printf("waiting until the load average, %.2f, is below %.2f ...\n", load, opt.maxLoad)
		}
		select {
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// bench measures everything and writes the reports.
func bench(ctx context.Context, opt options) error {
	load, err := quiet(ctx, opt)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opt.limit, fmt.Errorf("gave up after -limit %s", opt.limit))
	defer cancel()
	b := &benchmark{opt: opt}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	r := &report{Started: time.Now(), Command: opt.command, LoadBefore: load, Quick: opt.quick, Parts: map[string]finding{}}
	r.Machine, r.Versions = describeMachine(), b.versions(ctx)
	fmt.Printf("%s, %s; load average %.2f\n", r.Machine, r.Versions, load)
	for _, p := range opt.parts {
		fmt.Printf("\n== %s\n", p.name)
		began := time.Now()
		f, err := p.run(ctx, b)
		if err != nil {
			// What the parts before have found stays good.
			return errors.Join(fmt.Errorf("%s: %w", p.name, err), b.write(r))
		}
		r.Parts[p.name] = f
		fmt.Printf("(%s took %s)\n", p.name, time.Since(began).Round(time.Second))
	}
	if err := b.write(r); err != nil {
		return err
	}
	printVerdicts(os.Stdout, r.Targets)
	return nil
}

// prepare finds or fetches what is needed.
func (b *benchmark) prepare(ctx context.Context) error {
	var err error
	if b.root, err = repo.Root(); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.opt.modules == "" {
		if b.opt.modules, err = repo.Modules(); err != nil {
			return err
		}
	}
	for _, dir := range []string{b.opt.modules, b.opt.baseModules} {
		for _, name := range moduleFiles {
			if _, err := os.Stat(filepath.Join(dir, name)); dir != "" && err != nil {
				return fmt.Errorf("%w: run `make build` first", err)
			}
		}
	}
	if err := repo.Fetch(ctx, b.opt.envoyVersion, "envoy"); err != nil {
		return err
	}
	b.dir, err = os.MkdirTemp("", "rocketmq-bench-")
	return err
}

// measure runs the load generator once; each of its connections has `held` long polls beside. The stub must have
// answered exactly as many requests as were made.
func (b *benchmark) measure(ctx context.Context, p *path, w workload, c cell, held int, warmUp, window time.Duration) (m measurement, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	before, err := p.stub.counts()
	if err != nil {
		return m, err
	}
	addr := p.addr
	if w.NameServer {
		addr = p.nameServer
	}
	var requests []string
	for _, r := range w.Requests {
		requests = append(requests, r.String())
	}
	argv := []string{
		b.self, "load", "-addr", addr.String(), "-stub", strconv.Itoa(p.stub.Pid()),
		"-requests", strings.Join(requests, ","), "-held", strconv.Itoa(held),
		"-connections", strconv.Itoa(c.Connections), "-in-flight", strconv.Itoa(c.InFlight),
		"-warmup", warmUp.String(), "-window", window.String(),
	}
	if p.envoy != nil {
		argv = append(argv, "-envoy", strconv.Itoa(p.envoy.Pid()))
	}
	what := fmt.Sprintf("%s, %s, %s", p.variant, w.Title, c)
	var out bytes.Buffer
	load, err := start(b.dir, "load", nil, &out, argv...)
	if err != nil {
		return m, err
	}
	if err := load.Wait(ctx); err != nil {
		if p.envoy != nil && !p.envoy.Running() {
			err = errors.Join(err, p.envoy.Failure(errors.New("it has ended")))
		}
		return m, fmt.Errorf("%s: %w", what, err)
	}
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		return m, fmt.Errorf("%s: %w", what, err)
	}
	after, err := p.stub.counts()
	if err != nil {
		return m, err
	}
	got := after.Since(before)
	if n := got.Sends + got.Pulls + got.Routes; n != m.Total || got.Held != int64(held*c.Connections) || got.Refused != 0 {
		return m, fmt.Errorf("%s: %d requests were made, and the stub answered %d, held %d and refused %d", what, m.Total, n, got.Held, got.Refused)
	}
	p.total += m.Total + got.Held
	return m, nil
}
