// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/answers"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/fault"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/visitor"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const (
	queuesPerBroker = 4
	startLimit      = 4 * time.Minute
	endLimit        = 3 * time.Minute
	visits          = 2 // per second
	wired           = "broker-b"
)

// run is a chaos at work.
type run struct {
	options
	*world.World
	random   *rand.Rand
	answers  answers.Checker
	pairs    []*world.Pair
	visitors *visitor.Visitors
	watch    *world.Watch
	outcomes []row
	// What was told already.
	wrongAnswers, errorLines int
	violations               int
}

func (r *run) violation(where, format string, args ...any) {
	r.violations++
	fmt.Printf("not ok: %s: %s\n", where, fmt.Sprintf(format, args...))
}

// chaos does it all and returns the number of violations.
func chaos(ctx context.Context, o options) (violations int, err error) {
	if err := repo.Fetch(ctx, o.EnvoyVersion); err != nil {
		return 0, err
	}
	r := &run{options: o, random: rand.New(rand.NewPCG(o.seed, 0))}
	if o.shuffle {
		r.random.Shuffle(len(r.faults), func(i, j int) { r.faults[i], r.faults[j] = r.faults[j], r.faults[i] })
	}
	fmt.Printf("chaos: seed %d, %d faults\n", o.seed, len(r.faults))
	topics := world.PairTopics(queuesPerBroker, world.Plain, world.Ordered, world.Transactions)
	topics[visitor.Topic] = 1
	r.World, err = world.Start(ctx, world.Options{
		Mode: world.SideBySide, Topics: topics, EnvoyVersion: o.EnvoyVersion, ModuleDir: o.ModuleDir, Keep: o.keep,
		Wired: []string{wired}, WiredEnvoy: true, Tap: r.answers.Connection,
		ListenersFile: true, HotRestart: true, EnvoyArgs: []string{"--drain-time-s", "3", "--parent-shutdown-time-s", "6"},
		BrokerConfig: map[string]string{"transactionCheckInterval": "2000", "transactionTimeOut": "3000", "transactionCheckMax": "1000", "timerWheelEnable": "false"},
	})
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil || r.violations > 0 {
			_ = r.WriteLogs(os.Stderr, 15)
		}
		if e := r.Stop(); e != nil && err == nil {
			err = e
		}
	}()
	if err := r.startClients(ctx); err != nil {
		return 0, err
	}
	done := 0
	for _, f := range r.faults {
		if ctx.Err() != nil {
			r.violation("chaos", "interrupted")
			break
		}
		done++
		if !r.happen(ctx, f) {
			break
		}
	}
	if err := r.finish(); err != nil {
		return 0, err
	}
	if err := r.writeTable(); err != nil {
		return 0, err
	}
	fmt.Printf("%d answers on the way, %d visits, %d looks at the clients' connections\n", r.answers.Matched(), r.visitors.Count(), r.watch.Report().Looks)
	fmt.Printf("chaos: %d faults, %d violations\n", done, r.violations)
	return r.violations, nil
}

// startClients starts the pairs through Envoy with every load, the direct one with the plain one.
func (r *run) startClients(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	starts := []world.PairOptions{{Loads: []world.Load{world.Plain, world.Ordered, world.Transactions}, Ways: r.ProxiedWays()}}
	for _, way := range r.Ways() {
		if !way.Proxied() {
			starts = append(starts, world.PairOptions{Loads: []world.Load{world.Plain}, Ways: []world.Way{way}})
		}
	}
	for _, o := range starts {
		o.Queues = queuesPerBroker * len(r.Brokers)
		o.Producer = []string{"--rate", strconv.Itoa(r.rate), "--threads", "4"}
		o.Flags = []string{"-XX:TieredStopAtLevel=1"}
		if millis := strconv.FormatInt(r.interval.Milliseconds(), 10); r.interval > 0 {
			o.Client = []string{"--interval", millis}
			o.Flags = append(o.Flags, "-Drocketmq.client.rebalance.waitInterval="+millis)
		}
		pairs, err := r.StartPairs(ctx, o)
		if err != nil {
			return err
		}
		r.pairs = append(r.pairs, pairs...)
	}
	var proxied []*world.Java
	for _, p := range r.pairs {
		if _, err := fault.Flows(ctx, p, time.Now(), r.Brokers); err != nil {
			return err
		}
		if p.Proxied() {
			proxied = append(proxied, p.Producer, p.Consumer)
		}
	}
	r.watch = r.WatchClients(proxied...)
	r.visitors = visitor.Start(r.World, visits, r.seed, true)
	return nil
}

