// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// requestJudge decides about the frames of the client.
type requestJudge struct{ *Session }

// Judge implements framing.Judge.
func (s requestJudge) Judge(f framing.Frame) framing.Verdict {
	h := f.Header
	if s.state == closed {
		return framing.Stop
	}
	if h.IsResponse() {
		s.recorder.Inc(stats.ClientResponse)
		return s.mode.clientAnswer(f)
	}
	code := s.mode.effectiveCode(h)
	kind := requests.Of(code)
	if !f.Complete() && (s.mode.needsBody(kind) || s.tracksBody(kind, h)) {
		return framing.More
	}
	s.recorder.Inc(stats.RequestCodeID(code))
	if h.IsOneway() {
		s.recorder.Inc(stats.RequestOneway)
	}
	s.requestCount++
	if s.tracking = nil; len(s.environment.Observers) > 0 {
		s.track(code, kind, f)
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
	return s.mode.request(kind, f)
}

// forward passes a request on to one upstream, where it waits for its answer if it wants one. If something is in the way it
// refuses the request and returns false, with the verdict about its frame.
func (s *Session) forward(u *upstream, kind *requests.Type, f framing.Frame) (framing.Verdict, bool) {
	h := f.Header
	if !s.mode.canWrite(u, f.Size) {
		return s.refuseOverLimit(h), false
	}
	s.tracking.goesTo(u)
	u.usedAt = s.now
	if !h.IsOneway() {
		if s.rejectReusedOpaque(u, h) {
			return framing.Stop, false
		}
		if !s.admit(h, u) {
			return framing.Drop, false
		}
	}
	if refusal := s.mode.mayQueue(u); refusal != nil { // last: what is refused for another reason does not wait
		return s.refuse(h, refusal), false
	}
	if h.IsOneway() {
		s.ended(s.tracking, replyTo(h), h.Opaque, &outcome{})
	} else {
		s.expect(u, kind, h)
	}
	return framing.PassTo(u.id), true
}

// refuse ends a request that goes nowhere with an answer, unless it wants none. The mode may hold the answer back.
func (s *Session) refuse(h *codec.Header, refusal *codec.Reply) framing.Verdict {
	if !s.mode.holdRefusal(h, refusal) {
		o := refusedWith(refusal)
		s.ended(s.tracking, replyTo(h), h.Opaque, &o)
	}
	return framing.Drop
}

func (s *Session) refuseOverLimit(h *codec.Header) framing.Verdict {
	s.recorder.Inc(stats.RequestOverLimit)
	return s.refuse(h, overLimit.reply)
}

// isTrue reports whether a header has this field, and it is true.
func isTrue(h *codec.Header, field string) bool {
	value, _ := h.Field(field)
	return string(value) == "true"
}
