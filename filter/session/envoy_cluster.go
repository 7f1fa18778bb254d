// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// localFailure is what Envoy's filter answers where a connection cannot even be tried.
var localFailure = &router.Refusal{Code: codec.ResponseSystemError, Remark: "local connection failure"}

// mayUse returns the cluster of Envoy that a directory stands for, or why its brokers get no request. A cluster may ask
// for more than a plain TCP connection, which is all that the filter opens by itself; an egress listener does the rest. Envoy's
// config can change at any time, so this is asked for every request.
func (s *Session) mayUse(d *directory.Directory) (*envoyadmin.Cluster, *router.Refusal) {
	c := s.environment.Compatible
	cluster, ok := c.Endpoints().Cluster(c.Clusters[d])
	if !ok {
		return nil, noCluster
	}
	if cluster.Demands == "" || s.environment.Config.Egress != "" {
		return cluster, nil
	}
	refusal := &router.Refusal{
		Code:   codec.ResponseSystemError,
		Remark: fmt.Sprintf("cluster %s has %s, which needs an egress listener (egress.address)", cluster.Name, cluster.Demands),
	}
	for _, u := range s.upstreams {
		if u.place.cluster == d { // opened before Envoy's config was changed
			s.host.CloseUpstream(u.id)
			s.loseUpstream(u, refusal)
		}
	}
	s.recorder.Inc(stats.ClusterUnusable)
	return nil, refusal
}

// mayReach returns why no connection leads to an address.
func (s *Session) mayReach(to place, address string) *router.Refusal {
	if s.environment.Compatible == nil {
		return nil
	}
	if _, refusal := s.mayUse(to.cluster); refusal != nil {
		return refusal
	}
	if _, err := netip.ParseAddrPort(address); err != nil { // a Unix socket
		return localFailure
	}
	return nil
}
