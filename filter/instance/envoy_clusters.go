// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyrouted"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// What compatible configs share: a watcher for each admin interface of Envoy, a directory and a circuit for each of its
// clusters, and the state of a listener.
var (
	watchers            = newRegistry((*envoyadmin.Watcher).Stop)
	endpointDirectories = newRegistry((*envoyrouted.Directory).Stop)
	circuits            = newRegistry(func(*envoyrouted.Circuit) {})
	compatibleStates    = newRegistry(func(compatibleState) {})
)

// compatibleState is the part of a compatible config's state that a reload keeps.
type compatibleState struct {
	directives *envoyrouted.Directives
	members    *envoyrouted.Members
}

// envoyClusters are what a compatible config has instead of name servers: the clusters of Envoy that its routes name,
// each with a directory of the brokers that its endpoints are.
type envoyClusters struct {
	names       []string // sorted
	directories []*directory.Directory
	circuits    []*envoyrouted.Circuit
	watcher     *envoyadmin.Watcher
	unwatch     func()
}

// openEnvoyClusters acquires the clusters that the routes of a config name.
func openEnvoyClusters(c *apiv1.Config, warn warnFunc, atEnd *cleanup) *envoyClusters {
	admin := c.Compatible.AdminAddress
	e := &envoyClusters{
		names:   clusterNames(c.Compatible.Routes),
		watcher: acquire(atEnd, watchers, admin, func() *envoyadmin.Watcher { return newWatcher(admin) }),
	}
	atEnd.add(func() { e.unwatch() }) // after the directories have ended, whose clusters would be gone
	for _, name := range e.names {
		key := fmt.Sprintf("%q %q %v", admin, name, bounds(c))
		d := acquire(atEnd, endpointDirectories, key, func() *envoyrouted.Directory { return envoyrouted.NewDirectory(name, bounds(c), e.watcher) })
		e.directories = append(e.directories, d.Directory)
		e.circuits = append(e.circuits, acquire(atEnd, circuits, fmt.Sprintf("%q %q", admin, name), envoyrouted.NewCircuit))
	}
	if c.Egress == "" {
		atEnd.add(envoyrouted.WarnOfDemands(e.watcher, e.names, c.StatPrefix, warn))
	}
	return e
}

// watch starts the looks at the clusters; the directories are to be observed before, so that the first look is seen.
func (e *envoyClusters) watch(interval time.Duration) { e.unwatch = e.watcher.Watch(e.names, interval) }

// clusterOf returns the number of the cluster that a topic's messages are sent to, or 0 if no route matches.
func (e *envoyClusters) clusterOf(routes *routeconfig.Table) func(topic string) int {
	return func(topic string) int {
		route, ok := routes.Match(routeconfig.Request{Topic: topic, Code: int32(requests.SendMessageV2)})
		if !ok {
			return 0
		}
		return slices.Index(e.names, route.Cluster)
	}
}

// compatible returns the part of a session's environment that is for configs of Envoy's own filter.
func (e *envoyClusters) compatible(c *apiv1.Config, atEnd *cleanup) *session.EnvoyRouting {
	life := c.Compatible.LifeSpan
	state := acquire(atEnd, compatibleStates, fmt.Sprintf("%q %d", c.StatPrefix, life), func() compatibleState {
		return compatibleState{envoyrouted.NewDirectives(life), envoyrouted.NewMembers()}
	})
	s := &session.EnvoyRouting{
		Routes:      c.Compatible.Routes,
		DevelopMode: c.Compatible.DevelopMode,
		Endpoints:   e.watcher.Snapshot,
		Directories: make(map[string]*directory.Directory),
		Clusters:    make(map[*directory.Directory]string),
		Circuits:    make(map[string]*envoyrouted.Circuit),
		Directives:  state.directives,
		Members:     state.members,
		Random:      rand.Uint64,
	}
	for i, name := range e.names {
		s.Directories[name], s.Clusters[e.directories[i]], s.Circuits[name] = e.directories[i], name, e.circuits[i]
	}
	return s
}

// newWatcher makes a watcher of Envoy's clusters. Each look refreshes what is known of the process's own sockets, too:
// that reads every file of the process, so it is done once for the directories of all clusters.
func newWatcher(admin string) *envoyadmin.Watcher {
	w := envoyadmin.New(envoyadmin.NewClient(envoyadmin.Options{Address: admin}))
	w.Observe(func(error) { reach.Process.Refresh() })
	return w
}

// clusterNames returns the clusters that routes name, sorted, each once.
func clusterNames(routes *routeconfig.Table) (names []string) {
	for _, route := range routes.Routes() {
		names = append(names, route.Cluster)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
