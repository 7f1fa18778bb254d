// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// rewriteBody returns the body that the client gets in place of the one that u has sent. What name servers say of brokers
// is learned by the directory.
func (s *Session) rewriteBody(u *upstream, p *pending, old []byte) ([]byte, error) {
	switch p.kind.Answer {
	case requests.ConsumerIDs:
		return s.uniqueConsumers(old), nil
	case requests.TopicList:
		return s.rewriteTopicList(u, old)
	case requests.ClusterInfo:
		return s.rewriteClusterInfo(u, old)
	}
	return s.rewriteRoute(u, p.route, old)
}

func (s *Session) rewriteTopicList(u *upstream, old []byte) ([]byte, error) {
	var known []string
	rewritten, err := body.RewriteTopicList(old, s.advertiseKnown(u.target.cluster, &known))
	if err == nil {
		s.mode.advertised(u.target.cluster, "", known)
	}
	return rewritten, err
}

func (s *Session) rewriteClusterInfo(u *upstream, old []byte) ([]byte, error) {
	seen, err := body.ParseClusterInfo(old)
	if err != nil {
		return nil, err
	}
	rewritten, _, err := body.RewriteClusterInfo(old, s.advertise(seen, nil))
	if err != nil {
		return nil, err
	}
	if s.mode.isNameServer(u.target, u.address) {
		u.target.cluster.LearnBrokers(seen)
	}
	return rewritten, nil
}

func (s *Session) rewriteRoute(u *upstream, asked *routeQuery, old []byte) ([]byte, error) {
	route, err := body.ParseTopicRouteData(old)
	if err != nil {
		return nil, err
	}
	var known []string
	rewritten, _, err := body.RewriteTopicRouteData(old, s.advertise(route.Brokers, &known))
	if err != nil {
		return nil, err
	}
	if s.mode.isNameServer(u.target, u.address) {
		u.target.cluster.LearnRoute(directory.RouteSource{NameServer: u.address, Zone: asked.zone}, asked.topic, route)
	}
	s.mode.advertised(u.target.cluster, asked.topic, known)
	return rewritten, nil
}

// uniqueConsumers names a consumer once that has two connections: a client that dials from two threads at once, after an
// outage, keeps both for two minutes and is registered on both. If it were counted twice, the queues assigned to the
// second connection would never be consumed (RebalanceImpl, NettyRemotingClient).
func (s *Session) uniqueConsumers(old []byte) []byte {
	unique, err := body.UniqueConsumerIDs(old)
	if err != nil {
		return old // for the client to judge
	}
	if len(unique) != len(old) {
		s.recorder.Inc(stats.ConsumerNamedTwice)
	}
	return unique
}

// advertise returns what this client gets in place of each address. It appends the brokers whose address it gets to known.
func (s *Session) advertise(seen []body.Address, known *[]string) body.Advertise {
	leastIDs := addressing.LeastIDs(seen)
	return func(a body.Address) (string, bool) {
		return s.advertiseOne(a, leastIDs[a.BrokerName], known)
	}
}

// advertiseKnown does the same for an address that stands alone, without its broker's name: the directory knows that. An
// address that it does not know is covered by no rule.
func (s *Session) advertiseKnown(cluster *directory.Directory, known *[]string) func(address string) (string, bool) {
	return func(address string) (string, bool) {
		if broker, leastID, ok := cluster.Snapshot().At(address); ok {
			return s.advertiseOne(broker, leastID, known)
		}
		return s.uncovered(address)
	}
}

func (s *Session) advertiseOne(a body.Address, leastID int64, known *[]string) (string, bool) {
	address, coverage := s.environment.Rules.Advertise(s.local, a, leastID)
	switch coverage {
	case addressing.Covered:
		if address != a.Addr {
			s.recorder.Inc(stats.RouteAddressRewritten)
		}
		if known != nil {
			*known = append(*known, a.BrokerName)
		}
		return address, true
	case addressing.Withheld:
		return "", false
	}
	return s.uncovered(a.Addr)
}

// uncovered counts an address that no rule covers, and keeps it if the config says so.
func (s *Session) uncovered(address string) (string, bool) {
	s.recorder.Inc(stats.RouteAddressUncovered)
	return address, s.environment.Config.Addressing.PassUncovered
}