// happen lets one fault happen and checks what must hold afterwards. It is false when going on makes no sense.
func (r *run) happen(ctx context.Context, f fault.Fault) bool {
	chosen := r.Brokers[r.random.IntN(len(r.Brokers))]
	for f.Wired && chosen.Wire() == nil {
		chosen = r.Brokers[r.random.IntN(len(r.Brokers))]
	}
	begin := time.Now()
	outcomes, err := f.Run(ctx, r.World, chosen, r.pairs)
	if err != nil {
		r.violation(f.Name, "%v", err)
		return false
	}
	ran := time.Since(begin)
	problems, err := fault.Settle(ctx, r.pairs)
	if err != nil {
		r.violation(f.Name, "%v", err)
		return false
	}
	for _, p := range problems {
		r.violation(f.Name, "%s", p)
	}
	for _, o := range outcomes {
		if o.Failed > 0 && f.Spares(o.Pair.Way) {
			r.violation(f.Name, "%s: %d sends failed", o.Pair.Name(), o.Failed)
		}
	}
	r.look(f.Name)
	rows := rowsOf(f, outcomes)
	r.outcomes = append(r.outcomes, rows...)
	fmt.Printf("%s (%s): %.0f s, settled in %.0f s\n", f.Name, chosen.Name, ran.Seconds(), time.Since(begin).Seconds()-ran.Seconds())
	for _, row := range rows {
		fmt.Printf("    %s\n", row)
	}
	return true
}

// look tells of wrong answers and of error lines since it last did.
func (r *run) look(where string) {
	count, first := r.answers.Violations()
	for i := r.wrongAnswers; i < count; i++ {
		if i >= len(first) {
			r.violation(where, "%d more answers like these", count-i)
			break
		}
		r.violation(where, "%s", first[i])
	}
	r.wrongAnswers = count
	lines, err := r.EnvoyErrors()
	if err != nil {
		r.violation(where, "Envoy's log: %v", err)
	}
	for _, line := range lines[r.errorLines:] {
		r.violation(where, "Envoy's log: %s", line)
	}
	r.errorLines = len(lines)
}

// finish ends all clients and looks at what they leave.
func (r *run) finish() error {
	const where = "at the end"
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	r.visitors.Stop()
	for _, failure := range r.visitors.Failures() {
		r.violation(where, "visitor: %s", failure)
	}
	for _, p := range r.pairs {
		if err := p.Producer.Rest(); err != nil {
			return err
		}
	}
	report := r.watch.Stop()
	if report.ViaProxy == 0 {
		r.violation(where, "the clients' connections could not be looked at")
	}
	for _, direct := range report.Direct {
		r.violation(where, "a client left the proxy: %s", direct)
	}
	for _, p := range r.pairs {
		sums := p.Drained(ctx, 20*time.Second)
		fmt.Printf("%s: %v\n", p.Name(), sums)
		if sums.Lost() > 0 {
			r.violation(where, "%s: lost %v", p.Name(), p.Lost(10))
		}
		for _, client := range []*world.Java{p.Producer, p.Consumer} {
			end, err := client.Finish(ctx)
			if err != nil {
				r.violation(where, "%v", err)
			}
			if end.Corrupt > 0 {
				r.violation(where, "%s: %d messages arrived with other bytes than were sent", p.Name(), end.Corrupt)
			}
		}
	}
	notZero, err := r.AwaitIdle(ctx, r.ProxiedWays()...)
	if err != nil {
		return err
	}
	for _, gauge := range notZero {
		r.violation(where, "nobody is left, but %s", gauge)
	}
	r.look(where)
	return nil
}
