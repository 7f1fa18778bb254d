// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// maxTopics bounds the topics whose brokers are remembered; routes of more topics pass through all
// the same, only rules that need the brokers of a topic do without them.
const maxTopics = 1 << 17

// minRefreshGap is the least time between two refreshes, whoever asks for them.
const minRefreshGap = time.Second

// NameServers is how the directory asks name servers for all brokers.
type NameServers interface {
	// Brokers asks one name server ("ip:port").
	Brokers(ctx context.Context, address string) ([]body.Address, error)
	// Resolve turns host:port into ip:port.
	Resolve(ctx context.Context, address string) (string, error)
}

// Directory is shared by all sessions of a RocketMQ cluster. All methods may be called from any thread.
type Directory struct {
	source   NameServers
	servers  []string // as configured
	interval time.Duration

	snapshot atomic.Pointer[Snapshot]
	topics   sync.Map // topic -> []string, its broker names, sorted
	count    atomic.Int64

	ask  chan struct{}
	stop context.CancelFunc
	done chan struct{}

	ready atomic.Bool

	mu       sync.Mutex // guards the fields below, and the replacement of snapshot
	waiting  map[*func()]struct{}
	observer map[*func(error)]struct{}
}

// New makes a directory; Start makes it work.
func New(servers []string, interval time.Duration, source NameServers) *Directory {
	d := &Directory{
		source:   source,
		servers:  servers,
		interval: interval,
		ask:      make(chan struct{}, 1),
		done:     make(chan struct{}),
		waiting:  make(map[*func()]struct{}),
		observer: make(map[*func(error)]struct{}),
	}
	d.snapshot.Store(&Snapshot{})
	return d
}

// Start begins to refresh, at once and then at intervals, until Stop.
func (d *Directory) Start() {
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	go d.run(ctx)
}

// Stop ends the refreshing and waits for it.
func (d *Directory) Stop() {
	d.stop()
	<-d.done
}

func (d *Directory) run(ctx context.Context) {
	defer close(d.done)
	for {
		d.refresh(ctx)
		gap := time.NewTimer(minRefreshGap)
		next := time.NewTimer(d.interval)
		select {
		case <-ctx.Done():
		case <-gap.C:
			select {
			case <-ctx.Done():
			case <-next.C:
			case <-d.ask:
			}
		}
		gap.Stop()
		next.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// RefreshSoon asks for a refresh ahead of the interval; many calls become one.
func (d *Directory) RefreshSoon() {
	select {
	case d.ask <- struct{}{}:
	default:
	}
}

// Snapshot is what is known now.
func (d *Directory) Snapshot() *Snapshot { return d.snapshot.Load() }

// Topic is the names of the brokers that serve a topic, sorted; empty when no route of it has passed.
func (d *Directory) Topic(topic string) []string {
	names, ok := d.topics.Load(topic)
	if !ok {
		return nil
	}
	return names.([]string)
}

// Ready tells whether a refresh has ever succeeded.
func (d *Directory) Ready() bool { return d.ready.Load() }

// Await has `wake` called once, after the next refresh whatever its outcome; Forget takes that back.
// Sessions wait so that a client with a cached route is served right after a start of Envoy.
func (d *Directory) Await(wake *func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting[wake] = struct{}{}
}

// Forget removes what Await registered.
func (d *Directory) Forget(wake *func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.waiting, wake)
}

// Observe calls `each` after every refresh with its error, until the returned function is called.
func (d *Directory) Observe(each func(error)) (remove func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.observer[&each] = struct{}{}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.observer, &each)
	}
}

// LearnRoute takes in the addresses of a topic's route answer, as the name server sent them.
func (d *Directory) LearnRoute(topic string, seen []body.Address) {
	d.LearnBrokers(seen)
	var names []string
	for _, a := range seen {
		if !slices.Contains(names, a.BrokerName) {
			names = append(names, a.BrokerName)
		}
	}
	slices.Sort(names)
	if slices.Equal(d.Topic(topic), names) {
		return
	}
	if _, known := d.topics.Load(topic); !known {
		if d.count.Add(1) > maxTopics {
			d.count.Add(-1)
			return
		}
	}
	d.topics.Store(topic, names)
}

// LearnBrokers takes in the addresses of a cluster answer. Host names are left to the next refresh.
func (d *Directory) LearnBrokers(seen []body.Address) {
	if slices.ContainsFunc(seen, func(a body.Address) bool { return !isIPPort(a.Addr) }) {
		d.RefreshSoon()
		return
	}
	if current := d.snapshot.Load(); current.withLearned(seen) == current {
		return // the usual case, without the lock
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.snapshot.Store(d.snapshot.Load().withLearned(seen))
}
