// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/opaque"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// pending is a request that waits for its answer at an upstream, or whose refusal is held back. It ends once: see conclude.
type pending struct {
	kind      *requests.Type
	code      requests.Code
	reply     replyContext
	longPoll  bool
	rewritten bool // its answer, if that is a success
	start     Instant
	deadline  Instant
	route     *routeQuery // of a GET_ROUTEINFO_BY_TOPIC; nil for others
	copyOf    collector   // of the copies of one request; nil for a request that goes to one upstream
	tracked   *tracked
	onAnswer  func(f framing.Frame) // reads the answer; nil for most
	refusal   *codec.Reply          // that is held back; nil for a request that waits at an upstream
}

// pendingTable holds what waits at one upstream, or what is held back, by opaque.
type pendingTable = opaque.Table[pending]

// collector makes one answer of those to the copies of a request.
type collector interface {
	copyAnswered(u *upstream, p pending, f framing.Frame)
	copyFailed(why failure)
}

// await adds a request to those that wait at u, which has room for it, and returns it for the caller to fill.
func (u *upstream) await(opaque int32) *pending {
	if u.slot != nil {
		u.slot.Busy()
	}
	return u.pending.Put(opaque)
}

// expect notes that a request goes to u and wants an answer.
func (s *Session) expect(u *upstream, kind *requests.Type, h *codec.Header) {
	wait := kind.Wait(h)
	p := u.await(h.Opaque)
	p.kind, p.code, p.reply, p.start, p.tracked = kind, s.mode.effectiveCode(h), replyTo(h), s.now, s.tracking
	p.longPoll = wait > 0
	if kind.Answer == requests.TopicRouteData {
		p.route = routeQueryOf(h)
	}
	p.deadline = s.mode.deadlineOf(kind, wait)
	p.onAnswer, p.rewritten = s.mode.reads(u, kind, h)
	s.inFlight.add(p.code, 1)
	s.arm(p.deadline)
}

// routeQuery is what a GET_ROUTEINFO_BY_TOPIC asks for.
type routeQuery struct{ topic, zone string }

// Fields of a client that wants the brokers of its zone only (MixAll).
const (
	fieldZoneMode = "__ZONE_MODE"
	fieldZoneName = "__ZONE_NAME"
)

// routeQueryOf reads the header of a GET_ROUTEINFO_BY_TOPIC; a name that is longer than any that there can be is left empty.
func routeQueryOf(h *codec.Header) *routeQuery {
	q := new(routeQuery)
	if topic, _ := h.Field("topic"); len(topic) <= codec.MaxTopicName {
		q.topic = string(topic)
	}
	if isTrue(h, fieldZoneMode) {
		if zone, _ := h.Field(fieldZoneName); len(zone) <= codec.MaxGroupName {
			q.zone = string(zone)
		}
	}
	return q
}

// admit reserves what one more pending request takes at each target; the caller adds it to inFlight next. If that exceeds
// a limit it refuses the request and returns false.
func (s *Session) admit(h *codec.Header, targets ...*upstream) bool {
	for _, u := range targets {
		if !s.reserve(&u.pending) {
			s.refuseOverLimit(h)
			return false
		}
	}
	if !s.quota.Pending.Reserve(1) {
		s.refuseOverLimit(h)
		return false
	}
	return true
}

// reserve makes a table of what waits large enough for one more. It returns false if that exceeds a limit.
func (s *Session) reserve(waiting *pendingTable) bool {
	more := waiting.Needs()
	if more == 0 {
		return true
	}
	if !s.quota.Memory.Reserve(more) {
		s.recorder.Inc(stats.MemoryOverLimit)
		return false
	}
	waiting.Grow()
	return true
}

// rejectReusedOpaque ends the session and returns true if the client uses the opaque of a request that still waits at u:
// nobody could tell which of the two an answer is for, and a route must not pass for something else.
func (s *Session) rejectReusedOpaque(u *upstream, h *codec.Header) bool {
	if !u.pending.Has(h.Opaque) {
		return false
	}
	s.ended(s.tracking, replyTo(h), h.Opaque, &outcome{end: endReused, cause: causeOpaqueReused})
	s.closeDownstream()
	return true
}

// failAll ends all requests that wait at u without an answer there.
func (s *Session) failAll(u *upstream, why failure) {
	for opaque, p := range u.pending.All() {
		s.mode.fail(u, opaque, p, why)
	}
}

// cancelAll ends all requests that wait at u; nobody is left to answer.
func (s *Session) cancelAll(u *upstream) {
	for opaque, p := range u.pending.All() {
		s.conclude(&u.pending, opaque, p, cancelled)
	}
}

// freePending frees the table of what waits at u, which is empty.
func (u *upstream) freePending() {
	u.session.quota.Memory.Release(u.pending.Bytes())
	u.pending = pendingTable{}
}
