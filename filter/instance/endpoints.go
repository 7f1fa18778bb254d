// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/compatible"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// memory is what a reload of a compatible config leaves as it is.
type memory struct {
	directives *compatible.Directives
	members    *compatible.Members
}

var (
	watchers            = newPool((*envoyadmin.Watcher).Stop)
	endpointDirectories = newPool((*endpointDirectory).stop)
	circuits            = newPool(func(*compatible.Circuit) {})
	memories            = newPool(func(memory) {})
)

// openEndpoints starts, or joins, what a compatible config has instead of name servers: the clusters of Envoy
// that its routes name, each with a directory of the brokers that its endpoints are.
func (x *Instance) openEndpoints() {
	c := x.Config.Compatible
	names := clusterNames(c.Routes)
	watcher := watchers.acquire(c.AdminAddress, func() *envoyadmin.Watcher { return newWatcher(c.AdminAddress) })
	byName, byDirectory := make(map[string]*directory.Directory), make(map[*directory.Directory]string)
	byCluster := make(map[string]*compatible.Circuit)
	var all []*directory.Directory
	for _, name := range names {
		key := fmt.Sprintf("%q %q %v", c.AdminAddress, name, bounds(x.Config))
		d := endpointDirectories.acquire(key, func() *endpointDirectory {
			return newEndpointDirectory(name, bounds(x.Config), watcher)
		})
		x.use(d.Directory, func() { endpointDirectories.release(key) })
		circuit := fmt.Sprintf("%q %q", c.AdminAddress, name)
		byCluster[name] = circuits.acquire(circuit, compatible.NewCircuit)
		x.releases = append(x.releases, func() { circuits.release(circuit) })
		byName[name], byDirectory[d.Directory], all = d.Directory, name, append(all, d.Directory)
	}
	if x.Config.Egress == "" {
		demands := &demandLog{statPrefix: x.Config.StatPrefix, names: names, watcher: watcher, known: make(map[string]string)}
		x.releases = append(x.releases, watcher.Observe(demands.looked))
	}
	unwatch := watcher.Watch(names, c.RefreshInterval) // after the directories, which need the first look
	x.releases = append(x.releases, func() {           // after those who ask it
		unwatch()
		watchers.release(c.AdminAddress)
	})
	kept := fmt.Sprintf("%q %d", x.Config.StatPrefix, c.LifeSpan)
	m := memories.acquire(kept, func() memory {
		return memory{compatible.NewDirectives(c.LifeSpan), compatible.NewMembers()}
	})
	x.releases = append(x.releases, func() { memories.release(kept) })
	x.Clusters = directory.NewClusters(func(topic string) int {
		route, ok := c.Routes.Match(routeconfig.Request{Topic: topic, Code: int32(requests.SendMessageV2)})
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
		Clusters:    byDirectory,
		Circuits:    byCluster,
		Directives:  m.directives,
		Members:     m.members,
		Random:      rand.Uint64,
	}
}

// newWatcher makes a watcher of Envoy's clusters. Each look is one at the sockets of the process, too: it asks the kernel
// about every file, which the directories of all clusters together had better not.
func newWatcher(admin string) *envoyadmin.Watcher {
	w := envoyadmin.New(envoyadmin.NewClient(envoyadmin.Options{Address: admin}))
	w.Observe(func(error) { reach.Process.Refresh() })
	return w
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

// endpointDirectory is a directory that follows a watcher: it starts when Envoy has been asked for its cluster, so that until
// then sessions wait, and is refreshed after each look.
type endpointDirectory struct {
	*directory.Directory
	source    *endpointSource
	cluster   string
	unobserve func()

	mu               sync.Mutex
	started, stopped bool
}

func newEndpointDirectory(cluster string, most directory.Bounds, watcher *envoyadmin.Watcher) *endpointDirectory {
	source := &endpointSource{Watcher: watcher}
	d := &endpointDirectory{Directory: directory.New([]string{cluster}, rarely, 0, most, source), source: source, cluster: cluster}
	d.Restrict(reach.Rules{Own: reach.Process, Configured: true})
	d.unobserve = watcher.Observe(d.looked)
	return d
}

// looked is called after each look at Envoy's clusters. The first may have begun without this one.
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

// demandLog tells the operator of clusters whose connections the filter cannot open by itself, once for each change.
type demandLog struct {
	statPrefix string
	names      []string
	watcher    *envoyadmin.Watcher
	known      map[string]string // what each cluster demands; of the watcher's thread
}

func (l *demandLog) looked(error) {
	snapshot := l.watcher.Snapshot()
	for _, name := range l.names {
		demands := ""
		if cluster, ok := snapshot.Cluster(name); ok {
			demands = cluster.Demands
		}
		if demands != "" && demands != l.known[name] {
			Warn("%s: cluster %q has %s, which needs an egress listener (egress.address): its brokers get no request", l.statPrefix, name, demands)
		}
		l.known[name] = demands
	}
}
