// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/compatible"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// mayUse returns the cluster of Envoy that a directory stands for, or why its brokers get no request. A cluster may ask
// for more than a plain TCP connection, which is all that the filter opens by itself; an egress listener does the rest. Envoy's
// config can change at any time, so this is asked for every request.
func (s *Session) mayUse(d *directory.Directory) (*envoyadmin.Cluster, *router.Refusal) {
	c := s.environment.Compatible
	cluster, ok := c.Endpoints().Cluster(c.Clusters[d])
	if !ok {
		return nil, noCluster
	}
	if s.isPlain(cluster) {
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

// isPlain reports whether connections to a cluster may be opened by this filter.
func (s *Session) isPlain(cluster *envoyadmin.Cluster) bool {
	return cluster.Demands == "" || s.environment.Config.Egress != ""
}

// mayReach returns why no connection leads to an address.
func (s *Session) mayReach(to place, address string) *router.Refusal {
	c := s.environment.Compatible
	if c == nil {
		return nil
	}
	cluster, refusal := s.mayUse(to.cluster)
	if refusal != nil || s.unified.byAddress[address] != nil {
		return refusal
	}
	if _, err := netip.ParseAddrPort(address); err != nil { // a Unix socket
		return compatibleLosses.failedLocally
	}
	if c.Circuits[cluster.Name].IsFull(compatible.Breakers(cluster.Breakers)) {
		s.recorder.Inc(stats.ClusterOverflow)
		return compatibleLosses.overflow
	}
	return nil
}

// enterCircuit reports whether u may be dialled now; if not, it waits for room in the circuit of its cluster.
func (s *Session) enterCircuit(u *upstream) bool {
	c := s.environment.Compatible
	if c == nil {
		return true
	}
	name := c.Clusters[u.place.cluster]
	if u.slot == nil {
		u.slot = c.Circuits[name].Slot(u.address, s.refreshed)
	}
	cluster, ok := c.Endpoints().Cluster(name)
	if !ok || !s.isPlain(cluster) { // since it was found: retryWaiting says so
		s.arm(s.now)
		u.waits = true
	} else {
		u.waits = !u.slot.Take(compatible.Breakers(cluster.Breakers))
	}
	if u.waits {
		u.deadline = never
	}
	return !u.waits
}

// retryWaiting dials an upstream that waits for room if there is some now.
func (s *Session) retryWaiting(u *upstream) {
	_, refusal := s.mayUse(u.place.cluster)
	switch {
	case s.upstreams[u.id] != u: // mayUse has ended it
	case refusal != nil:
		s.loseUpstream(u, refusal)
	case s.enterCircuit(u):
		s.dial(u)
	}
}

// crowded reports whether a connection to an address would have to wait for others to end, which no copy of a
// registration is worth.
func (s *Session) crowded(at place, address string) bool {
	c := s.environment.Compatible
	if c == nil || s.unified.byAddress[address] != nil {
		return false
	}
	cluster, ok := c.Endpoints().Cluster(c.Clusters[at.cluster])
	return ok && !c.Circuits[cluster.Name].HasRoom(address, compatible.Breakers(cluster.Breakers))
}

// joinPending counts a request that waits for u to open, unless too many do.
func (s *Session) joinPending(u *upstream) *router.Refusal {
	if u.slot == nil || u.connected {
		return nil
	}
	cluster, refusal := s.mayUse(u.place.cluster)
	if refusal == nil && !u.slot.AddPending(compatible.Breakers(cluster.Breakers)) {
		s.recorder.Inc(stats.ClusterOverflow)
		refusal = compatibleLosses.overflow
	}
	return refusal
}

// isSpare reports whether u has nothing to do, and others wait for its room in the circuit.
func (u *upstream) isSpare() bool {
	return u.slot != nil && u.connected && !u.answers.Holds() && u.slot.Spare()
}

func (u *upstream) leaveCircuit() {
	if u.slot != nil {
		u.slot.Leave()
	}
}

// connectTimeout is how long u may take to open.
func (s *Session) connectTimeout(u *upstream) Instant {
	if c := s.environment.Compatible; c != nil {
		if cluster, ok := c.Endpoints().Cluster(c.Clusters[u.place.cluster]); ok {
			return cluster.ConnectTimeout
		}
	}
	return s.environment.Config.Timeouts.Connect
}
