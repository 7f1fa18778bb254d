// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Judge decides about the frames of a broker or a name server.
func (u *upstream) Judge(f framing.Frame) framing.Verdict {
	s, h := u.session, f.Header
	if !s.flushReplies() {
		return framing.Stop
	}
	if !h.IsResponse() {
		s.recorder.Inc(stats.ServerRequest)
		return s.mode.brokerRequest(u, f)
	}
	p := u.pending.Get(h.Opaque)
	if p != nil && !f.Complete() && p.isRewritten(h) {
		return framing.More
	}
	s.recorder.Inc(stats.ResponseDecodingSuccess)
	if p == nil {
		s.recorder.Inc(stats.ResponseUnexpected)
	}
	return s.mode.answer(u, p, f)
}

// isRewritten reports whether the client gets another body than this answer has.
func (p *pending) isRewritten(h *codec.Header) bool {
	return p.rewritten && h.ResponseCode() == codec.ResponseSuccess
}

// passAnswer ends the request of an answer that goes on, unchanged or with another body.
func (s *Session) passAnswer(u *upstream, p *pending, f framing.Frame) framing.Verdict {
	h := f.Header
	s.recorder.Time(s.now-p.start, p.longPoll)
	p.tracked.answered(s, f.Size)
	if p.onAnswer != nil {
		p.onAnswer(f)
	}
	if !p.isRewritten(h) {
		s.conclude(&u.pending, h.Opaque, p, answeredWith(h.ResponseCode()))
		return framing.PassTo(0)
	}
	rewritten, err := s.rewriteBody(u, p, f.Body())
	if err != nil {
		s.recorder.Inc(stats.RouteUnreadable)
		s.conclude(&u.pending, h.Opaque, p, failedWith(unreadableAnswer(err)))
		return framing.Drop
	}
	s.conclude(&u.pending, h.Opaque, p, answeredWith(h.ResponseCode()))
	answer := h.AppendWithBodySize(make([]byte, 0, codec.PrefixSize+len(h.Raw())+len(rewritten)), len(rewritten))
	s.writeDownstream(append(answer, rewritten...))
	return framing.Drop
}

func unreadableAnswer(err error) failure {
	return failure{causeUnreadable, &codec.Reply{Code: codec.ResponseSystemError, Remark: "the server's answer cannot be read: " + err.Error()}}
}
