// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Fields of a heartbeat's answer (MixAll, 5.1.3 and later).
const (
	fieldSupportHeartBeatV2 = "IS_SUPPORT_HEART_BEAT_V2"
	fieldSubChange          = "IS_SUB_CHANGE"
)

// broadcast is a request of the client of which every broker, or every name server, gets a copy. Their answers become one.
type broadcast struct {
	session  *shared
	code     requests.Code
	reply    replyContext
	opaques  []int32    // of the request, and of equal ones that came while it was on its way
	tracked  []*tracked // of each
	strict   bool       // one failure makes the whole fail
	routes   *routes    // of a topic that can be in several clusters; nil for other requests
	waiting  int        // copies without an answer
	start    Instant
	sending  bool    // copies are still being written
	finished *merged // nil until all copies have ended

	kept      int // bytes of answers
	successes int
	frame     []byte       // strict: the answer that stands for all, complete
	refused   *codec.Reply // the first answer that was not a success
	lost      *failure     // of the first copy that got no answer
	version   int32        // the least of those that answered
	supportV2 bool
	subChange bool
}

// merged is the answer to a broadcast: a reply of the proxy, which is in the outcome, the frame of an upstream, or one
// that is made of the rest.
type merged struct {
	outcome   outcome
	frame     []byte
	remark    string
	version   int32
	supportV2 bool
	subChange bool
	body      []byte
}

// sendCopies sends a copy of a request to each target. It returns nil if the request goes nowhere.
func (s *shared) sendCopies(kind *requests.Type, targets []*upstream, f framing.Frame, strict bool) (*broadcast, framing.Verdict) {
	h := f.Header
	targets = eachOnce(targets)
	if strict && slices.ContainsFunc(targets, func(u *upstream) bool { return !s.mode.canWrite(u, len(targets)*f.Size) }) {
		return nil, s.refuseOverLimit(h) // rather than change some of them
	}
	if !h.IsOneway() {
		for _, u := range targets {
			if s.rejectReusedOpaque(u, h) {
				return nil, framing.Stop
			}
		}
		if !s.admit(h, targets...) {
			return nil, framing.Drop
		}
	}
	if !s.flushRequests() { // what came before was too much to keep
		return nil, s.refuse(h, overLimit.reply)
	}
	b := &broadcast{session: s, code: kind.Code, reply: replyTo(h), strict: strict, start: s.now, sending: true, supportV2: true}
	if h.IsOneway() {
		s.ended(s.tracking, b.reply, h.Opaque, &outcome{})
	} else {
		b.join(h, s.tracking)
		s.broadcasts[b] = struct{}{}
	}
	var route *routeQuery
	if kind.Answer == requests.TopicRouteData {
		b.routes = &routes{}
		route = routeQueryOf(h)
	}
	deadline := s.deadlineOf(kind, 0)
	for _, u := range targets {
		if !strict && !s.mode.canWrite(u, f.Size) { // else it was asked before: all get it or none
			s.recorder.Inc(stats.RequestOverLimit)
			b.lost = &overLimit
			continue
		}
		if !h.IsOneway() {
			*u.await(h.Opaque) = pending{kind: kind, code: b.code, reply: b.reply, start: s.now, deadline: deadline, route: route, copyOf: b}
			b.waiting++
		}
		if !u.send(f.Raw) {
			break
		}
	}
	s.arm(deadline)
	b.sending = false
	b.finishIfDone()
	return b, framing.Drop
}

// eachOnce returns the targets without repetitions: two clusters may have one address.
func eachOnce(targets []*upstream) (once []*upstream) {
	for _, u := range targets {
		if !slices.Contains(once, u) {
			once = append(once, u)
		}
	}
	return once
}

// join adds a request to those that get the answer.
func (b *broadcast) join(h *codec.Header, t *tracked) {
	b.opaques, b.tracked = append(b.opaques, h.Opaque), append(b.tracked, t)
	b.session.inFlight.add(b.code, 1)
}

// copyAnswered takes one copy's answer in. Of a strict broadcast the client gets the first answer of all that refuses or,
// if none does, the first that accepts: it may have more fields than the others.
func (b *broadcast) copyAnswered(u *upstream, p pending, f framing.Frame) {
	b.waiting--
	if b.routes != nil {
		b.addRoute(u, p, f)
	} else {
		b.add(f)
	}
	b.finishIfDone()
}

