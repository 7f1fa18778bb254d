// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Judge judges the frames of a broker or a name server.
func (u *upstream) Judge(f framing.Frame) framing.Verdict {
	s, h := u.session, f.Header
	if s.state == closed {
		return framing.Stop
	}
	if !h.IsResponse() {
		return s.brokerAsked(u, f)
	}
	p, expected := u.pending.Get(h.Opaque)
	rewrite := expected && s.rewrites(p.kind) && h.ResponseCode() == codec.ResponseSuccess
	if rewrite && !f.Complete() {
		return framing.More
	}
	if s.flushLate(); s.state == closed { // that was too much to keep
		return framing.Stop
	}
	s.recorder.Inc(stats.ResponseDecodingSuccess)
	if !expected {
		s.recorder.Inc(stats.ResponseUnexpected)
		if s.role.Kind == addressing.ToAll || s.role.Kind == addressing.ToNameServer {
			return framing.Drop // it may answer another question, or be a route with real addresses
		}
		return framing.PassTo(0)
	}
	if s.unified != nil && h.ResponseCode() == codec.ResponseGoAway {
		s.retire(u, stats.UpstreamGoAway)
		s.fail(u, h.Opaque, p, upstreamLeaving)
		return framing.Drop
	}
	s.finish(u, h.Opaque, p)
	if p.fanOut != nil {
		p.fanOut.answered(u, p, f)
		return framing.Drop
	}
	s.recorder.Time(s.now-p.start, p.longPoll)
	p.noted.answered(s, f.Size)
	if p.onSuccess != nil && h.ResponseCode() == codec.ResponseSuccess {
		p.onSuccess(f.Body())
	}
	if rewrite {
		return s.rewriteAnswer(u, p, f)
	}
	if p.prepared {
		s.unified.halves.rememberSent(u.place, h)
	}
	s.recorder.Inc(stats.ResponseSuccess)
	p.noted.end(s, answeredWith(h.ResponseCode()))
	return framing.PassTo(0)
}

// rewrites tells whether answers to requests of a kind are changed on this connection.
func (s *Session) rewrites(kind *requests.Type) bool {
	return kind.Answer.HasBrokers() || kind.Answer == requests.ConsumerIDs && s.unified != nil
}

// rewriteAnswer sends an answer on with another body.
func (s *Session) rewriteAnswer(u *upstream, p pending, f framing.Frame) framing.Verdict {
	h, old := f.Header, f.Body()
	rewritten, err := s.rewriteBody(u, p, old)
	if err != nil {
		s.recorder.Inc(stats.RouteUnreadable)
		s.recorder.Inc(stats.ResponseError)
		p.noted.end(s, ending{answered: true, code: codec.ResponseSystemError, cause: causeUnreadable})
		s.answer(p.asker, h.Opaque, unreadableAnswer(err))
		return framing.Drop
	}
	s.recorder.Inc(stats.ResponseSuccess)
	p.noted.end(s, answeredWith(h.ResponseCode()))
	answer := h.AppendWithBodySize(make([]byte, 0, codec.PrefixSize+len(h.Raw())+len(rewritten)), len(rewritten))
	s.writeDownstream(append(answer, rewritten...))
	return framing.Drop
}

func (s *Session) rewriteBody(u *upstream, p pending, old []byte) ([]byte, error) {
	var told []string
	if p.kind.Answer == requests.ConsumerIDs {
		return s.uniqueConsumers(old), nil
	}
	if p.kind.Answer == requests.TopicList {
		rewritten, err := body.RewriteTopicList(old, s.advertiseKnown(u.place.cluster, &told))
		if err == nil && s.unified != nil {
			s.tell(u.place.cluster, told)
		}
		return rewritten, err
	}
	if p.kind.Answer == requests.ClusterInfo {
		seen, err := body.ParseClusterInfo(old)
		if err != nil {
			return nil, err
		}
		rewritten, _, err := body.RewriteClusterInfo(old, s.advertise(seen, &told))
		if err != nil {
			return nil, err
		}
		if s.isNameServer(u) {
			u.place.cluster.LearnBrokers(seen)
		}
		return rewritten, nil
	}
	route, err := body.ParseTopicRouteData(old)
	if err != nil {
		return nil, err
	}
	rewritten, _, err := body.RewriteTopicRouteData(old, s.advertise(route.Brokers, &told))
	if err != nil {
		return nil, err
	}
	if s.isNameServer(u) {
		u.place.cluster.LearnRoute(directory.RouteSource{NameServer: u.address}, p.topic, route)
	}
	if s.unified != nil {
		s.tell(u.place.cluster, told)
	}
	return rewritten, nil
}

// uniqueConsumers names a consumer once that has two connections: a client that dials from two threads at once, after an
// outage, keeps both for two minutes and is registered on both. Counted twice it would be given the queues of
// one, and those of the other would rest (RebalanceImpl, NettyRemotingClient).
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

// isNameServer tells whether u is a name server, whose word about brokers counts for all sessions.
func (s *Session) isNameServer(u *upstream) bool {
	switch s.role.Kind {
	case addressing.ToNameServer:
		return true
	case addressing.ToAll:
		return u.place.broker == ""
	case addressing.ToDialled:
		return slices.Contains(u.place.cluster.Snapshot().NameServers(), u.address)
	}
	return false
}

// advertise gives what this client shall learn of each address, and notes the brokers it will know.
func (s *Session) advertise(seen []body.Address, told *[]string) body.Advertise {
	leastIDs := addressing.LeastIDs(seen)
	return func(a body.Address) (string, bool) {
		return s.advertiseOne(a, leastIDs[a.BrokerName], told)
	}
}

// advertiseKnown does the same for an address that stands alone, without its broker's name: the directory knows that. An
// address that it does not know is covered by no rule.
func (s *Session) advertiseKnown(cluster *directory.Directory, told *[]string) func(address string) (string, bool) {
	return func(address string) (string, bool) {
		if broker, leastID, ok := cluster.Snapshot().At(address); ok {
			return s.advertiseOne(broker, leastID, told)
		}
		return s.uncovered(address)
	}
}

func (s *Session) advertiseOne(a body.Address, leastID int64, told *[]string) (string, bool) {
	address, coverage := s.environment.Rules.Advertise(s.local, a, leastID)
	switch coverage {
	case addressing.Covered:
		if address != a.Addr {
			s.recorder.Inc(stats.RouteAddressRewritten)
		}
		*told = append(*told, a.BrokerName)
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
