// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"maps"
	"slices"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Fields of a heartbeat's answer (MixAll, 5.1.3 and later).
const (
	fieldSupportHeartBeatV2 = "IS_SUPPORT_HEART_BEAT_V2"
	fieldSubChange          = "IS_SUB_CHANGE"
)

// fanOut is a request of the client of which every broker, or every name server, gets a copy. Its
// answers become one.
type fanOut struct {
	code     codec.RequestCode
	asker    asker
	opaques  []int32 // of the request, and of equal ones that came while it was on its way
	strict   bool    // one failure makes the whole fail
	waiting  int     // copies without an answer
	start    Instant
	sending  bool // copies are still being written
	finished *mergedAnswer

	successes int
	frame     []byte          // strict: the answer that stands for all, whole
	refused   *router.Refusal // the first answer that was not a success
	lost      *router.Refusal // the first copy that got no answer
	version   int32           // the least of those that answered
	supportV2 bool
	subChange bool
}

// mergedAnswer is what the client gets.
type mergedAnswer struct {
	frame     []byte // an answer to pass on as it came; if not nil the rest is not used
	code      codec.ResponseCode
	remark    string
	version   int32
	supportV2 bool
	subChange bool
	own       bool // made by the proxy
	expired   bool
}

// toAllBrokers sends this client's registration, or the end of one, to every broker it has learned of.
func (s *Session) toAllBrokers(kind *router.Kind, frame []byte, h *codec.Header, body []byte) verdict {
	heartbeat := kind.Code == codec.RequestHeartBeat
	last, content := &s.unified.unregister, body
	if heartbeat {
		last = &s.unified.heartbeat.repeatable
	} else {
		content = unregisterContent(h)
	}
	if s.repeated(last, h, content) {
		return verdict{action: drop}
	}
	if heartbeat {
		if refusal := s.rememberHeartbeat(frame, body); refusal != nil {
			return s.refuse(h, refusal)
		}
	} else {
		s.forgetGroups(h)
		*last = repeatable{content: content, at: s.now}
	}
	names := s.registrationBrokers()
	targets := make([]*upstream, 0, len(names))
	for _, name := range names {
		address, known := s.environment.Directory.Snapshot().Master(name)
		if !known {
			continue
		}
		if u, _ := s.reach(name, address); u != nil { // not broker: no replay, the registration follows
			targets = append(targets, u)
		}
	}
	if len(targets) == 0 {
		return s.refuse(h, brokerUnknown)
	}
	f, v := s.fanOut(kind, targets, frame, h, false)
	if f == nil {
		return v
	}
	if heartbeat {
		s.recorder.Add(stats.HeartbeatFanOut, int64(len(targets)))
	}
	if !h.IsOneway() {
		last.sent = f
	}
	return v
}

// unregisterContent is what makes two UNREGISTER_CLIENT requests equal.
func unregisterContent(h *codec.Header) (content []byte) {
	for _, field := range []string{"clientID", "producerGroup", "consumerGroup"} {
		value, _ := h.Field(field)
		content = append(append(content, value...), 0)
	}
	return content
}

// registrationBrokers are the brokers this client has learned of through this connection. A client
// that has just reconnected with a route it knew before has learned of none: then all.
func (s *Session) registrationBrokers() []string {
	names := knowledge{s}.ToldBrokers()
	if len(names) == 0 {
		names = s.environment.Directory.Snapshot().BrokerNames()
	}
	for _, u := range s.upstreams {
		if u.broker != "" && !slices.Contains(names, u.broker) {
			names = append(names, u.broker)
		}
	}
	return names
}

// toAllNameServers sends a change to every name server.
func (s *Session) toAllNameServers(kind *router.Kind, frame []byte, h *codec.Header) verdict {
	addresses := s.environment.Directory.Snapshot().NameServers()
	return s.change(kind, frame, h, addresses, nameServerUnknown, func(address string) (*upstream, *router.Refusal) {
		return s.reach("", address)
	})
}

// toEveryBroker sends a change to the master of every broker of the cluster.
func (s *Session) toEveryBroker(kind *router.Kind, frame []byte, h *codec.Header) verdict {
	names := s.environment.Directory.Snapshot().BrokerNames()
	return s.change(kind, frame, h, names, brokerUnknown, func(name string) (*upstream, *router.Refusal) {
		return s.broker([]byte(name))
	})
}

// change sends a request to all of `to`, or to none: one failure is the answer. `nobody` answers it if there
// are none.
func (s *Session) change(kind *router.Kind, frame []byte, h *codec.Header, to []string, nobody *router.Refusal, reach func(string) (*upstream, *router.Refusal)) verdict {
	targets := make([]*upstream, 0, len(to))
	for _, each := range to {
		u, refusal := reach(each)
		if refusal != nil {
			return s.refuse(h, refusal)
		}
		targets = append(targets, u)
	}
	if len(targets) == 0 {
		return s.refuse(h, nobody)
	}
	_, v := s.fanOut(kind, targets, frame, h, true)
	return v
}