func (b *broadcast) add(f framing.Frame) {
	h := f.Header
	refuses := h.ResponseCode() != codec.ResponseSuccess
	if b.strict && (b.frame == nil || refuses && b.refused == nil) {
		if !b.keep(f.Size) {
			b.lost = &overLimit
			return
		}
		b.frame = bytes.Clone(f.Raw)
	}
	if refuses {
		if b.refused == nil {
			b.refused = &codec.Reply{Code: h.ResponseCode(), Remark: h.Remark()}
		}
		return
	}
	if b.successes++; b.successes == 1 || h.Version < b.version {
		b.version = h.Version
	}
	b.supportV2 = b.supportV2 && isTrue(h, fieldSupportHeartBeatV2)
	b.subChange = b.subChange || isTrue(h, fieldSubChange)
}

// keep reserves memory for an answer. It returns false if there is none.
func (b *broadcast) keep(size int) bool {
	s := b.session
	if !s.quota.Memory.Reserve(size) {
		s.recorder.Inc(stats.MemoryOverLimit)
		return false
	}
	b.kept += size
	return true
}

// copyFailed notes that one copy gets no answer.
func (b *broadcast) copyFailed(why failure) {
	b.waiting--
	if b.lost == nil {
		b.lost = &why
	}
	b.finishIfDone()
}

// finishIfDone answers the client once every copy has ended. Brokers that cannot be reached, or refuse, do not make a
// registration fail that others took: without a proxy it would be registered at those.
func (b *broadcast) finishIfDone() {
	s := b.session
	if b.waiting > 0 || b.sending || b.finished != nil || s.state == closed { // then it has been cancelled
		return
	}
	b.finished = b.merge()
	delete(s.broadcasts, b)
	for i, opaque := range b.opaques {
		s.inFlight.add(b.code, -1)
		s.recorder.Time(s.now-b.start, false)
		b.answer(b.tracked[i], opaque)
	}
	s.quota.Memory.Release(b.kept)
}

// answer ends one request with the merged answer.
func (b *broadcast) answer(t *tracked, opaque int32) {
	b.session.ended(t, b.reply, opaque, &b.finished.outcome)
	if b.finished.outcome.reply == nil {
		b.write(opaque)
	}
}

// cancel ends the requests; nobody is left to answer.
func (b *broadcast) cancel() {
	for i, opaque := range b.opaques {
		b.session.inFlight.add(b.code, -1)
		b.session.ended(b.tracked[i], b.reply, opaque, &cancelled)
	}
}

func (b *broadcast) merge() *merged {
	switch {
	case b.routes != nil:
		return b.mergeRoutes()
	case b.successes > 0 && !b.strict, b.lost == nil && b.refused == nil:
		return &merged{outcome: answeredWith(codec.ResponseSuccess), frame: b.frame, version: b.version, supportV2: b.supportV2, subChange: b.subChange}
	case b.refused == nil:
		return &merged{outcome: failedWith(*b.lost)}
	case b.strict:
		return &merged{outcome: answeredWith(b.refused.Code), frame: b.frame}
	}
	return &merged{outcome: answeredWith(b.refused.Code), remark: b.refused.Remark, version: b.reply.version}
}

// write sends the merged answer to one request.
func (b *broadcast) write(opaque int32) {
	s, answer := b.session, b.finished
	if answer.frame != nil { // its opaque is the request's: copies are sent as they came
		s.writeDownstream(answer.frame)
		return
	}
	code := answer.outcome.code
	command := codec.Command{
		Code:     int32(code),
		Language: codec.LanguageJava, // the version is a broker's
		Version:  answer.version,
		Opaque:   opaque,
		Flag:     codec.FlagResponse,
		Type:     b.reply.serializeType,
		Remark:   answer.remark,
		Body:     answer.body,
	}
	if b.code == requests.HeartBeat && code == codec.ResponseSuccess {
		command.Fields = []codec.Field{
			{Name: fieldSubChange, Value: strconv.FormatBool(answer.subChange)},
			{Name: fieldSupportHeartBeatV2, Value: strconv.FormatBool(answer.supportV2)},
		}
	}
	s.writeCommand(command)
}

// ignoredAnswer is the collector of a copy whose answer nobody waits for.
type ignoredAnswer struct{}

func (ignoredAnswer) copyAnswered(*upstream, pending, framing.Frame) {}
func (ignoredAnswer) copyFailed(failure)                             {}
