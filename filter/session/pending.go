// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// pending is a request that waits for its answer. It ends exactly once: answered, failed, expired or
// cancelled.
type pending struct {
	kind     *requests.Type
	code     requests.Code
	asker    asker
	longPoll bool
	prepared bool // a half message on a unified connection
	start    Instant
	deadline Instant
	topic    string  // of a GET_ROUTEINFO_BY_TOPIC
	fanOut   *fanOut // the request this is a copy of; nil for a request of its own
	noted    *noted  // nil for most
	// onSuccess is given the body of a successful answer; nil for most.
	onSuccess func(content []byte)
}

// expect notes that a request is sent to u and wants an answer.
func (s *Session) expect(u *upstream, kind *requests.Type, h *codec.Header) {
	p := pending{kind: kind, code: s.codeOf(h), asker: askerOf(h), start: s.now, noted: s.noting}
	wait := kind.Wait(h)
	p.longPoll = wait > 0
	p.deadline = s.deadlineOf(kind, wait)
	p.prepared = s.unified != nil && kind.IsPrepared(h)
	if kind.Answer == requests.TopicRouteData {
		p.topic = routeTopic(h)
	}
	u.await(h.Opaque, p)
	s.active.add(p.code, 1)
	s.arm(p.deadline)
}

// await puts a request into the table of those that wait for u, which has room for it.
func (u *upstream) await(opaque int32, p pending) {
	if u.slot != nil {
		u.slot.Busy()
	}
	u.pending.Set(opaque, p)
}

// reserve makes room for one more request in the table of those that wait for u; it returns false if that is beyond a
// limit.
func (u *upstream) reserve() bool {
	more := u.pending.Needs()
	if more == 0 {
		return true
	}
	if !u.session.quota.Memory.Reserve(more) {
		u.session.recorder.Inc(stats.MemoryOverLimit)
		return false
	}
	u.pending.Grow()
	return true
}

// maxName is the longest name of a topic or a group that is remembered: %RETRY% and a group of 255 characters
// (TopicValidator) have room in it.
const maxName = 1024

// routeTopic is the topic of a GET_ROUTEINFO_BY_TOPIC; empty if it is longer than any that there can be.
func routeTopic(h *codec.Header) string {
	topic, _ := h.Field("topic")
	if len(topic) > maxName {
		return ""
	}
	return string(topic)
}

// belowLimit makes room for one more request that waits for each target, and is to be added to active next; if there is
// none, it has answered the request.
func (s *Session) belowLimit(h *codec.Header, targets ...*upstream) bool {
	for _, u := range targets {
		if !u.reserve() {
			s.refuseOverLimit(h)
			return false
		}
	}
	if s.quota.Pending.Reserve(1) {
		return true
	}
	s.refuseOverLimit(h)
	return false
}

// reused ends the session if the client uses the opaque of a request that still waits at u: nobody could
// tell which of the two an answer is for, and a route must not pass for something else.
func (s *Session) reused(u *upstream, opaque int32) bool {
	if !u.pending.Has(opaque) {
		return false
	}
	s.recorder.Inc(stats.RequestOpaqueReused)
	s.noting.end(s, ending{cause: causeOpaqueReused})
	s.closeDownstream()
	return true
}

// finish takes a request out of what is waiting.
func (s *Session) finish(u *upstream, opaque int32, p pending) {
	before := u.pending.Bytes()
	u.pending.Remove(opaque)
	s.quota.Memory.Release(before - u.pending.Bytes())
	if p.fanOut == nil {
		s.active.add(p.code, -1)
	}
}

// fail ends a request with an answer of the proxy's own.
func (s *Session) fail(u *upstream, opaque int32, p pending, reason *router.Refusal) {
	s.finish(u, opaque, p)
	if p.fanOut != nil {
		p.fanOut.failed(s, reason)
		return
	}
	s.recorder.Inc(stats.ResponseError)
	p.noted.end(s, failedWith(reason))
	s.answer(p.asker, opaque, reason)
}

// failAll ends all requests that wait for u.
func (s *Session) failAll(u *upstream, reason *router.Refusal) {
	for opaque, p := range u.pending.All() {
		s.fail(u, opaque, p, reason)
	}
}

// cancelAll ends all requests that wait for u; nobody is left to answer.
func (s *Session) cancelAll(u *upstream) {
	for opaque, p := range u.pending.All() {
		s.finish(u, opaque, p)
		if p.fanOut == nil {
			s.recorder.Inc(stats.RequestCancelled)
			s.recorder.Inc(stats.ResponseError)
			p.noted.end(s, ending{cause: causeClientGone})
		}
	}
}
