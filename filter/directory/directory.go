// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/refresher"
)

// Bounds are how much a directory remembers. Of more topics those are forgotten that were not used for longest: their
// routes pass through all the same, only rules that need the brokers of a topic do without them until its next route.
// More brokers are as unknown.
type Bounds struct {
	Brokers int // names
	Topics  int
}

// NameServers is how the directory asks name servers for all brokers.
type NameServers interface {
	// Brokers asks one name server ("ip:port").
	Brokers(ctx context.Context, address string) ([]body.Address, error)
	// Resolve turns host:port into every ip:port that it stands for, always in the same order.
	Resolve(ctx context.Context, address string) ([]string, error)
	// Send gives one name server a client's request, as the client sent it, and waits for its answer.
	Send(ctx context.Context, address string, frame []byte) error
}

// Directory is shared by all sessions of a RocketMQ cluster. All methods may be called from any thread.
type Directory struct {
	*refresher.Refresher
	source      NameServers
	servers     []string // as configured
	forgetAfter time.Duration
	bounds      Bounds
	reach       reach.Rules
	refusals    refusals

	mu       sync.Mutex // guards the replacement of snapshot
	snapshot atomic.Pointer[Snapshot]
	topics   *topics
	copies   copies       // of changes, by Replicate
	beyond   atomic.Int64 // brokers that were not remembered
	moves    atomic.Int64
}

// New makes a directory; Start makes it work. A broker that the source does not name any more is remembered
// for forgetAfter.
func New(servers []string, interval, forgetAfter time.Duration, bounds Bounds, source NameServers) *Directory {
	d := &Directory{source: source, servers: servers, forgetAfter: forgetAfter, bounds: bounds, topics: newTopics(bounds.Topics)}
	d.Refresher = refresher.New(interval, d.refresh)
	d.snapshot.Store(&Snapshot{})
	return d
}

// Restrict sets where connections to the cluster may go; before Start.
func (d *Directory) Restrict(rules reach.Rules) { d.reach = rules }

// Reach says where connections to the cluster may go.
func (d *Directory) Reach() *reach.Rules { return &d.reach }

// Snapshot is what is known now.
func (d *Directory) Snapshot() *Snapshot { return d.snapshot.Load() }

// Topic returns the names of the brokers that serve a topic by any source, sorted; empty when no route of it has passed.
func (d *Directory) Topic(name string) []string {
	if t := d.topics.get(name); t != nil {
		return t.brokers
	}
	return nil
}

// AgreedTopic returns the names of the brokers that serve a topic by every source, sorted.
func (d *Directory) AgreedTopic(name string) []string {
	if t := d.topics.get(name); t != nil {
		return t.agreed
	}
	return nil
}

// QueueBroker returns the broker that has a queue of a static topic: of the mappings of a logical broker that
// list the queue, the one with the highest epoch counts (Java: ClientMetadata).
func (d *Directory) QueueBroker(name, logicalBroker string, queue int32) (broker string, ok bool) {
	t := d.topics.get(name)
	if t == nil {
		return "", false
	}
	var epoch int64
	for i := range t.mappings {
		m := &t.mappings[i]
		if _, has := m.Queues[queue]; has && m.LogicalBroker() == logicalBroker && (!ok || m.Epoch > epoch) {
			broker, epoch, ok = m.BrokerName, m.Epoch, true
		}
	}
	return broker, ok
}

// Beyond is how many brokers were not remembered, and how many topics were forgotten, so far because of the bounds.
func (d *Directory) Beyond() int64 { return d.beyond.Load() + d.topics.forgotten.Load() }

// LearnRoute takes in a topic's route answer, as the name server sent it. Without a name only its brokers count.
func (d *Directory) LearnRoute(from RouteSource, name string, route *body.TopicRouteData) {
	d.LearnBrokers(route.Brokers)
	if name == "" {
		return
	}
	w := topicWordOf(route, time.Now())
	if !d.topics.get(name).confirmed(from, w, d.forgetAfter) {
		d.topics.put(name, from, w, d.forgetAfter)
	}
}

// LearnBrokers takes in the addresses of a route or cluster answer that passes. Host names that the last refresh did not
// resolve are left to the next one.
func (d *Directory) LearnBrokers(seen []body.Address) {
	s := d.snapshot.Load()
	said := wordsOf(seen, time.Now())
	maps.DeleteFunc(said, func(name string, w word) bool { return s.confirmed(name, w, d.forgetAfter) })
	if len(said) == 0 {
		return // the usual case, without the lock
	}
	askAgain := false
	d.update(func(s *Snapshot) *Snapshot {
		next, dropped := s.withRoute(said, d.bounds.Brokers)
		d.beyond.Add(int64(dropped))
		for name, w := range said {
			askAgain = askAgain || s.contradicts(name, w) || next.isUntried(w)
		}
		return next
	})
	if askAgain {
		d.RefreshSoon()
	}
}

// update replaces the snapshot by the next one.
func (d *Directory) update(next func(*Snapshot) *Snapshot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.snapshot.Load()
	after := next(before)
	d.snapshot.Store(after)
	if after.hasMoved(before) {
		d.moves.Add(1)
	}
}

// Moves counts how often brokers have been found at an address where they were not just before. Who keeps an address looks
// it up again when the number has changed.
func (d *Directory) Moves() int64 { return d.moves.Load() }

// Failed notes that no connection could be opened to an address: the next name server, or the next address of a broker's
// host name, comes first from now on.
func (d *Directory) Failed(address string) {
	if !d.snapshot.Load().hasSuccessor(address) {
		return
	}
	d.update(func(s *Snapshot) *Snapshot { return s.withoutFirst(address) })
}
