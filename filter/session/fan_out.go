// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
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
	code     requests.Code
	asker    asker
	opaques  []int32  // of the request, and of equal ones that came while it was on its way
	noted    []*noted // of each
	strict   bool     // one failure makes the whole fail
	routes   *routes  // of a topic that can be in several clusters; nil for other requests
	waiting  int      // copies without an answer
	start    Instant
	sending  bool // copies are still being written
	finished *mergedAnswer

	kept      int // bytes of answers
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
	body      []byte
	own       bool // made by the proxy
	expired   bool
}

// toAllBrokers sends this client's registration, or the end of one, to every broker it has learned of.
func (s *Session) toAllBrokers(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	heartbeat := kind.Code == requests.HeartBeat
	last, content := &s.unified.unregister, f.Body()
	if heartbeat {
		last = &s.unified.heartbeat.repeatable
	} else {
		content = unregisterContent(h)
	}
	if s.repeated(last, h, content) {
		return framing.Drop
	}
	if heartbeat {
		if _, refusal := s.rememberHeartbeat(f); refusal != nil {
			return s.refuse(h, refusal)
		}
		s.unified.unregister.sent = nil // what it ended may have begun again
	} else {
		s.forgetGroups(h)
		*last = repeatable{content: content, at: s.now}
	}
	targets := s.registrationTargets()
	if len(targets) == 0 {
		return s.refuse(h, brokerUnknown)
	}
	copies, v := s.fanOut(kind, targets, f, false)
	if copies == nil {
		return v
	}
	if heartbeat {
		s.recorder.Add(stats.HeartbeatFanOut, int64(len(targets)))
	}
	if !h.IsOneway() {
		last.sent = copies
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

// registrationTargets are the connections to the brokers at which this client registers, opened if need be.
func (s *Session) registrationTargets() (targets []*upstream) {
	for _, at := range s.registrationBrokers() {
		address, known := at.cluster.Snapshot().Master(at.broker)
		if !known || s.crowded(at, address) {
			continue
		}
		if u, _ := s.reach(at, address); u != nil { // not broker: no replay, the registration follows
			targets = append(targets, u)
		}
	}
	return targets
}

// registrationBrokers are the brokers this client has learned of through this connection. A client
// that has just reconnected with a route it knew before has learned of none: then all.
func (s *Session) registrationBrokers() []place {
	places := slices.SortedFunc(maps.Keys(s.unified.told), func(a, b place) int { return strings.Compare(a.broker, b.broker) })
	if len(places) == 0 {
		places = brokersOf(s.environment.Clusters.All())
	}
	for _, u := range s.upstreams {
		if u.place.broker != "" && !slices.Contains(places, u.place) {
			places = append(places, u.place)
		}
	}
	return places
}

// brokersOf are all brokers of some clusters.
func brokersOf(clusters []*directory.Directory) (places []place) {
	for _, cluster := range clusters {
		for _, name := range cluster.Snapshot().BrokerNames() {
			places = append(places, place{cluster, name})
		}
	}
	return places
}

// toAllNameServers sends a change to every name server of the clusters that its topic can be in.
func (s *Session) toAllNameServers(kind *requests.Type, f framing.Frame) framing.Verdict {
	var targets []*upstream
	for _, cluster := range s.clustersOf(kind.Topic(f.Header)) {
		for _, address := range cluster.Snapshot().NameServers() {
			u, refusal := s.reach(place{cluster: cluster}, address)
			if refusal != nil {
				return s.refuse(f.Header, refusal)
			}
			targets = append(targets, u)
		}
	}
	return s.change(kind, f, targets, nameServerUnknown)
}

// toEveryBroker sends a change to the master of every broker of the clusters that its topic can be in.
func (s *Session) toEveryBroker(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	clusters, refusal := s.clustersOfAll(kind, router.Request{Type: kind, Header: h, Body: f.Body()}, func(about body.Subject) []*directory.Directory { return s.clustersOf(about.Topic) })
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	var targets []*upstream
	for _, at := range brokersOf(clusters) {
		u, refusal := s.broker([]byte(at.broker), []*directory.Directory{at.cluster})
		if refusal != nil {
			return s.refuse(h, refusal)
		}
		targets = append(targets, u)
	}
	return s.change(kind, f, targets, brokerUnknown)
}

// change sends a request to all targets: one failure is the answer. `nobody` answers it if there are none.
func (s *Session) change(kind *requests.Type, f framing.Frame, targets []*upstream, nobody *router.Refusal) framing.Verdict {
	if len(targets) == 0 {
		return s.refuse(f.Header, nobody)
	}
	_, v := s.fanOut(kind, targets, f, true)
	return v
}

// fanOut sends a copy of a request to each target. It gives nil if the request goes nowhere.
func (s *Session) fanOut(kind *requests.Type, targets []*upstream, frame framing.Frame, strict bool) (*fanOut, framing.Verdict) {
	h := frame.Header
	targets = eachOnce(targets)
	if strict && slices.ContainsFunc(targets, func(u *upstream) bool { return !u.canWrite(len(targets) * frame.Size) }) {
		s.refuseOverLimit(h) // rather than change some of them
		return nil, framing.Drop
	}
	if !h.IsOneway() {
		for _, u := range targets {
			if s.reused(u, h.Opaque) {
				return nil, framing.Stop
			}
		}
		if !s.belowLimit(h, targets...) {
			return nil, framing.Drop
		}
	}
	if s.goingUp.Flush(); s.state == closed { // what came before was too much to keep
		return nil, s.refuse(h, overLimit)
	}
	f := &fanOut{code: kind.Code, asker: askerOf(h), strict: strict, start: s.now, sending: true, supportV2: true}
	if !h.IsOneway() {
		f.opaques, f.noted = []int32{h.Opaque}, []*noted{s.noting}
		s.active.add(f.code, 1)
		s.unified.fanOuts[f] = struct{}{}
	} else {
		s.noting.end(s, ending{})
	}
	var topic string
	if kind.Answer == requests.TopicRouteData {
		f.routes = &routes{}
		topic = routeTopic(h)
	}
	deadline := s.deadlineOf(kind, 0)
	for _, u := range targets {
		if s.state == closed { // by what was written to the one before
			break
		}
		if !strict && !u.canWrite(frame.Size) { // else it was asked before: all get it or none
			s.recorder.Inc(stats.RequestOverLimit)
			f.lost = overLimit
			continue
		}
		if !h.IsOneway() {
			u.await(h.Opaque, pending{kind: kind, code: f.code, asker: f.asker, start: s.now, deadline: deadline, topic: topic, fanOut: f})
			f.waiting++
		}
		u.write(frame.Raw)
	}
	s.arm(deadline)
	f.sending = false
	f.finishIfDone(s)
	return f, framing.Drop
}

// eachOnce are the targets without repetitions: two clusters may have one address.
func eachOnce(targets []*upstream) (once []*upstream) {
	for _, u := range targets {
		if !slices.Contains(once, u) {
			once = append(once, u)
		}
	}
	return once
}

// answered takes one copy's answer in. Of a strict fan-out the client gets the first answer of all that
// says no or, if none does, the first that says yes: it may have fields of its own.
func (f *fanOut) answered(u *upstream, p pending, frame framing.Frame) {
	s, h := u.session, frame.Header
	f.waiting--
	if f.routes != nil {
		f.routes.add(u, p, frame)
		f.finishIfDone(s)
		return
	}
	refuses := h.ResponseCode() != codec.ResponseSuccess
	if f.strict && (f.frame == nil || refuses && f.refused == nil) {
		if !f.keep(s, frame.Size) {
			f.lost = overLimit
			f.finishIfDone(s)
			return
		}
		f.frame = bytes.Clone(frame.Raw)
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

// keep makes room for an answer; it returns false if there is none.
func (f *fanOut) keep(s *Session, size int) bool {
	if !s.quota.Memory.Reserve(size) {
		s.recorder.Inc(stats.MemoryOverLimit)
		return false
	}
	f.kept += size
	return true
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
	if f.waiting > 0 || f.sending || f.finished != nil || s.state == closed { // then it has been cancelled
		return
	}
	f.finished = f.merge(s)
	delete(s.unified.fanOuts, f)
	for i, opaque := range f.opaques {
		f.noted[i].end(s, f.ending())
		s.active.add(f.code, -1)
		s.recorder.Time(s.now-f.start, false)
		s.countMerged(f)
		s.writeMerged(f, opaque)
	}
	s.quota.Memory.Release(f.kept)
}

func (f *fanOut) merge(s *Session) *mergedAnswer {
	if f.routes != nil {
		return f.routes.merge(s, f)
	}
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
		Body:     answer.body,
	}
	if f.code == requests.HeartBeat && answer.code == codec.ResponseSuccess {
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
