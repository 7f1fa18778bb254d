// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/visitor"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const (
	queuesPerBroker = 4
	// drainLimit is how long consumers may be without a message before what is missing counts as lost.
	drainLimit = 30 * time.Second
	// endLimit bounds everything after the load.
	endLimit = 5 * time.Minute
)

// run is a soak at work.
type run struct {
	options
	*world.World
	begin    time.Time
	pairs    []*world.Pair
	visitors *visitor.Visitors
	samples  []sample
	csv      *os.File
	problems []string
}

func (r *run) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// soak does it all and returns the number of violations.
func soak(ctx context.Context, o options) (violations int, err error) {
	if err := repo.Fetch(ctx, o.EnvoyVersion); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return 0, err
	}
	topics := world.PairTopics(queuesPerBroker, loads...)
	topics[visitor.Topic] = 1
	w, err := world.Start(ctx, world.Options{
		Mode: world.SideBySide, Topics: topics, EnvoyVersion: o.EnvoyVersion, ModuleDir: o.ModuleDir,
		BrokerConfig: map[string]string{
			// So late that a broker on a busy machine does not ask about what has just been committed.
			"transactionCheckInterval": "10000", "transactionTimeOut": "20000",
			// Nobody sends delayed messages, and writing down once a second that there are none takes a sixth of a core.
			"timerWheelEnable": "false",
		},
	})
	if err != nil {
		return 0, err
	}
	defer func() {
		if e := w.Stop(); e != nil && err == nil {
			err = e
		}
	}()
	r := &run{options: o, World: w}
	if r.csv, err = os.Create(filepath.Join(o.out, "samples.csv")); err != nil {
		return 0, err
	}
	defer r.csv.Close()
	if err := r.load(ctx); err != nil {
		_ = w.WriteLogs(os.Stderr, 15)
		return 0, err
	}
	if err := r.finish(); err != nil {
		return 0, err
	}
	return len(r.problems), r.write()
}

var loads = []world.Load{world.Plain, world.Ordered, world.Transactions}

// load starts the clients and samples until the duration is over or ctx ends.
func (r *run) load(ctx context.Context) error {
	var err error
	r.pairs, err = r.StartPairs(ctx, world.PairOptions{
		Ways: r.ProxiedWays(), Loads: loads, Queues: queuesPerBroker * len(r.Brokers),
		Producer: []string{
			"--rate", strconv.Itoa(r.rate), "--wave", strconv.Itoa(int(r.wave.Seconds())),
			"--send-timeout", "20000", // so that no client on a busy machine sends twice
		},
		// Every thread that a JVM starts to be quick makes the machine less useful to others.
		Flags: []string{"-XX:TieredStopAtLevel=1", "-XX:CICompilerCount=1"},
	})
	if err != nil {
		return err
	}
	r.visitors = visitor.Start(r.World, r.visits, r.seed, false)
	r.begin = time.Now()
	fmt.Printf("soak: seed %d, %s, waves of %s, results in %s\n", r.seed, r.duration, r.wave, r.out)
	end := time.After(r.duration)
	ticker := time.NewTicker(r.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := r.sample(ctx); err != nil {
				return err
			}
		case <-end:
			return nil
		case <-ctx.Done():
			r.problem("interrupted after %s", time.Since(r.begin).Round(time.Second))
			return nil
		case <-r.Envoy().Done():
			return fmt.Errorf("envoy ended: %w", r.Envoy().Err())
		}
	}
}

// finish ends all clients in good order and looks at what they leave.
func (r *run) finish() error {
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	r.visitors.Stop()
	for _, p := range r.pairs {
		if err := p.Producer.Rest(); err != nil {
			return err
		}
	}
	for _, p := range r.pairs {
		r.finishPair(ctx, p)
	}
	for _, failure := range r.visitors.Failures() {
		r.problem("visitor: %s", failure)
	}
	notZero, err := r.AwaitIdle(ctx, r.ProxiedWays()...)
	if err != nil {
		return err
	}
	for _, gauge := range notZero {
		r.problem("nobody is left, but %s", gauge)
	}
	lines, err := r.EnvoyErrors()
	if err != nil {
		return err
	}
	for _, line := range lines {
		r.problem("Envoy's log: %s", line)
	}
	return r.sample(ctx)
}

func (r *run) finishPair(ctx context.Context, p *world.Pair) {
	sums := p.Drained(ctx, drainLimit)
	for _, client := range []*world.Java{p.Producer, p.Consumer} {
		end, err := client.Finish(ctx)
		if err != nil {
			r.problem("%v", err)
		}
		if end.Corrupt > 0 {
			r.problem("%s: %d messages arrived with other bytes than were sent", p.Name(), end.Corrupt)
		}
		if client == p.Producer && end.Failed > 0 {
			r.problem("%s: %d sends failed, the last with %s", p.Name(), end.Failed, end.Error)
		}
	}
	if sums.Lost() > 0 || sums.Duplicated > 0 || sums.Bad > 0 || sums.Sent == 0 {
		r.problem("%s: %v, %d unreadable records; lost %v, repeated %q", p.Name(), sums, sums.Bad, p.Lost(10), p.Repeats())
	}
	if p.Load == world.Ordered {
		for _, line := range p.Disorder() {
			r.problem("%s: out of order: %s", p.Name(), line)
		}
	}
}
