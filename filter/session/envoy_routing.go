// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyrouted"
)

// EnvoyRouting is shared by the sessions of a filter that is configured as Envoy's own rocketmq_proxy: topics are in
// clusters of Envoy, whose endpoints say which broker they are.
type EnvoyRouting struct {
	Routes      *routeconfig.Table
	DevelopMode bool
	// Endpoints returns what is known now of the clusters that the routes name.
	Endpoints func() *envoyadmin.Snapshot
	// Directories have the brokers of those clusters by name; the same as Environment.Clusters.
	Directories map[string]*directory.Directory
	// Clusters are the names of the clusters by their directories.
	Clusters map[*directory.Directory]string
	// Circuits count what all sessions use of each cluster, by its name.
	Circuits   map[string]*envoyrouted.Circuit
	Directives *envoyrouted.Directives
	Members    *envoyrouted.Members
	// Random returns any number; endpoints are picked by it.
	Random func() uint64
}

// known reports whether Envoy was asked for every cluster of the routes.
func (r *EnvoyRouting) known() bool {
	snapshot := r.Endpoints()
	for name := range r.Directories {
		if !snapshot.Covers(name) {
			return false
		}
	}
	return true
}
