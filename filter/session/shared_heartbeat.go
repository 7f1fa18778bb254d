// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// lastHeartbeat is the last registration of this client.
type lastHeartbeat struct {
	repeatable
	frame      []byte // the last one with subscriptions, whole, for a replay; nil: none
	groups     map[clientGroup]bool
	hasEnded   bool // a group in frame is not in groups any more
	registered int  // bytes reserved for frame and groups
	reserved   int  // bytes reserved for all this
}

// clientGroup is a group that a client has registered.
type clientGroup struct {
	isConsumer bool
	name       string
}

// rememberHeartbeat keeps the parts of a heartbeat that later requests and a reopened connection need.
func (s *shared) rememberHeartbeat(f framing.Frame) (*body.HeartbeatData, *codec.Reply) {
	frame, heartbeat := f.Raw, f.Body()
	data, err := body.ParseHeartbeatData(heartbeat)
	if err != nil {
		return nil, &codec.Reply{Code: codec.ResponseSystemError, Remark: "unreadable HeartbeatData: " + err.Error()}
	}
	if refusal := checkNames(data); refusal != nil {
		return nil, refusal
	}
	last := &s.heartbeat
	if !s.reserveHeartbeat(data, frame, heartbeat) {
		return nil, overLimit.reply
	}
	if data.WithoutSub { // the full form came before, and is kept
		last.repeatable = repeatable{content: bytes.Clone(heartbeat), at: s.now}
		s.keepGroups(data)
		return data, nil
	}
	last.frame = bytes.Clone(frame)
	last.repeatable = repeatable{content: last.frame[len(frame)-len(heartbeat):], at: s.now}
	last.groups, last.hasEnded = groupsOf(data), false
	s.groups = make(map[string][]string, len(data.Consumers))
	for _, consumer := range data.Consumers {
		s.groups[consumer.Group] = sortedTopics(consumer.Topics)
	}
	return data, nil
}

// maxClientID bounds a client's id, in bytes. RocketMQ does not: Java makes it of an address, an instance's name and a
// unit's name.
const maxClientID = 1024

// checkNames returns an answer to a heartbeat with a name that is longer than any that there can be, else nil.
func checkNames(data *body.HeartbeatData) *codec.Reply {
	tooLong := func(what, name string, limit int) *codec.Reply {
		if len(name) <= limit {
			return nil
		}
		return &codec.Reply{Code: codec.ResponseSystemError, Remark: fmt.Sprintf("the heartbeat has a %s of %d bytes, the proxy takes %d", what, len(name), limit)}
	}
	if refusal := tooLong("clientID", data.ClientID, maxClientID); refusal != nil {
		return refusal
	}
	for _, group := range data.Producers {
		if refusal := tooLong("producer group", group, codec.MaxGroupName); refusal != nil {
			return refusal
		}
	}
	for _, consumer := range data.Consumers {
		if refusal := tooLong("consumer group", consumer.Group, codec.MaxGroupName); refusal != nil {
			return refusal
		}
		for _, topic := range consumer.Topics {
			if refusal := tooLong("topic", topic, codec.MaxTopicName); refusal != nil {
				return refusal
			}
		}
	}
	return nil
}

// groupsOf returns the groups that a heartbeat registers.
func groupsOf(data *body.HeartbeatData) map[clientGroup]bool {
	groups := make(map[clientGroup]bool, len(data.Producers)+len(data.Consumers))
	for _, group := range data.Producers {
		groups[clientGroup{false, group}] = true
	}
	for _, consumer := range data.Consumers {
		groups[clientGroup{true, consumer.Group}] = true
	}
	return groups
}

// keepGroups ends the groups that a heartbeat without subscriptions leaves out.
func (s *shared) keepGroups(data *body.HeartbeatData) {
	goOn := groupsOf(data)
	for group := range s.heartbeat.groups {
		if !goOn[group] {
			s.endGroup(group)
		}
	}
}

// endGroup takes a group out of the registration: neither a replay nor the router has it any more.
func (s *shared) endGroup(group clientGroup) {
	last := &s.heartbeat
	if !last.groups[group] {
		return
	}
	delete(last.groups, group)
	last.hasEnded = true
	if group.isConsumer {
		delete(s.groups, group.name)
	}
}

// entryBytes is about how much a group or a subscription takes beside its name.
const entryBytes = 64

