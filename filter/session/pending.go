// SPDX-License-Identifier: Apache-2.0

package session

import (
	"math"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// pending is a request that waits for its answer. It ends exactly once: answered, failed, expired or
// cancelled.
type pending struct {
	kind     *router.Kind
	code     codec.RequestCode
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

// patience is how long a request waits on a connection that stands for one upstream. The proxy does
// not answer for the broker there, it only stops counting what nobody can be waiting for any more.
const patience = 10 * 60 * 1e9

var deadlinePassed = &router.Refusal{Code: codec.ResponseSystemError, Remark: "no answer came in time"}

// deadlineOf is when a request's time is over.
func (s *Session) deadlineOf(kind *router.Kind, wait Instant) Instant {
	if s.role.Kind != addressing.ToAll {
		return s.now + patience
	}
	timeout := kind.Timeout
	if timeout == 0 {
		timeout = s.environment.Config.Timeouts.Request
	}
	return s.now + timeout + wait
}

// expect notes that a request is sent to u and wants an answer.
func (s *Session) expect(u *upstream, kind *router.Kind, h *codec.Header) {
	p := pending{kind: kind, code: s.codeOf(h), asker: askerOf(h), start: s.now, noted: s.noting}
	var wait Instant
	if kind.Wait != nil {
		wait = kind.Wait(h)
		p.longPoll = wait > 0
	}
	p.deadline = s.deadlineOf(kind, wait)
	p.prepared = s.unified != nil && kind.Prepared != nil && kind.Prepared(h)
	if kind.Rewrite == router.TopicRouteData {
		p.topic = routeTopic(h)
	}
	u.pending.set(h.Opaque, p)
	s.active.add(p.code, 1)
	s.arm(p.deadline)
}

// routeTopic is the topic of a GET_ROUTEINFO_BY_TOPIC.
func routeTopic(h *codec.Header) string {
	topic, _ := h.Field("topic")
	return string(topic)
}

// belowLimit tells whether one more request may wait; if not, it has answered it.
func (s *Session) belowLimit(h *codec.Header) bool {
	if s.active.all < s.environment.Config.Limits.MaxPendingRequests {
		return true
	}
	s.refuseOverLimit(h)
	return false
}

// reused ends the session if the client uses the opaque of a request that still waits at u: nobody could
// tell which of the two an answer is for, and a route must not pass for something else.
func (s *Session) reused(u *upstream, opaque int32) bool {
	if !u.pending.has(opaque) {
		return false
	}
	s.recorder.Inc(stats.RequestOpaqueReused)
	s.noting.end(s, ending{cause: causeOpaqueReused})
	s.closeDownstream()
	return true
}

// finish takes a request out of what is waiting.
func (s *Session) finish(u *upstream, opaque int32, p pending) {
	u.pending.remove(opaque)
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
	for opaque, p := range u.pending.all() {
		s.fail(u, opaque, p, reason)
	}
}

// cancelAll ends all requests that wait for u; nobody is left to answer.
func (s *Session) cancelAll(u *upstream) {
	for opaque, p := range u.pending.all() {
		s.finish(u, opaque, p)
		if p.fanOut == nil {
			s.recorder.Inc(stats.RequestCancelled)
			s.recorder.Inc(stats.ResponseError)
			p.noted.end(s, ending{cause: causeClientGone})
		}
	}
}

// expire ends what is past its deadline and arms the next wake.
func (s *Session) expire() {
	next := Instant(math.MaxInt64)
	for _, u := range s.upstreams {
		if !u.connected {
			if u.deadline <= s.now {
				s.host.CloseUpstream(u.id)
				s.connectFailed(u, s.losses().timedOut)
				continue
			}
			next = min(next, u.deadline)
		}
		for opaque, p := range u.pending.all() {
			if p.deadline > s.now {
				next = min(next, p.deadline)
				continue
			}
			if p.fanOut == nil {
				s.recorder.Inc(stats.RequestExpired)
			}
			if s.role.Kind == addressing.ToAll {
				s.fail(u, opaque, p, deadlinePassed)
			} else {
				s.finish(u, opaque, p)
				s.recorder.Inc(stats.ResponseError)
				p.noted.end(s, ending{cause: causeDeadline})
			}
		}
		s.endIfLeft(u)
	}
	if s.state == closed {
		return
	}
	if s.unified != nil {
		next = min(next, s.unified.expire(s))
	}
	if s.state == waiting {
		next = min(next, s.giveUp)
	}
	if next != math.MaxInt64 {
		s.arm(next)
	}
}
