// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// serverRequestTimeout is how long a broker waits for a client's answer (Broker2Client: 5 to 10 s).
const serverRequestTimeout = 10e9

// serverRequest is a broker's request that the client has not answered yet. Each broker counts its
// opaques by itself, so on a shared client connection they collide: the client sees another one.
type serverRequest struct {
	from     UpstreamID
	opaque   int32
	deadline Instant
}

// brokerAsked passes a broker's request on to the client.
func (s *Session) brokerAsked(u *upstream, frame []byte, h *codec.Header) verdict {
	if s.flushLate(); s.state == closed { // that was too much to keep
		return verdict{action: stop}
	}
	s.recorder.Inc(stats.ServerRequest)
	if s.role.Kind != addressing.ToAll {
		return verdict{action: pass}
	}
	x := s.unified
	if requests.CodeOf(h) == requests.CheckTransactionState {
		x.halves.rememberCheck(u.place, h)
	}
	if h.IsOneway() {
		return verdict{action: pass}
	}
	if len(x.serverRequests) >= s.environment.Config.Limits.MaxServerRequests {
		s.recorder.Inc(stats.ServerRequestOverLimit)
		return verdict{action: drop}
	}
	if x.serverRequests == nil {
		x.serverRequests = make(map[int32]serverRequest)
	}
	x.lastServerOpaque++
	r := serverRequest{from: u.id, opaque: h.Opaque, deadline: s.now + serverRequestTimeout}
	x.serverRequests[x.lastServerOpaque] = r
	s.arm(r.deadline)
	rest := frame[codec.PrefixSize+len(h.Raw()):]
	s.writeDownstream(append(h.AppendWithOpaque(nil, x.lastServerOpaque, len(rest)), rest...))
	return verdict{action: drop}
}

// clientAnswered passes a client's answer on to the broker that asked.
func (s *Session) clientAnswered(frame []byte, h *codec.Header) verdict {
	if s.role.Kind != addressing.ToAll {
		if !s.only.connected { // nothing can have asked yet
			s.recorder.Inc(stats.ClientResponseUnexpected)
			return verdict{action: drop}
		}
		return verdict{action: pass, to: s.only.id}
	}
	r, ok := s.unified.serverRequests[h.Opaque]
	u := s.upstreams[r.from]
	if !ok || u == nil || !u.canWrite(len(frame)) {
		delete(s.unified.serverRequests, h.Opaque)
		s.recorder.Inc(stats.ClientResponseUnexpected)
		return verdict{action: drop}
	}
	delete(s.unified.serverRequests, h.Opaque)
	rest := frame[codec.PrefixSize+len(h.Raw()):]
	if s.goingUp.flushJudged(); s.state == closed { // that was too much to keep
		return verdict{action: stop}
	}
	u.write(append(h.AppendWithOpaque(nil, r.opaque, len(rest)), rest...))
	return verdict{action: drop}
}
