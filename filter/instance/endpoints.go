// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/compatible"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// memory is what a reload of a compatible config leaves as it is.
type memory struct {
	directives *compatible.Directives
	members    *compatible.Members
}

var (
	watchers = newPool((*envoyadmin.Watcher).Stop)
	memories = newPool(func(memory) {})
)

// openEndpoints starts, or joins, what a compatible config has instead of name servers: the clusters of Envoy
// that its routes name, each with a directory of the brokers that its endpoints are.
func (x *Instance) openEndpoints() {
	c := x.Config.Compatible
	names := clusterNames(c.Routes)
	key := fmt.Sprintf("%q %d %q %v", c.AdminAddress, c.RefreshInterval, names, bounds(x.Config))
	watcher := watchers.acquire(key, func() *envoyadmin.Watcher {
		client := envoyadmin.NewClient(envoyadmin.Options{Address: c.AdminAddress})
		w := envoyadmin.New(names, c.RefreshInterval, client)
		w.Start()
		return w
	})
	byName := make(map[string]*directory.Directory)
	var all []*directory.Directory
	for _, name := range names {
		key := key + " " + name
		d := directories.acquire(key, func() *directory.Directory {
			return newEndpointDirectory(name, bounds(x.Config), watcher)
		})
		x.use(d, func() { directories.release(key) })
		byName[name], all = d, append(all, d)
	}
	x.releases = append(x.releases, func() { watchers.release(key) }) // after those who ask it
	kept := fmt.Sprintf("%q %d", x.Config.StatPrefix, c.LifeSpan)
	m := memories.acquire(kept, func() memory {
		return memory{compatible.NewDirectives(c.LifeSpan), compatible.NewMembers()}
	})
	x.releases = append(x.releases, func() { memories.release(kept) })
	x.Clusters = directory.NewClusters(func(topic string) int {
		route, ok := c.Routes.Match(routeconfig.Request{Topic: topic, Code: int32(codec.RequestSendMessageV2)})
		if !ok {
			return 0
		}
		return slices.Index(names, route.Cluster)
	}, all...)
	x.Compatible = &session.Compatible{
		Routes:      c.Routes,
		DevelopMode: c.DevelopMode,
		Endpoints:   watcher.Snapshot,
		Directories: byName,
		Directives:  m.directives,
		Members:     m.members,
		Random:      rand.Uint64,
	}
}

// clusterNames are the clusters that routes name, sorted, each once.
func clusterNames(routes *routeconfig.Table) (names []string) {
	for _, route := range routes.Routes() {
		names = append(names, route.Cluster)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// rarely is how often a directory of endpoints asks by itself: it is told when there is something new.
const rarely = time.Hour

// newEndpointDirectory starts a directory that follows a watcher, for as long as the watcher lives.
func newEndpointDirectory(cluster string, most directory.Bounds, watcher *envoyadmin.Watcher) *directory.Directory {
	source := &endpointSource{Watcher: watcher}
	d := directory.New([]string{cluster}, rarely, 0, most, source)
	watcher.Observe(func(error) {
		source.fresh.Store(true)
		d.RefreshSoon()
	})
	d.Start()
	return d
}

// endpointSource is a cluster of Envoy in the place of name servers.
type endpointSource struct {
	*envoyadmin.Watcher
	fresh atomic.Bool // the watcher has looked since it was last asked
}

// Resolve implements directory.NameServers; the name of a cluster stands for itself.
func (*endpointSource) Resolve(_ context.Context, cluster string) (string, error) {
	return cluster, nil
}

// Send implements directory.NameServers. Nothing is sent to an Envoy.
func (*endpointSource) Send(context.Context, string, []byte) error {
	return errors.New("a cluster of Envoy takes no requests")
}

// Brokers gives the endpoints of a cluster that say which broker they are. When the watcher has not looked at Envoy since
// the last time, somebody misses a broker, and it is made to. A cluster that does not exist has no brokers.
func (s *endpointSource) Brokers(ctx context.Context, cluster string) (brokers []body.Address, err error) {
	if fresh := s.fresh.Swap(false); !s.Asked() || !fresh && !s.Stale() {
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
