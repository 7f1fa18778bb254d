// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// envoyRouted is the mode of a connection to a config of Envoy's own rocketmq_proxy: a shared address whose requests find
// their upstream by Envoy's routes and endpoints, where those know them, and whose consumer groups the proxy keeps.
type envoyRouted struct {
	*shared
	routing     *EnvoyRouting
	memberships map[membership]struct{} // of this connection's clients
}

func newEnvoyRouted(s *Session, routing *EnvoyRouting) *envoyRouted {
	return &envoyRouted{shared: newShared(s), routing: routing, memberships: make(map[membership]struct{})}
}

func (s *envoyRouted) open() bool { return s.routing.known() && s.shared.open() }

func (s *envoyRouted) close() {
	s.shared.close()
	s.leaveGroups()
}

// Answers of Envoy's own filter, word for word.
var (
	noRoute        = &codec.Reply{Code: codec.ResponseSystemError, Remark: "No route for current request."}
	noCluster      = &codec.Reply{Code: codec.ResponseSystemError, Remark: "Cluster does not exist."}
	maintenance    = &codec.Reply{Code: codec.ResponseSystemError, Remark: "Cluster under maintenance."}
	noHost         = &codec.Reply{Code: codec.ResponseSystemError, Remark: "No host available"}
	noDialled      = &codec.Reply{Code: codec.ResponseSystemError, Remark: "develop_mode has no address to advertise: the client has not dialled IP:port"}
	clusterMissing = &codec.Reply{Code: codec.ResponseSystemError, Remark: "Cluster is not available"}
	noDirective    = &codec.Reply{Code: codec.ResponseSystemError, Remark: "No ack directive is found"}
	notSupported   = &codec.Reply{Code: codec.ResponseSystemError, Remark: "Request not supported"}
	heartbeatOK    = &codec.Reply{Code: codec.ResponseSuccess, Remark: "Heartbeat OK"}
	unregisterOK   = &codec.Reply{Code: codec.ResponseSuccess, Remark: "Envoy unregister client OK."}
)

var envoyFailures = failures{
	failed:        failure{causeUpstreamFailed, &codec.Reply{Code: codec.ResponseSystemError, Remark: "remote connection failure"}},
	failedLocally: failure{causeUpstreamLost, &codec.Reply{Code: codec.ResponseSystemError, Remark: "local connection failure"}},
	overflow:      failure{causeUpstreamLost, &codec.Reply{Code: codec.ResponseSystemError, Remark: "overflow"}},
	timedOut:      failure{causeUpstreamFailed, &codec.Reply{Code: codec.ResponseSystemError, Remark: "timeout"}},
	lost:          failure{causeUpstreamLost, &codec.Reply{Code: codec.ResponseSystemError, Remark: "Connection to upstream is closed by remote peer"}},
	unreadable:    failure{causeUpstreamLost, &codec.Reply{Code: codec.ResponseSystemError, Remark: "Failed to decode response from upstream"}},
}

func (s *envoyRouted) effectiveCode(h *codec.Header) requests.Code {
	return requests.ForEnvoy(requests.CodeOf(h))
}

// request finds the way of a request by the routes of the config. A request that Envoy's filter does not know goes to the broker that it names.
func (s *envoyRouted) request(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	switch kind.Envoy {
	case requests.EnvoyAnswersRoute:
		return s.answerRoute(h)
	case requests.EnvoyRegisters:
		return s.registerMember(kind, f)
	case requests.EnvoyUnregisters:
		return s.unregisterMember(kind, f)
	case requests.EnvoyAnswersMembers:
		return s.answerConsumerList(h)
	case requests.EnvoyBalances:
		return s.balance(kind, f)
	case requests.EnvoyAcknowledges:
		return s.acknowledge(kind, f)
	}
	switch kind.Class {
	case requests.Named, requests.AnyBroker, requests.AddressOnly, requests.Unlisted:
		request := &router.Request{Type: kind, Header: h, Body: f.Body()}
		name, refusal := router.Locate(request, routedKnowledge{knowledge{s.shared}, s})
		if refusal != nil {
			return s.refuse(h, notSupported)
		}
		return s.toBroker(name, request, f)
	}
	return s.refuse(h, notSupported)
}
