// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
)

// standardJSONVersion is the version of clients from which on name servers answer standard JSON (V4_9_4).
const standardJSONVersion = 401

// answerRoute makes the route of a topic of all endpoints of its cluster that say which broker they are. As in Envoy's
// filter health, priority and metadata_match play no part: a consumer must learn of every queue that has messages.
func (s *envoyRouted) answerRoute(h *codec.Header) framing.Verdict {
	topic, _ := h.Field("topic")
	route, cluster, refusal := s.clusterOf(routeconfig.Request{Topic: string(topic), Code: h.Code})
	if refusal != nil {
		return s.refuse(h, clusterMissing)
	}
	if _, err := netip.ParseAddrPort(s.local); err != nil && s.routing.DevelopMode {
		return s.refuse(h, noDialled)
	}
	var brokers []body.RouteBroker
	var names []string
	for _, e := range cluster.Endpoints {
		if e.Broker.Name == "" {
			continue
		}
		address := e.Address
		if s.routing.DevelopMode {
			address = s.local
		}
		names = append(names, e.Broker.Name)
		brokers = append(brokers, body.RouteBroker{
			Address:     body.Address{Cluster: e.Broker.ClusterName, BrokerName: e.Broker.Name, BrokerID: e.Broker.ID, Addr: address},
			ReadQueues:  e.Broker.ReadQueueNum,
			WriteQueues: e.Broker.WriteQueueNum,
			Perm:        e.Broker.Perm,
		})
	}
	if len(brokers) == 0 {
		return s.refuse(h, clusterMissing)
	}
	s.advertised(s.routing.Directories[route.Cluster], string(topic), names)
	standard, _ := h.Field("acceptStandardJsonOnly")
	return s.answerLocally(h, &codec.Reply{}, body.AppendTopicRouteData(nil, brokers, h.Version >= standardJSONVersion || string(standard) == "true"))
}

// routedKnowledge is knowledge that takes the brokers of a topic from Envoy's clusters.
type routedKnowledge struct {
	knowledge
	routed *envoyRouted
}

// OnlyBroker implements router.View.
func (k routedKnowledge) OnlyBroker(topic string) (string, bool) {
	names := k.TopicBrokers(topic)
	if len(names) != 1 {
		return "", false
	}
	return names[0], true
}

// TopicBrokers implements router.View.
func (k routedKnowledge) TopicBrokers(topic string) (names []string) {
	_, cluster, refusal := k.routed.clusterOf(routeconfig.Request{Topic: topic, Code: int32(requests.GetRouteInfoByTopic)})
	if refusal != nil {
		return nil
	}
	for _, e := range cluster.Endpoints {
		if e.Broker.Name != "" {
			names = append(names, e.Broker.Name)
		}
	}
	return unique(names)
}
