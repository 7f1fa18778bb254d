// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestFaults kills servers under load. Nothing acknowledged may be lost.
func TestFaults(t *testing.T) {
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			x := install(t, world.Options{Mode: mode, Topics: map[string]int{"Faults": queues}})
			var ledger world.Ledger
			group := x.group(&ledger, "Faults", "fault-group", 2)
			producer := x.start("Producer", &ledger, "--topic", "Faults", "--rate", "100", "--threads", "4")
			x.ready(producer)
			x.flows(&ledger, nil, 10*time.Second)

			t.Run("name server down", func(t *testing.T) {
				x := x.on(t)
				before := failures(producer)
				x.KillNameServer()
				time.Sleep(5 * time.Second) // long enough for requests of every interval but the 30 s ones
				x.flows(&ledger, nil, 10*time.Second)
				if got := failures(producer); got != before {
					x.Errorf("%d sends failed while only the name server was down", got-before)
				}
				if err := x.StartNameServer(x.limit(time.Minute)); err != nil {
					x.Fatal(err)
				}
				for _, b := range x.Brokers {
					if err := b.Register(x.limit(time.Minute)); err != nil {
						x.Fatal(err)
					}
				}
			})

			t.Run("broker killed", func(t *testing.T) {
				x := x.on(t)
				x.Brokers[0].Kill()
				x.flows(&ledger, x.Brokers[1], 35*time.Second)
				if err := x.Brokers[0].Start(x.limit(time.Minute)); err != nil {
					x.Fatal(err)
				}
				// Clients ask for routes every 30 s.
				x.flows(&ledger, x.Brokers[0], time.Minute)
			})

			if _, err := producer.Finish(x.limit(time.Minute)); err != nil {
				t.Error(err)
			}
			// ASYNC_FLUSH brokers keep what they acknowledged over a kill -9 of the process.
			x.drained(&ledger, 35*time.Second)
			x.finish(group...)
			for _, gauge := range []string{"request_active", "downstream_active", "upstream_active"} {
				x.awaitStat(gauge, 0)
			}
			x.awaitStat("panic", 0)
		})
	}
}

// failures is how many sends of a producer have failed so far.
func failures(p *world.Java) int64 {
	tick, _ := p.Latest("tick")
	return tick.TotalFailed
}

// flows waits until messages, of one broker if given, are both sent and consumed.
func (x *installation) flows(ledger *world.Ledger, broker *world.Broker, within time.Duration) {
	x.Helper()
	count := func() int64 {
		sums := ledger.Sums()
		if broker != nil {
			return sums.PerBroker[broker.Name]
		}
		return sums.Consumed
	}
	begin, before := time.Now(), count()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for count() < before+20 {
		select {
		case <-ctx.Done():
			x.Fatalf("no messages for %v", within)
		case <-time.After(20 * time.Millisecond):
		}
	}
	x.Logf("messages flow again after %.1f s", time.Since(begin).Seconds())
}
