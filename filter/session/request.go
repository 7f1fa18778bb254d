// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// requestJudge judges the frames of the client.
type requestJudge struct{ *Session }

// Judge implements framing.Judge.
func (s requestJudge) Judge(f framing.Frame) framing.Verdict {
	h := f.Header
	if s.state == closed {
		return framing.Stop
	}
	code := s.codeOf(h)
	kind := requests.Of(code)
	replicate := s.role.Kind == addressing.ToNameServer && kind.Class == requests.NameServerChange && !h.IsResponse()
	if !f.Complete() && (replicate || !h.IsResponse() && s.needsBody(kind, h)) {
		return framing.More
	}
	if h.IsResponse() {
		s.recorder.Inc(stats.ClientResponse)
		return s.clientAnswered(f)
	}
	s.recorder.Inc(stats.RequestCodeID(code))
	if h.IsOneway() {
		s.recorder.Inc(stats.RequestOneway)
	}
	s.judged++
	if s.noting = nil; len(s.environment.Observers) > 0 {
		s.note(code, kind, f)
	}
	switch {
	case kind.Class == requests.Internal:
		return s.refuse(h, router.RefusedInternal)
	case s.environment.Config.Policy.ReadOnlyAdmin && kind.MayChange():
		return s.refuse(h, router.RefusedChange)
	}
	if s.policy != nil {
		if refusal := s.askPolicy(code, kind, f); refusal != nil {
			return s.refuse(h, refusal)
		}
	}
	switch {
	case s.environment.Compatible != nil:
		return s.routeCompatible(kind, f)
	case s.role.Kind == addressing.ToAll:
		return s.routeRequest(kind, f)
	}
	v := s.forward(s.only, kind, f)
	if replicate && v == framing.PassTo(s.only.id) {
		s.replicate(f.Raw)
	}
	return v
}

// replicate sends a change of name-server data that goes on to the name servers that this connection does not lead to.
func (s *Session) replicate(frame []byte) {
	recorder := s.recorder
	s.environment.Clusters.First().Replicate(frame, func(error) { recorder.Inc(stats.NameServerCopyFailure) })
}

// forward sends a request on to one upstream.
func (s *Session) forward(u *upstream, kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	if !u.canWrite(f.Size) {
		s.refuseOverLimit(h)
		return framing.Drop
	}
	s.noting.goesTo(u)
	if !h.IsOneway() {
		if s.reused(u, h.Opaque) {
			return framing.Stop
		}
		if !s.belowLimit(h, u) {
			return framing.Drop
		}
	}
	if refusal := s.joinPending(u); refusal != nil { // last: what is refused for another reason does not wait
		return s.refuse(h, refusal)
	}
	if h.IsOneway() {
		s.noting.end(s, ending{})
	} else {
		s.expect(u, kind, h)
	}
	return framing.PassTo(u.id)
}

// refuse answers a request with an error, unless it wants no answer.
func (s *Session) refuse(h *codec.Header, refusal *router.Refusal) framing.Verdict {
	s.recorder.Inc(stats.RequestRefused)
	s.noting.end(s, refusedWith(refusal))
	if !h.IsOneway() {
		s.answer(askerOf(h), h.Opaque, refusal)
	}
	return framing.Drop
}

func (s *Session) refuseOverLimit(h *codec.Header) {
	s.recorder.Inc(stats.RequestOverLimit)
	s.refuse(h, overLimit)
}

// routeRequest finds the way of a request on a connection that stands for the whole cluster.
func (s *Session) routeRequest(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	switch kind.Class {
	case requests.NameServer:
		return s.toNameServer(kind, f)
	case requests.NameServerChange:
		return s.toAllNameServers(kind, f)
	case requests.Registration:
		return s.toAllBrokers(kind, f)
	case requests.BrokerChange:
		return s.toEveryBroker(kind, f)
	case requests.FromBroker:
		return s.refuse(h, router.RefusedInternal)
	}
	request := router.Request{Type: kind, Header: h, Body: f.Body()}
	name, refusal := router.Locate(request, knowledge{s})
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	clusters, refusal := s.clustersFor(kind, request)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	u, refusal := s.broker(name, clusters)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	return s.forward(u, kind, f)
}

// toNameServer sends a request to a name server of the cluster that its topic is in. What belongs to no
// cluster in particular goes to the first; a topic that can be in several is asked for in each of them.
func (s *Session) toNameServer(kind *requests.Type, f framing.Frame) framing.Verdict {
	h, cluster := f.Header, s.environment.Clusters.First()
	if topic := kind.Topic(h); kind.Answer == requests.TopicRouteData && len(topic) > 0 {
		clusters := s.clustersOf(topic)
		if len(clusters) > 1 {
			return s.toNameServers(kind, f, clusters)
		}
		cluster = clusters[0]
	}
	u, refusal := s.nameServer(cluster)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	return s.forward(u, kind, f)
}