// fanOut sends a copy of a request to each target. It gives nil if the request goes nowhere.
func (s *Session) fanOut(kind *router.Kind, targets []*upstream, frame []byte, h *codec.Header, strict bool) (*fanOut, verdict) {
	if !h.IsOneway() {
		for _, u := range targets {
			if s.reused(u, h.Opaque) {
				return nil, verdict{action: stop}
			}
		}
		if !s.belowLimit(h) {
			return nil, verdict{action: drop}
		}
	}
	f := &fanOut{code: kind.Code, asker: askerOf(h), strict: strict, start: s.now, sending: true, supportV2: true}
	if !h.IsOneway() {
		f.opaques = []int32{h.Opaque}
		s.count(f.code, 1)
		s.unified.fanOuts[f] = struct{}{}
	}
	deadline := s.deadlineOf(kind, 0)
	s.goingUp.flushJudged()
	for _, u := range targets {
		if !u.canWrite(len(frame)) {
			s.recorder.Inc(stats.RequestOverLimit)
			f.lost = overLimit
			continue
		}
		if !h.IsOneway() {
			u.pending[h.Opaque] = pending{kind: kind, code: f.code, asker: f.asker, start: s.now, deadline: deadline, fanOut: f}
			f.waiting++
		}
		u.write(frame)
	}
	s.arm(deadline)
	f.sending = false
	f.finishIfDone(s)
	return f, verdict{action: drop}
}

// answered takes one copy's answer in. Of a strict fan-out the client gets the first answer of all that
// says no or, if none does, the first that says yes: it may have fields of its own.
func (f *fanOut) answered(s *Session, h *codec.Header, frame []byte) {
	f.waiting--
	refuses := h.ResponseCode() != codec.ResponseSuccess
	if f.strict && (f.frame == nil || refuses && f.refused == nil) {
		f.frame = bytes.Clone(frame)
	}
	if code := h.ResponseCode(); code == codec.ResponseSuccess {
		if f.successes++; f.successes == 1 || h.Version < f.version {
			f.version = h.Version
		}
		f.supportV2 = f.supportV2 && isTrue(h, fieldSupportHeartBeatV2)
		f.subChange = f.subChange || isTrue(h, fieldSubChange)
	} else if f.refused == nil {
		f.refused = &router.Refusal{Code: code, Remark: h.Remark()}
	}
	f.finishIfDone(s)
}

// failed notes that one copy gets no answer.
func (f *fanOut) failed(s *Session, reason *router.Refusal) {
	f.waiting--
	if f.lost == nil {
		f.lost = reason
	}
	f.finishIfDone(s)
}

func isTrue(h *codec.Header, field string) bool {
	value, _ := h.Field(field)
	return string(value) == "true"
}

// finishIfDone answers the client once every copy has ended. Brokers that cannot be reached, or refuse,
// do not make a registration fail that others took: without a proxy it would be registered at those.
func (f *fanOut) finishIfDone(s *Session) {
	if f.waiting > 0 || f.sending || f.finished != nil {
		return
	}
	f.finished = f.merge()
	delete(s.unified.fanOuts, f)
	for _, opaque := range f.opaques {
		s.count(f.code, -1)
		s.recorder.Time(s.now-f.start, false)
		s.countMerged(f)
		s.writeMerged(f, opaque)
	}
}

func (f *fanOut) merge() *mergedAnswer {
	if f.successes > 0 && !f.strict || f.lost == nil && f.refused == nil {
		return &mergedAnswer{frame: f.frame, version: f.version, supportV2: f.supportV2, subChange: f.subChange}
	}
	own := f.refused == nil // the proxy's answer, not a broker's
	if !own && f.strict {
		return &mergedAnswer{frame: f.frame}
	}
	refusal := f.refused
	if own {
		refusal = f.lost
	}
	return &mergedAnswer{code: refusal.Code, remark: refusal.Remark, version: f.asker.version, own: own, expired: refusal == deadlinePassed}
}

// countMerged counts one answer.
func (s *Session) countMerged(f *fanOut) {
	switch {
	case f.finished.expired:
		s.recorder.Inc(stats.RequestExpired)
		s.recorder.Inc(stats.ResponseError)
	case f.finished.own:
		s.recorder.Inc(stats.ResponseError)
	default:
		s.recorder.Inc(stats.ResponseSuccess)
	}
}

func (s *Session) writeMerged(f *fanOut, opaque int32) {
	answer := f.finished
	if answer.frame != nil { // its opaque is the request's: copies are sent as they came
		s.writeDownstream(answer.frame)
		return
	}
	command := codec.Command{
		Code:     int32(answer.code),
		Language: codec.LanguageJava, // the version is a broker's
		Version:  answer.version,
		Opaque:   opaque,
		Flag:     codec.FlagResponse,
		Type:     f.asker.serializeType,
		Remark:   answer.remark,
	}
	if f.code == codec.RequestHeartBeat && answer.code == codec.ResponseSuccess {
		command.Fields = []codec.Field{
			{Name: fieldSubChange, Value: strconv.FormatBool(answer.subChange)},
			{Name: fieldSupportHeartBeatV2, Value: strconv.FormatBool(answer.supportV2)},
		}
	}
	s.writeCommand(command)
}

// sortedTopics are `topics` in order, each once.
func sortedTopics(topics []string) []string {
	set := make(map[string]struct{}, len(topics))
	for _, topic := range topics {
		set[topic] = struct{}{}
	}
	return slices.Sorted(maps.Keys(set))
}
