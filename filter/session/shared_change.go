// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// toAllNameServers sends a change to every name server of the clusters that its topic can be in.
func (s *shared) toAllNameServers(kind *requests.Type, f framing.Frame) framing.Verdict {
	var targets []*upstream
	for _, cluster := range s.clustersOf(kind.Topic(f.Header)) {
		for _, address := range cluster.Snapshot().NameServers() {
			u, refusal := s.connectTo(target{cluster: cluster}, address)
			if refusal != nil {
				return s.refuse(f.Header, refusal)
			}
			targets = append(targets, u)
		}
	}
	return s.changeAll(kind, f, targets, nameServerUnknown)
}

var (
	clusterWide  = &codec.Reply{Code: codec.ResponseVersionNotSupported, Remark: "this change would reach every broker, as all share this address: use a proxy in per_broker mode, or set addressing.unified.allow_cluster_wide_changes"}
	severalNames = &codec.Reply{Code: codec.ResponseVersionNotSupported, Remark: "this change would reach the brokers of several clusters, as all share this address: use a proxy in per_broker mode"}
)

// mayChangeAll returns why a change must not go to all of the brokers; nil: it may. The request was meant for the broker
// at the address that was dialled, or is one of several for those of a cluster, and does not say so.
func (s *shared) mayChangeAll(brokers []target) *codec.Reply {
	if len(brokers) <= 1 {
		return nil
	}
	if !s.environment.Config.Addressing.ClusterWideChanges {
		return clusterWide
	}
	first := brokers[0]
	for _, at := range brokers[1:] {
		if at.cluster != first.cluster || at.cluster.Snapshot().ClusterName(at.broker) != first.cluster.Snapshot().ClusterName(first.broker) {
			return severalNames
		}
	}
	return nil
}

// toEveryBroker sends a change to the master of every broker of the clusters that its topic can be in.
func (s *shared) toEveryBroker(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	clusters, refusal := s.clustersOfAll(&router.Request{Type: kind, Header: h, Body: f.Body()}, func(about body.Subject) []*directory.Directory { return s.clustersOf(about.Topic) })
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	brokers := brokersOf(clusters)
	if refusal := s.mayChangeAll(brokers); refusal != nil {
		return s.refuse(h, refusal)
	}
	var targets []*upstream
	for _, at := range brokers {
		u, refusal := s.brokerUpstream([]byte(at.broker), []*directory.Directory{at.cluster})
		if refusal != nil {
			return s.refuse(h, refusal)
		}
		targets = append(targets, u)
	}
	return s.changeAll(kind, f, targets, brokerUnknown)
}

// changeAll sends a request to all targets: one failure is the answer. `nobody` answers it if there are none.
func (s *shared) changeAll(kind *requests.Type, f framing.Frame, targets []*upstream, nobody *codec.Reply) framing.Verdict {
	if len(targets) == 0 {
		return s.refuse(f.Header, nobody)
	}
	_, v := s.sendCopies(kind, targets, f, true)
	return v
}

// brokersOf returns all brokers of some clusters.
func brokersOf(clusters []*directory.Directory) (brokers []target) {
	for _, cluster := range clusters {
		for _, name := range cluster.Snapshot().BrokerNames() {
			brokers = append(brokers, target{cluster, name})
		}
	}
	return brokers
}
