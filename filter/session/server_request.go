// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
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
func (s *Session) brokerAsked(u *upstream, f framing.Frame) framing.Verdict {
	if s.flushLate(); s.state == closed { // that was too much to keep
		return framing.Stop
	}
	h := f.Header
	s.recorder.Inc(stats.ServerRequest)
	if s.role.Kind != addressing.ToAll {
		return framing.PassTo(0)
	}
	x := s.unified
	if requests.CodeOf(h) == requests.CheckTransactionState {
		x.halves.rememberCheck(u.place, h)
	}
	if h.IsOneway() {
		return framing.PassTo(0)
	}
	if len(x.serverRequests) >= s.environment.Config.Limits.MaxServerRequests {
		s.recorder.Inc(stats.ServerRequestOverLimit)
		return framing.Drop
	}
	if x.serverRequests == nil {
		x.serverRequests = make(map[int32]serverRequest)
	}
	x.lastServerOpaque++
	r := serverRequest{from: u.id, opaque: h.Opaque, deadline: s.now + serverRequestTimeout}
	x.serverRequests[x.lastServerOpaque] = r
	s.arm(r.deadline)
	rest := f.Body()
	s.writeDownstream(append(h.AppendWithOpaque(nil, x.lastServerOpaque, len(rest)), rest...))
	return framing.Drop
}

// clientAnswered passes a client's answer on to the broker that asked.
func (s *Session) clientAnswered(f framing.Frame) framing.Verdict {
	if s.role.Kind != addressing.ToAll {
		if !s.only.connected { // nothing can have asked yet
			s.recorder.Inc(stats.ClientResponseUnexpected)
			return framing.Drop
		}
		return framing.PassTo(s.only.id)
	}
	h := f.Header
	r, ok := s.unified.serverRequests[h.Opaque]
	u := s.upstreams[r.from]
	if !ok || u == nil || !u.canWrite(f.Size) {
		delete(s.unified.serverRequests, h.Opaque)
		s.recorder.Inc(stats.ClientResponseUnexpected)
		return framing.Drop
	}
	delete(s.unified.serverRequests, h.Opaque)
	rest := f.Body()
	if s.goingUp.Flush(); s.state == closed { // that was too much to keep
		return framing.Stop
	}
	u.write(append(h.AppendWithOpaque(nil, r.opaque, len(rest)), rest...))
	return framing.Drop
}
