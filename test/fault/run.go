// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const (
	// Limit bounds the time from the end of a fault to the first messages that make it. With or without a proxy a client
	// takes up to 30 s to ask for routes, and then up to 20 s to take up its new queues.
	Limit = 90 * time.Second
	// healLimit bounds Strike and Heal.
	healLimit = 3 * time.Minute
	// enough messages of a broker tell that it is reached again.
	enough = 5
	// still is how long nothing may come before what is missing counts as lost: longer than a broker waits before it
	// asks about a transaction, or a client before it takes up its queues again.
	still = 45 * time.Second
)

// Outcome is how one pair got over a fault.
type Outcome struct {
	Pair *world.Pair
	// Failed sends, after the client's own retries, and the longest time without a delivery, since the fault struck.
	Failed int64
	Pause  time.Duration
	// SentAgain and ConsumedAgain are the times from the end of the fault to the first message that was sent since and
	// came from the broker that took longest.
	SentAgain, ConsumedAgain time.Duration
}

// Run lets a fault happen, and returns when messages of all brokers flow again for all pairs.
func (f Fault) Run(ctx context.Context, w *world.World, chosen *world.Broker, pairs []*world.Pair) ([]Outcome, error) {
	hit, others := f.split(w, chosen)
	failed := map[*world.Pair]int64{}
	for _, p := range pairs {
		var err error
		if failed[p], err = failures(ctx, p); err != nil {
			return nil, err
		}
	}
	struck := time.Now()
	if err := f.step(ctx, "strike", f.Strike, w, chosen); err != nil {
		return nil, err
	}
	time.Sleep(f.Lasts - min(f.Lasts, time.Since(struck)))
	for _, p := range pairs {
		if _, err := Flows(ctx, p, struck, others); err != nil {
			return nil, fmt.Errorf("while it lasts: %w", err)
		}
	}
	if err := f.step(ctx, "heal", f.Heal, w, chosen); err != nil {
		return nil, err
	}
	healed := time.Now()
	var outcomes []Outcome
	for _, p := range pairs {
		first, err := Flows(ctx, p, healed, hit)
		if err != nil {
			return nil, err
		}
		now, err := failures(ctx, p)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, Outcome{
			Pair: p, Failed: now - failed[p], Pause: p.Pause(struck),
			SentAgain: first.Sent.Sub(healed), ConsumedAgain: first.Consumed.Sub(healed),
		})
	}
	return outcomes, nil
}

func (f Fault) step(ctx context.Context, what string, do func(context.Context, *world.World, *world.Broker) error, w *world.World, chosen *world.Broker) error {
	ctx, cancel := context.WithTimeout(ctx, healLimit)
	defer cancel()
	if err := do(ctx, w, chosen); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// split tells the brokers that are hit from the others. Where none is hit, all must be reached afterwards.
func (f Fault) split(w *world.World, chosen *world.Broker) (hit, others []*world.Broker) {
	switch f.Hit {
	case NoBroker:
		return w.Brokers, w.Brokers
	case EveryBroker:
		return w.Brokers, nil
	}
	for _, b := range w.Brokers {
		if b != chosen {
			others = append(others, b)
		}
	}
	return []*world.Broker{chosen}, others
}

// Flows waits until messages that were sent since then have come from each of the brokers, and gives the first ones of
// the broker that took longest.
func Flows(ctx context.Context, p *world.Pair, since time.Time, brokers []*world.Broker) (last world.Arrivals, err error) {
	for _, b := range brokers {
		a := p.Arrived(b.Name, since)
		for limit := time.Now().Add(Limit); a.Count < enough; a = p.Arrived(b.Name, since) {
			if time.Now().After(limit) || ctx.Err() != nil {
				return last, fmt.Errorf("%s: %d messages of %s within %v", p.Name(), a.Count, b.Name, Limit)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if a.Consumed.After(last.Consumed) {
			last = a
		}
	}
	return last, nil
}

// failures is how many sends have failed so far, not counting the last second's.
func failures(ctx context.Context, p *world.Pair) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	last, _ := p.Producer.Latest("tick")
	next, err := p.Producer.Await(ctx, "tick", func(e world.Event) bool { return e.TotalSent > last.TotalSent })
	return next.TotalFailed, err
}

// Settle has all producers rest until everything that was acknowledged has been consumed, and go on. It gives what is
// wrong: messages that are lost, or that came out of order to a consumer that wants order.
func Settle(ctx context.Context, pairs []*world.Pair) (problems []string, err error) {
	for _, p := range pairs {
		if err := p.Producer.Rest(); err != nil {
			return nil, err
		}
	}
	for _, p := range pairs {
		if sums := p.Drained(ctx, still); sums.Lost() > 0 || sums.Bad > 0 {
			problems = append(problems, fmt.Sprintf("%s: %v, %d unreadable records; lost ids %v", p.Name(), sums, sums.Bad, p.Lost(10)))
		}
		if p.Load == world.Ordered {
			for _, line := range p.Disorder() {
				problems = append(problems, fmt.Sprintf("%s: out of order: %s", p.Name(), line))
			}
		}
	}
	for _, p := range pairs {
		if err := p.Producer.Go(); err != nil {
			return nil, err
		}
	}
	return problems, ctx.Err()
}
