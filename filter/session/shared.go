// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// shared is the mode of a connection to the one address that stands for all brokers and name servers. Each request finds
// its upstream by the router and the directory; upstreams are opened as they are needed. One that breaks fails only what
// waits there, with an answer, since everything else goes on.
type shared struct {
	*Session
	plainUpstreams
	byAddress map[string]*upstream // those that get requests

	routes map[clientRoute][]string // brokers whose address the client has got, sorted
	groups map[string][]string      // consumer group -> topics, by the last heartbeat

	held       pendingTable // refusals that are held back
	broadcasts map[*broadcast]struct{}
	heartbeat  lastHeartbeat
	unregister repeatable

	nextReplayOpaque int32 // of the next registration that the proxy sends by itself

	serverRequests   map[int32]serverRequest // by the opaque the client sees
	lastServerOpaque int32
	halfMessages     halfMessages
	queryRounds      map[uint64]int // how often the client has asked something, by its hash
}

func newShared(s *Session) *shared {
	return &shared{
		Session:        s,
		plainUpstreams: plainUpstreams{s},
		byAddress:      make(map[string]*upstream),
		routes:         make(map[clientRoute][]string),
		broadcasts:     make(map[*broadcast]struct{}),

		nextReplayOpaque: firstReplayOpaque,
	}
}

func (s *shared) ownFiles() int     { return 1 } // the client's connection; upstreams are counted one by one
func (s *shared) wholeFrames() bool { return true }

func (s *shared) open() bool {
	if !s.environment.Clusters.Asked() {
		return false
	}
	s.state = open
	return true
}

func (s *shared) await() {}

// follow does nothing: each request looks up where its broker is.
func (s *shared) follow() {}

// openUnknown opens the session: requests are answered as far as possible.
func (s *shared) openUnknown() { s.state = open }

func (s *shared) expire() Instant { return min(s.expireServerRequests(), s.expireRefusals()) }

// close ends the broadcasts and what is held back; nobody is left to answer.
func (s *shared) close() {
	for opaque, p := range s.held.All() {
		s.conclude(&s.held, opaque, p, cancelled)
	}
	for b := range s.broadcasts {
		b.cancel()
	}
	clear(s.broadcasts)
}

func (s *shared) effectiveCode(h *codec.Header) requests.Code { return requests.CodeOf(h) }

func (s *shared) needsBody(*requests.Type) bool { return false } // frames are complete

// request finds the way of a request by its class.
func (s *shared) request(kind *requests.Type, f framing.Frame) framing.Verdict {
	switch kind.Class {
	case requests.NameServer:
		return s.toNameServer(kind, f)
	case requests.NameServerChange:
		return s.toAllNameServers(kind, f)
	case requests.Registration:
		return s.register(kind, f)
	case requests.BrokerChange:
		return s.toEveryBroker(kind, f)
	case requests.FromBroker:
		return s.refuse(f.Header, router.RefusedInternal)
	}
	request := &router.Request{Type: kind, Header: f.Header, Body: f.Body()}
	name, refusal := router.Locate(request, knowledge{s})
	if refusal != nil {
		return s.refuse(f.Header, refusal)
	}
	return s.toBroker(name, request, f)
}

// toBroker sends a request to the broker of that name.
func (s *shared) toBroker(name []byte, request *router.Request, f framing.Frame) framing.Verdict {
	clusters, refusal := s.clustersFor(request)
	if refusal != nil {
		return s.refuse(f.Header, refusal)
	}
	u, refusal := s.brokerUpstream(name, clusters)
	if refusal != nil {
		return s.refuse(f.Header, refusal)
	}
	v, _ := s.forward(u, request.Type, f)
	return v
}

// toNameServer sends a request to a name server of the cluster that its topic is in. What belongs to no cluster in
// particular goes to the first; a topic that can be in several is asked for in each of them.
func (s *shared) toNameServer(kind *requests.Type, f framing.Frame) framing.Verdict {
	cluster := s.environment.Clusters.First()
	if topic := kind.Topic(f.Header); kind.Answer == requests.TopicRouteData && len(topic) > 0 {
		clusters := s.clustersOf(topic)
		if len(clusters) > 1 {
			return s.toNameServers(kind, f, clusters)
		}
		cluster = clusters[0]
	}
	u, refusal := s.nameServerUpstream(cluster)
	if refusal != nil {
		return s.refuse(f.Header, refusal)
	}
	v, _ := s.forward(u, kind, f)
	return v
}

// reads notes half messages, and rewrites lists of consumers.
func (s *shared) reads(u *upstream, kind *requests.Type, h *codec.Header) (onAnswer func(framing.Frame), rewritten bool) {
	if kind.IsPrepared(h) {
		at := u.target
		onAnswer = func(f framing.Frame) { s.halfMessages.rememberSent(at, f.Header) }
	}
	return onAnswer, kind.Answer.HasBrokers() || kind.Answer == requests.ConsumerIDs
}

func (s *shared) deadlineOf(kind *requests.Type, wait Instant) Instant {
	return s.now + s.environment.Config.Timeouts.Of(kind.Timeout) + wait
}

// To a client on a shared connection GO_AWAY would mean that all brokers go.
var upstreamLeaving = failure{causeUpstreamLost, &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the broker is shutting down and has not processed the request"}}

func (s *shared) answer(u *upstream, p *pending, f framing.Frame) framing.Verdict {
	opaque := f.Header.Opaque
	switch {
	case p == nil:
		if tellsOfStored(f.Header) {
			s.recorder.Inc(stats.SendAnsweredLate)
		}
		return framing.Drop // it may answer another question, or be a route with real addresses
	case f.Header.ResponseCode() == codec.ResponseGoAway:
		s.retire(u, stats.UpstreamGoAway)
		s.fail(u, opaque, p, upstreamLeaving)
		return framing.Drop
	case p.copyOf != nil:
		out := *p
		s.takeOut(&u.pending, opaque, p)
		out.copyOf.copyAnswered(u, out, f)
		return framing.Drop
	}
	return s.passAnswer(u, p, f)
}

// tellsOfStored reports whether an answer is that to a send whose message was stored, whatever else went wrong
// (SendMessageResponseHeader).
func tellsOfStored(answer *codec.Header) bool {
	_, stored := answer.Field("msgId")
	return stored
}

// maxUnanswered is how many requests in a row may expire without a byte from the broker until its connection counts as
// dead. One or two may be slow requests; Java gives a connection up after the first (NettyRemotingClient), but has no
// other requests on it.
const maxUnanswered = 3

// fail ends a request with an answer of the proxy's own.
func (s *shared) fail(u *upstream, opaque int32, p *pending, why failure) {
	s.conclude(&u.pending, opaque, p, failedWith(why))
	if why == deadlinePassed && u.connected && !u.leaving && u.unanswered >= maxUnanswered {
		s.retire(u, stats.UpstreamSilent)
	}
}
