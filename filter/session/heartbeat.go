// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// repeatWindow is how long a heartbeat's answer stands for equal heartbeats. Java sends one to each
// broker name and id of its table; on a shared address those are copies of one another. Far below
// the 30 s between a client's heartbeats.
const repeatWindow = 3e9

// lastHeartbeat is the last registration of this client.
type lastHeartbeat struct {
	frame []byte  // whole frame, kept for a replay; nil: none, or one without subscriptions
	body  []byte  // its body
	at    Instant // when it was sent on
	sent  *fanOut
	stale bool // the client has learned of more brokers since
}

// repeatHeartbeat answers a heartbeat equal to one that was just sent on. It returns false for others.
func (s *Session) repeatHeartbeat(h *codec.Header, heartbeat []byte) bool {
	last := &s.unified.heartbeat
	if last.sent == nil || last.stale || s.now-last.at > repeatWindow || !bytes.Equal(last.body, heartbeat) {
		return false
	}
	s.recorder.Inc(stats.HeartbeatRepeated)
	if h.IsOneway() {
		return true
	}
	if f := last.sent; f.finished != nil {
		s.writeMerged(f, h.Opaque)
	} else {
		f.opaques = append(f.opaques, h.Opaque)
		s.count(f.code, 1)
	}
	return true
}

// rememberHeartbeat keeps what later requests and a reopened connection need.
func (s *Session) rememberHeartbeat(frame, heartbeat []byte) *router.Refusal {
	data, err := body.ParseHeartbeatData(heartbeat)
	if err != nil {
		return &router.Refusal{Code: codec.ResponseSystemError, Remark: "unreadable HeartbeatData: " + err.Error()}
	}
	last := &s.unified.heartbeat
	last.at, last.stale, last.sent = s.now, false, nil
	if data.WithoutSub {
		last.body = bytes.Clone(heartbeat) // the full form, kept for a replay, came before
		return nil
	}
	last.frame = bytes.Clone(frame)
	last.body = last.frame[len(frame)-len(heartbeat):]
	s.unified.groups = make(map[string][]string, len(data.Consumers))
	for _, consumer := range data.Consumers {
		s.unified.groups[consumer.Group] = sortedTopics(consumer.Topics)
	}
	return nil
}

// replayHeartbeat registers this client on a connection that has just been opened for something
// else, so that a broker knows who it is talking to: registrations hang on the connection.
func (s *Session) replayHeartbeat(u *upstream) {
	frame := s.unified.heartbeat.frame
	if frame == nil {
		return
	}
	s.recorder.Inc(stats.HeartbeatReplayed)
	s.goingUp.flushJudged()
	var header codec.Header
	prefix, err := codec.ParsePrefix(frame, s.environment.frameLimits())
	if err != nil || header.Parse(prefix.Type, frame[codec.PrefixSize:codec.PrefixSize+prefix.HeaderSize]) != nil {
		return // cannot be: it was parsed when it came
	}
	if !header.IsOneway() { // its answer ends in a fan-out that nobody waits for
		kind := router.Of(codec.RequestHeartBeat)
		u.pending[header.Opaque] = pending{kind: kind, code: kind.Code, start: s.now, deadline: s.deadlineOf(kind, 0), fanOut: &fanOut{code: kind.Code, waiting: 1}}
	}
	u.write(s, frame)
}
