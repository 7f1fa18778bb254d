// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// mayUse returns the cluster of Envoy that a directory stands for, or why its brokers get no request. A cluster may ask
// for more than a plain TCP connection, which is all that the filter opens by itself; an egress listener does the rest.
// Envoy's config can change at any time, so this is asked for every request.
func (s *envoyRouted) mayUse(d *directory.Directory) (*envoyadmin.Cluster, *codec.Reply) {
	cluster, ok := s.clusterAt(d)
	if !ok {
		return nil, noCluster
	}
	if s.isPlain(cluster) {
		return cluster, nil
	}
	unusable := failure{causeUpstreamLost, &codec.Reply{
		Code:   codec.ResponseSystemError,
		Remark: fmt.Sprintf("cluster %s has %s, which needs an egress listener (egress.address)", cluster.Name, cluster.Demands),
	}}
	for _, u := range s.upstreams {
		if u.target.cluster == d { // opened before Envoy's config was changed
			s.closeUpstream(u, unusable)
		}
	}
	s.recorder.Inc(stats.ClusterUnusable)
	return nil, unusable.reply
}

// clusterAt returns the cluster of Envoy that a directory stands for, if Envoy has it.
func (s *envoyRouted) clusterAt(d *directory.Directory) (*envoyadmin.Cluster, bool) {
	return s.routing.Endpoints().Cluster(s.routing.Clusters[d])
}

// isPlain reports whether connections to a cluster may be opened by this filter.
func (s *envoyRouted) isPlain(cluster *envoyadmin.Cluster) bool {
	return cluster.Demands == "" || s.environment.Config.Egress != ""
}

func (s *envoyRouted) mayReach(to target, address string) *codec.Reply {
	cluster, refusal := s.mayUse(to.cluster)
	if refusal != nil || s.byAddress[address] != nil {
		return refusal
	}
	if _, err := netip.ParseAddrPort(address); err != nil { // a Unix socket
		return envoyFailures.failedLocally.reply
	}
	if s.routing.Circuits[cluster.Name].IsFull(cluster.Breakers) {
		s.recorder.Inc(stats.ClusterOverflow)
		return envoyFailures.overflow.reply
	}
	return nil
}

// mayDial takes a place in the circuit of u's cluster; if there is none, u waits for one.
func (s *envoyRouted) mayDial(u *upstream) bool {
	if u.slot == nil {
		u.slot = s.routing.Circuits[s.routing.Clusters[u.target.cluster]].Slot(u.address, s.refreshed)
	}
	cluster, ok := s.clusterAt(u.target.cluster)
	if !ok || !s.isPlain(cluster) { // since it was found: retryWaiting says so
		s.arm(s.now)
		u.waits = true
	} else {
		u.waits = !u.slot.Take(cluster.Breakers)
	}
	if u.waits {
		u.deadline = never
	}
	return !u.waits
}

func (s *envoyRouted) expire() Instant {
	for _, u := range s.upstreams {
		if u.waits {
			s.retryWaiting(u)
		}
	}
	return s.shared.expire()
}

// retryWaiting dials an upstream that waits for a place in the circuit, if there is one now.
func (s *envoyRouted) retryWaiting(u *upstream) {
	_, refusal := s.mayUse(u.target.cluster)
	switch {
	case s.upstreams[u.id] != u: // mayUse has ended it
	case refusal != nil:
		s.loseUpstream(u, failure{causeUpstreamLost, refusal})
	case s.mayDial(u):
		s.dial(u)
	}
}

// crowded keeps copies of registrations from waiting: none is worth that.
func (s *envoyRouted) crowded(to target, address string) bool {
	if s.byAddress[address] != nil {
		return false
	}
	cluster, ok := s.clusterAt(to.cluster)
	return ok && !s.routing.Circuits[cluster.Name].HasRoom(address, cluster.Breakers)
}

// mayQueue counts a request that waits for u to open, unless too many do.
func (s *envoyRouted) mayQueue(u *upstream) *codec.Reply {
	if u.connected || u.slot == nil {
		return nil
	}
	cluster, refusal := s.mayUse(u.target.cluster)
	if refusal == nil && !u.slot.AddPending(cluster.Breakers) {
		s.recorder.Inc(stats.ClusterOverflow)
		refusal = envoyFailures.overflow.reply
	}
	return refusal
}

func (s *envoyRouted) failures() *failures { return &envoyFailures }

// dialNext does nothing: Envoy's cluster says which of its hosts are healthy.
func (s *envoyRouted) dialNext(*upstream) bool { return false }

func (s *envoyRouted) connectTimeout(u *upstream) Instant {
	if cluster, ok := s.clusterAt(u.target.cluster); ok {
		return cluster.ConnectTimeout
	}
	return s.shared.connectTimeout(u)
}
