// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/answers"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/fault"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestRecovery has clients go all ways at the same time through the most telling faults, one after the other: through
// the proxy nothing that was acknowledged is lost either, no answer comes to who has not asked, and messages flow again.
// It is the short form of test/chaos.
func TestRecovery(t *testing.T) { // not beside others: it loads the machine, and brokers of theirs took longer than a send may take
	var checker answers.Checker
	x := install(t, world.Options{
		Mode: world.SideBySide, Topics: world.PairTopics(queues, world.Plain),
		Wired: []string{"broker-b"}, WiredEnvoy: true, Tap: checker.Connection,
		ListenersFile: true, EnvoyArgs: []string{"--drain-time-s", "2"},
	})
	pairs, err := x.StartPairs(x.limit(3*time.Minute), world.PairOptions{
		Ways: x.Ways(), Loads: []world.Load{world.Plain}, Queues: allQueues,
		Producer: []string{"--rate", "50", "--threads", "4"},
		// What takes long shall not be the clients' waiting.
		Client: []string{"--interval", "3000"}, Flags: []string{"-Drocketmq.client.rebalance.waitInterval=3000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var proxied []*world.Java
	for _, p := range pairs {
		if _, err := fault.Flows(x.limit(2*time.Minute), p, time.Now(), x.Brokers); err != nil {
			t.Fatal(err)
		}
		if p.Proxied() {
			proxied = append(proxied, p.Producer, p.Consumer)
		}
	}
	watch := x.WatchClients(proxied...)
	faults, err := fault.Named("name server killed", "broker killed", "connections to one broker reset", "connections of clients reset", "config reloaded", "Envoy killed")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Run(f.Name, func(t *testing.T) { happen(x.on(t), f, pairs) })
	}
	for _, p := range pairs {
		x := x.by(t, p.Way)
		x.finish(p.Producer)
		// ASYNC_FLUSH brokers keep what they acknowledged over a kill -9 of the process.
		sums := x.drained(&p.Ledger, fault.Limit)
		x.finish(p.Consumer)
		x.Logf("%s: %v", p.Name(), sums)
	}
	if report := watch.Stop(); len(report.Direct) > 0 || report.ViaProxy == 0 {
		x.Errorf("the clients did not all stay on the proxy: %v", report)
	}
	if count, first := checker.Violations(); count > 0 || checker.Matched() == 0 {
		x.Errorf("%d answers to who had not asked, %d others: %q", count, checker.Matched(), first)
	}
	notZero, err := x.AwaitIdle(x.limit(time.Minute), x.ProxiedWays()...)
	if err != nil || len(notZero) > 0 {
		x.Errorf("nobody is left, but %q, %v", notZero, err)
	}
}

// happen lets a fault happen to all pairs, and logs how each got over it.
func happen(x *installation, f fault.Fault, pairs []*world.Pair) {
	const wired = 1
	outcomes, err := f.Run(x.limit(5*time.Minute), x.World, x.Brokers[wired], pairs)
	if err != nil {
		x.Fatal(err)
	}
	for _, o := range outcomes {
		x.Logf("%s: %d sends failed, longest pause %.1f s, sent again after %.1f s, consumed again after %.1f s", o.Pair.Name(), o.Failed,
			o.Pause.Seconds(), o.SentAgain.Seconds(), o.ConsumedAgain.Seconds())
		if o.Failed > 0 && f.Spares(o.Pair.Way) {
			x.Errorf("%s: %d sends failed", o.Pair.Name(), o.Failed)
		}
	}
	problems, err := fault.Settle(x.limit(3*time.Minute), pairs)
	if err != nil {
		x.Fatal(err)
	}
	for _, p := range problems {
		x.Error(p)
	}
}
