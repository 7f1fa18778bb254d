// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// serverRequestTimeout is how long a broker waits for a client's answer (Broker2Client: 5 to 10 s).
const serverRequestTimeout = 10e9

// serverRequest is a broker's request that the client has not answered yet. Each broker counts its opaques by itself, so
// they would collide on a shared client connection: the client sees another one.
type serverRequest struct {
	from     UpstreamID
	opaque   int32
	deadline Instant
}

// brokerRequest passes a broker's request on to the client.
func (s *shared) brokerRequest(u *upstream, f framing.Frame) framing.Verdict {
	h := f.Header
	if requests.CodeOf(h) == requests.CheckTransactionState {
		s.halfMessages.rememberCheck(u.target, h)
	}
	if h.IsOneway() {
		return framing.PassTo(0)
	}
	if len(s.serverRequests) >= s.environment.Config.Limits.MaxServerRequests {
		s.recorder.Inc(stats.ServerRequestOverLimit)
		return framing.Drop
	}
	if s.serverRequests == nil {
		s.serverRequests = make(map[int32]serverRequest)
	}
	s.lastServerOpaque++
	r := serverRequest{from: u.id, opaque: h.Opaque, deadline: s.now + serverRequestTimeout}
	s.serverRequests[s.lastServerOpaque] = r
	s.arm(r.deadline)
	s.writeDownstream(append(h.AppendWithOpaque(nil, s.lastServerOpaque, len(f.Body())), f.Body()...))
	return framing.Drop
}

// clientAnswer passes a client's answer on to the broker that asked.
func (s *shared) clientAnswer(f framing.Frame) framing.Verdict {
	h := f.Header
	r, ok := s.serverRequests[h.Opaque]
	delete(s.serverRequests, h.Opaque)
	u := s.upstreams[r.from]
	if !ok || u == nil || !s.mode.canWrite(u, f.Size) {
		s.recorder.Inc(stats.ClientResponseUnexpected)
		return framing.Drop
	}
	u.send(append(h.AppendWithOpaque(nil, r.opaque, len(f.Body())), f.Body()...))
	return framing.Drop
}

// expireServerRequests ends requests of brokers that the client never answers, and returns the next deadline.
func (s *shared) expireServerRequests() Instant {
	next := never
	for opaque, r := range s.serverRequests {
		if r.deadline <= s.now {
			delete(s.serverRequests, opaque)
			s.recorder.Inc(stats.ServerRequestExpired)
			continue
		}
		next = min(next, r.deadline)
	}
	return next
}

// owesAnswer reports whether the client has not answered a request of u yet.
func (s *shared) owesAnswer(u *upstream) bool {
	for _, r := range s.serverRequests {
		if r.from == u.id {
			return true
		}
	}
	return false
}

// forgetServerRequests drops what u has asked of the client.
func (s *shared) forgetServerRequests(u *upstream) {
	for opaque, r := range s.serverRequests {
		if r.from == u.id {
			delete(s.serverRequests, opaque)
		}
	}
}
