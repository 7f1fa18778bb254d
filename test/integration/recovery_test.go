// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

var allFaults = flag.Bool("all-faults", false, "TestRecovery: every fault, not only the most telling ones")

// recoveryLimit bounds the time from the end of a fault to the first messages that make it. With or without a proxy a
// client takes up to 30 s to ask for routes, and then up to 20 s to take up its new queues.
const recoveryLimit = 90 * time.Second

// fault hits all pairs at the same time.
type fault struct {
	name   string
	extra  bool // only with -all-faults
	strike func(x *installation) error
	heal   func(x *installation) error
	lasts  time.Duration        // at least
	hit    []int                // brokers that cannot be reached
	spares func(world.Way) bool // whom it may cost no send at all
}

func everybody(world.Way) bool { return true }

func nobody(world.Way) bool { return false }

func faults() []fault {
	return []fault{
		{
			name:   "name server killed",
			strike: func(x *installation) error { x.KillNameServer(); return nil },
			heal:   (*installation).startNameServer,
			lasts:  5 * time.Second, // long enough for requests of every interval but the 30 s ones
			spares: everybody,
		},
		{
			name:   "broker killed",
			strike: func(x *installation) error { x.Brokers[0].Kill(); return nil },
			heal:   startBroker,
			hit:    []int{0},
			spares: nobody,
		},
		{
			name:   "broker stopped in good order",
			extra:  true,
			strike: func(x *installation) error { return x.Brokers[0].Stop() },
			heal:   startBroker,
			hit:    []int{0},
			spares: nobody,
		},
		{
			name:   "network to one broker cut",
			extra:  true,
			strike: func(x *installation) error { x.Brokers[1].Wire().Cut(); return nil },
			heal:   func(x *installation) error { x.Brokers[1].Wire().Mend(); return nil },
			lasts:  10 * time.Second,
			hit:    []int{1},
			spares: nobody,
		},
		{
			name:   "Envoy killed",
			strike: func(x *installation) error { x.KillEnvoy(); return nil },
			heal:   func(x *installation) error { return x.StartEnvoy(x.limit(time.Minute)) },
			hit:    []int{0, 1},
			spares: func(w world.Way) bool { return !w.Proxied() },
		},
	}
}

func startBroker(x *installation) error { return x.Brokers[0].Start(x.limit(time.Minute)) }

// startNameServer starts a name server that knows nothing, and has brokers tell it at once.
func (x *installation) startNameServer() error {
	if err := x.StartNameServer(x.limit(time.Minute)); err != nil {
		return err
	}
	for _, b := range x.Brokers {
		if err := b.Register(x.limit(time.Minute)); err != nil {
			return err
		}
	}
	return nil
}

// TestRecovery has clients go all ways at the same time through the same faults: through the proxy nothing that was
// acknowledged is lost either, and messages flow again. How soon is measured; the last lines of its log have it.
func TestRecovery(t *testing.T) {
	t.Parallel()
	x := install(t, world.Options{
		Mode: world.SideBySide, Wired: []string{"broker-b"},
		Topics: world.PairTopics(queues, world.Plain),
	})
	pairs, err := x.StartPairs(x.limit(3*time.Minute), world.PairOptions{
		Ways: x.Ways(), Loads: []world.Load{world.Plain}, Queues: allQueues, Producer: []string{"--rate", "50", "--threads", "4"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		x.flows(p, time.Now(), x.Brokers)
	}
	var proxied []*world.Java
	for _, p := range pairs {
		if p.Proxied() {
			proxied = append(proxied, p.Producer, p.Consumer)
		}
	}
	watch := x.WatchClients(proxied...)
	table := []string{"| fault | way | sends failed | longest pause | sent again after | consumed again after |", "| --- | --- | --- | --- | --- | --- |"}
	for _, f := range faults() {
		if f.extra && !*allFaults {
			continue
		}
		t.Run(f.name, func(t *testing.T) { table = append(table, f.run(x.on(t), pairs)...) })
	}
	for _, p := range pairs {
		x := x.by(t, p.Way)
		x.finish(p.Producer)
		// ASYNC_FLUSH brokers keep what they acknowledged over a kill -9 of the process.
		sums := x.drained(&p.Ledger, recoveryLimit)
		x.finish(p.Consumer)
		x.Logf("%s: %v", p.Way.Name, sums)
	}
	if report := watch.Stop(); len(report.Direct) > 0 || report.ViaProxy == 0 {
		x.Errorf("the clients did not all stay on the proxy: %v", report)
	}
	for _, way := range x.ProxiedWays() {
		x := x.by(t, way)
		for _, gauge := range []string{"request_active", "downstream_active", "upstream_active", "panic"} {
			x.awaitStat(gauge, 0)
		}
	}
	t.Logf("side by side:\n%s", strings.Join(table, "\n"))
}

// run lets the fault happen and gives a row of the table for each pair.
func (f fault) run(x *installation, pairs []*world.Pair) (rows []string) {
	var hit, others []*world.Broker
	for i, b := range x.Brokers {
		if slices.Contains(f.hit, i) {
			hit = append(hit, b)
		} else {
			others = append(others, b)
		}
	}
	if len(hit) == 0 {
		hit = x.Brokers
	}
	failed := map[*world.Pair]int64{}
	for _, p := range pairs {
		failed[p] = x.failures(p)
	}
	struck := time.Now()
	if err := f.strike(x); err != nil {
		x.Fatal(err)
	}
	time.Sleep(f.lasts)
	for _, p := range pairs {
		x.flows(p, struck, others)
	}
	if err := f.heal(x); err != nil {
		x.Fatal(err)
	}
	healed := time.Now()
	for _, p := range pairs {
		first := x.flows(p, healed, hit)
		sends := x.failures(p) - failed[p]
		if sends > 0 && f.spares(p.Way) {
			x.Errorf("%s: %d sends failed", p.Way.Name, sends)
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %d | %.1f s | %.1f s | %.1f s |", f.name, p.Way.Name, sends,
			p.Pause(struck).Seconds(), first.Sent.Sub(healed).Seconds(), first.Consumed.Sub(healed).Seconds()))
	}
	return rows
}

// flows waits until messages that were sent since then have come from each of the brokers, and gives the first ones of
// the broker that took longest.
func (x *installation) flows(p *world.Pair, since time.Time, brokers []*world.Broker) (last world.Arrivals) {
	x.Helper()
	const enough = 5
	for _, b := range brokers {
		a := p.Arrived(b.Name, since)
		for limit := time.Now().Add(recoveryLimit); a.Count < enough; a = p.Arrived(b.Name, since) {
			if time.Now().After(limit) {
				x.Fatalf("%s: %d messages of %s within %v", p.Way.Name, a.Count, b.Name, recoveryLimit)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if a.Consumed.After(last.Consumed) {
			last = a
		}
	}
	return last
}

// failures is how many sends have failed so far, not counting the last second's.
func (x *installation) failures(p *world.Pair) int64 {
	x.Helper()
	last, _ := p.Producer.Latest("tick")
	next, err := p.Producer.Await(x.limit(recoveryLimit), "tick", func(e world.Event) bool { return e.TotalSent > last.TotalSent })
	if err != nil {
		x.Fatal(err)
	}
	return next.TotalFailed
}
