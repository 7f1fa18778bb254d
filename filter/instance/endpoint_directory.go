// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// fallbackInterval is the time after which a directory of endpoints is refreshed although no watcher has looked.
const fallbackInterval = time.Hour

// endpointDirectory is a directory that follows a watcher. It starts once a look at Envoy has covered its cluster, so that
// sessions wait until then, and is refreshed after each look.
type endpointDirectory struct {
	*directory.Directory
	source    *endpointSource
	cluster   string
	unobserve func()

	mu               sync.Mutex
	started, stopped bool
}

func newEndpointDirectory(cluster string, bounds directory.Bounds, watcher *envoyadmin.Watcher) *endpointDirectory {
	source := &endpointSource{Watcher: watcher}
	d := &endpointDirectory{Directory: directory.New([]string{cluster}, fallbackInterval, 0, bounds, source), source: source, cluster: cluster}
	d.Restrict(reach.Rules{Own: reach.Process, Configured: true})
	d.unobserve = watcher.Observe(d.looked)
	return d
}

// looked is called after each look at Envoy's clusters. The first look may have begun before the cluster was watched.
func (d *endpointDirectory) looked(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || err == nil && !d.source.Snapshot().Covers(d.cluster) {
		return
	}
	d.source.fresh.Store(true)
	if d.started {
		d.RefreshSoon()
		return
	}
	d.started = true
	d.Start()
}

func (d *endpointDirectory) stop() {
	d.unobserve()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.started {
		d.Stop()
	}
}

// endpointSource implements directory.NameServers by a cluster of Envoy.
type endpointSource struct {
	*envoyadmin.Watcher
	fresh atomic.Bool // the watcher has looked since Brokers was last called
}

// Resolve implements directory.NameServers; the name of a cluster is its address.
func (*endpointSource) Resolve(_ context.Context, cluster string) ([]string, error) {
	return []string{cluster}, nil
}

// Send implements directory.NameServers. Nothing is sent to an Envoy.
func (*endpointSource) Send(context.Context, string, []byte) error {
	return errors.New("a cluster of Envoy takes no requests")
}

// Brokers returns the endpoints of a cluster that say which broker they are. If the watcher has not looked at Envoy since
// the last call, a session misses a broker, and Brokers waits for a new look. A cluster that does not exist has no
// brokers.
func (s *endpointSource) Brokers(ctx context.Context, cluster string) (brokers []body.Address, err error) {
	if fresh := s.fresh.Swap(false); !fresh && !s.Stale() {
		if err := s.look(ctx); err != nil {
			return nil, err
		}
	}
	if s.Stale() {
		return nil, errors.New("the admin interface of Envoy cannot be read")
	}
	c, ok := s.Snapshot().Cluster(cluster)
	if !ok {
		return nil, nil
	}
	for _, e := range c.Endpoints {
		if e.Broker.Name != "" {
			brokers = append(brokers, body.Address{Cluster: e.Broker.ClusterName, BrokerName: e.Broker.Name, BrokerID: e.Broker.ID, Addr: e.Address})
		}
	}
	return brokers, nil
}

// look waits for a fresh look at Envoy's clusters.
func (s *endpointSource) look(ctx context.Context) error {
	looked := make(chan struct{})
	wake := func() { close(looked) }
	s.Await(&wake)
	defer s.Forget(&wake)
	s.RefreshSoon()
	select {
	case <-looked:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
