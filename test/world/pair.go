// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Load is how the producer of a Pair sends, and its consumer consumes.
type Load string

const (
	// Plain is one send after the other on each thread, consumed concurrently.
	Plain Load = "plain"
	// Ordered messages go to the queue of their key and are consumed queue by queue.
	Ordered Load = "ordered"
	// Transactions are committed at once, but for each seventh, which the broker has to ask for.
	Transactions Load = "transactions"
)

// producerArgs and consumerArgs are what the programs of test/java/workload call a load.
func (l Load) producerArgs() []string {
	switch l {
	case Ordered:
		return []string{"--mode", "orderly"}
	case Transactions:
		return []string{"--mode", "transaction", "--unknown-every", "7"}
	default:
		return []string{"--mode", "sync"}
	}
}

func (l Load) consumerArgs() []string {
	if l == Ordered {
		return []string{"--mode", "orderly"}
	}
	return []string{"--mode", "concurrent"}
}

// Pair is a producer and a consumer that go one way, to a topic of their own.
type Pair struct {
	Way
	Load
	Journal
	Producer, Consumer *Java
}

// Name tells pairs apart; it is their topic and their group too.
func (p *Pair) Name() string { return pairName(p.Way.Name, p.Load) }

func pairName(way string, load Load) string { return way + "-" + string(load) }

// PairTopics are the topics of the pairs of these loads, with so many queues on each broker, for Options.Topics.
func PairTopics(queuesPerBroker int, loads ...Load) map[string]int {
	topics := map[string]int{}
	for _, way := range []string{"direct", string(PerBroker), string(Unified)} {
		for _, load := range loads {
			topics[pairName(way, load)] = queuesPerBroker
		}
	}
	return topics
}

// PairOptions say which pairs to start.
type PairOptions struct {
	Ways  []Way
	Loads []Load
	// Queues of each topic, over all brokers.
	Queues int
	// Producer are further arguments of every producer, as --rate; Client of every client.
	Producer, Client []string
	// Flags are further options of each JVM.
	Flags []string
}

// StartPairs starts a pair of each load for each way. All consumers start at the same time, and, once they have all
// their queues, so do all producers: how soon a client sees a change depends on when it last asked.
func (w *World) StartPairs(ctx context.Context, o PairOptions) ([]*Pair, error) {
	var pairs []*Pair
	for _, way := range o.Ways {
		for _, load := range o.Loads {
			p := &Pair{Way: way, Load: load}
			name := p.Name()
			args := append([]string{"--namesrv", way.NameServer, "--topic", name, "--group", name, "--records", "/dev/fd/3"}, load.consumerArgs()...)
			args = append(args, o.Client...)
			var err error
			if p.Consumer, err = w.StartJava(JavaOptions{Name: name + "-consumer", Class: "workload.Consumer", Flags: o.Flags, Args: args, Records: p.Delivered}); err != nil {
				return nil, err
			}
			pairs = append(pairs, p)
		}
	}
	for _, p := range pairs {
		if err := AwaitGroup(ctx, []*Java{p.Consumer}, o.Queues, 2*time.Second); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name(), err)
		}
	}
	for _, p := range pairs {
		name := p.Name()
		args := append([]string{"--namesrv", p.NameServer, "--topic", name, "--group", name + "-producer", "--acked", "/dev/fd/3"}, p.producerArgs()...)
		var err error
		if p.Producer, err = w.StartJava(JavaOptions{Name: name + "-producer", Class: "workload.Producer", Flags: o.Flags, Args: slices.Concat(args, o.Producer, o.Client), Records: p.Acknowledged}); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// Drained waits until everything acknowledged has been consumed, and gives the totals then. It gives up when nothing
// has come for the time `still`, or ctx ends.
func (p *Pair) Drained(ctx context.Context, still time.Duration) Sums {
	sums, moved := p.Sums(), time.Now()
	for sums.Lost() > 0 && time.Since(moved) < still && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		now := p.Sums()
		if now.Consumed != sums.Consumed {
			moved = time.Now()
		}
		sums = now
	}
	return sums
}