// reserveHeartbeat replaces what is reserved for the last heartbeat. It returns false, and changes nothing, if the new one
// exceeds a limit.
func (s *shared) reserveHeartbeat(data *body.HeartbeatData, frame, heartbeat []byte) bool {
	last := &s.heartbeat
	entries := len(data.Producers) + len(data.Consumers)
	for _, consumer := range data.Consumers {
		entries += len(consumer.Topics)
	}
	if entries > s.environment.Config.Limits.MaxHeartbeatEntries {
		s.recorder.Inc(stats.RequestOverLimit)
		return false
	}
	registered := last.registered
	if !data.WithoutSub {
		registered = len(frame) + len(heartbeat) + entryBytes*entries // the names are copies
	}
	size := registered
	if data.WithoutSub {
		size += len(heartbeat) // else it is a part of the frame
	}
	if size > last.reserved && !s.quota.Memory.Reserve(size-last.reserved) {
		s.recorder.Inc(stats.MemoryOverLimit)
		return false
	}
	s.quota.Memory.Release(max(last.reserved-size, 0))
	last.registered, last.reserved = registered, size
	return true
}

// forgetGroups takes the groups of an UNREGISTER_CLIENT out of what is registered.
func (s *shared) forgetGroups(h *codec.Header) {
	s.heartbeat.sent = nil
	if group, ok := h.Field("producerGroup"); ok {
		s.endGroup(clientGroup{false, string(group)})
	}
	if group, ok := h.Field("consumerGroup"); ok {
		s.endGroup(clientGroup{true, string(group)})
	}
	if len(s.heartbeat.groups) == 0 {
		s.forgetHeartbeat()
	}
}

// forgetHeartbeat drops the last heartbeat: there is nothing to replay before the next one.
func (s *shared) forgetHeartbeat() {
	s.quota.Memory.Release(s.heartbeat.reserved)
	s.heartbeat = lastHeartbeat{}
}

// replayHeartbeat registers this client on a connection that has just been opened for something else, so that a broker
// knows who it is talking to: registrations hang on the connection. It returns false if the session has ended.
func (s *shared) replayHeartbeat(u *upstream) bool {
	frame, header := s.liveHeartbeat()
	if frame == nil {
		return s.state != closed
	}
	u.replays = true // counted once it is open: a broker that is down is dialled again and again
	return s.sendIgnoringAnswer(u, requests.Of(requests.HeartBeat), framing.Frame{Raw: frame, Header: header, Size: len(frame)})
}

// liveHeartbeat returns the last heartbeat without the groups that have ended since, and its header; nil if there is
// none. One that is signed cannot be changed: then the client's next one has to do.
func (s *shared) liveHeartbeat() ([]byte, *codec.Header) {
	last := &s.heartbeat
	if last.frame == nil {
		return nil, nil
	}
	header := &codec.Header{}
	prefix, err := codec.ParsePrefix(last.frame, s.environment.Config.FrameLimits())
	if err != nil || header.Parse(prefix.Type, last.frame[codec.PrefixSize:codec.PrefixSize+prefix.HeaderSize]) != nil {
		return nil, nil // cannot be: it was parsed when it came
	}
	if !last.hasEnded {
		return last.frame, header
	}
	content, err := body.HeartbeatOfGroups(last.frame[codec.PrefixSize+prefix.HeaderSize:], func(isConsumer bool, group string) bool {
		return last.groups[clientGroup{isConsumer, group}]
	})
	if _, signed := header.Field("Signature"); signed || err != nil {
		s.forgetHeartbeat()
		return nil, nil
	}
	last.frame = append(header.AppendWithBodySize(nil, len(content)), content...)
	last.content, last.sent, last.hasEnded = nil, nil, false // the content was a part of the old frame
	return last.frame, header
}

// firstReplayOpaque is the opaque of the first registration that the proxy sends under an opaque of its own; those of the
// next ones follow. Clients count theirs from 0, and one that has the same for all its requests must not meet it in a replay.
const firstReplayOpaque = math.MinInt32

// sendIgnoringAnswer sends a registration whose answer nobody waits for. If there is no memory for one more that waits, it is
// left out, and the next heartbeat has to do. It returns false if the session has ended.
func (s *shared) sendIgnoringAnswer(u *upstream, kind *requests.Type, f framing.Frame) bool {
	h, opaque := f.Header, s.nextReplayOpaque
	s.nextReplayOpaque++
	if !h.IsOneway() {
		if u.pending.Has(opaque) || !s.reserve(&u.pending) { // Has: billions of them make it a client's
			return true
		}
		s.arm(s.deadlineOf(kind, 0))
		*u.await(opaque) = pending{kind: kind, code: kind.Code, start: s.now, deadline: s.deadlineOf(kind, 0), copyOf: ignoredAnswer{}}
	}
	body := f.Body()
	return u.sendOwn(append(h.AppendWithOpaque(nil, opaque, len(body)), body...))
}

// sortedTopics returns the topics in order, each once.
func sortedTopics(topics []string) []string {
	set := make(map[string]struct{}, len(topics))
	for _, topic := range topics {
		set[topic] = struct{}{}
	}
	return slices.Sorted(maps.Keys(set))
}
