// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"hash/fnv"
	"io"
	"slices"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// repeatWindow is how long the answer to a registration stands for equal ones. Java sends one to each broker name and id
// of its table; on a shared address those are copies of one another. Far below the 30 s between a client's heartbeats.
const repeatWindow = 3e9

// repeatable is a registration that was just sent to all brokers.
type repeatable struct {
	content []byte // what makes two of them equal
	at      Instant
	sent    *broadcast // nil: none that could be repeated
}

// register sends this client's registration, or the end of one, to every broker whose address the client has.
func (s *shared) register(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	heartbeat := kind.Code == requests.HeartBeat
	last, content := &s.unregister, f.Body()
	if heartbeat {
		last = &s.heartbeat.repeatable
	} else {
		content = unregisterContent(h)
	}
	if s.repeated(last, h, content) {
		return framing.Drop
	}
	connect := s.connectTo // no replay: the registration follows
	if heartbeat {
		data, refusal := s.rememberHeartbeat(f)
		if refusal != nil {
			return s.refuse(h, refusal)
		}
		if data.WithoutSub { // of no use to a broker that does not know the subscriptions yet
			connect = s.connectRegistered
		}
		s.unregister.sent = nil // what it ended may have begun again
	} else {
		s.forgetGroups(h)
		*last = repeatable{content: content, at: s.now}
	}
	targets := s.registrationUpstreams(connect)
	if len(targets) == 0 {
		return s.refuse(h, brokerUnknown)
	}
	copies, v := s.sendCopies(kind, targets, f, false)
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

// unregisterContent returns what makes two UNREGISTER_CLIENT requests equal.
func unregisterContent(h *codec.Header) (content []byte) {
	for _, field := range []string{"clientID", "producerGroup", "consumerGroup"} {
		value, _ := h.Field(field)
		content = append(append(content, value...), 0)
	}
	return content
}

// repeated answers a request equal to one that was just sent on. It returns false for others.
func (s *shared) repeated(last *repeatable, h *codec.Header, content []byte) bool {
	b := last.sent
	if b == nil || s.now-last.at > repeatWindow || !bytes.Equal(last.content, content) {
		return false
	}
	if b.code == requests.HeartBeat {
		s.recorder.Inc(stats.HeartbeatRepeated)
	}
	switch {
	case h.IsOneway():
		s.ended(s.tracking, replyTo(h), h.Opaque, &outcome{})
	case b.finished != nil:
		b.answer(s.tracking, h.Opaque)
	case s.admit(h):
		b.join(h, s.tracking)
	}
	return true
}

// registrationUpstreams returns the connections to the brokers at which this client registers, opened by `connect` if need
// be.
func (s *shared) registrationUpstreams(connect func(target, string) (*upstream, *codec.Reply)) (targets []*upstream) {
	for _, at := range s.registrationBrokers() {
		address, known := at.cluster.Snapshot().Master(at.broker)
		if !known || s.mode.crowded(at, address) {
			continue
		}
		if u, _ := connect(at, address); u != nil {
			targets = append(targets, u)
		}
	}
	return targets
}

// registrationBrokers returns the brokers whose address the client has got through this connection, and those to which it is
// connected. A client that has just reconnected with routes that it knew before has got none: then those of its topics on
// which all sources agree, or else one broker, since it is registered at others as soon as it uses them. Registering it
// at all of them would be a connection to each broker, for each client, after a restart of Envoy.
func (s *shared) registrationBrokers() []target {
	brokers := s.namedBrokers()
	if len(brokers) == 0 {
		brokers = s.mode.likelyBrokers()
	}
	for _, u := range s.upstreams {
		if u.target.broker != "" && !slices.Contains(brokers, u.target) {
			brokers = append(brokers, u.target)
		}
	}
	if len(brokers) == 0 {
		brokers = s.oneBroker()
	}
	slices.SortFunc(brokers, func(a, b target) int { return strings.Compare(a.broker, b.broker) })
	return brokers
}

// likelyBrokers returns the brokers that each source names for a topic of the client's consumer groups.
func (s *shared) likelyBrokers() (brokers []target) {
	for _, topics := range s.groups {
		for _, topic := range topics {
			for _, cluster := range s.clustersOf([]byte(topic)) {
				for _, name := range cluster.AgreedTopic(topic) {
					if at := (target{cluster, name}); !slices.Contains(brokers, at) {
						brokers = append(brokers, at)
					}
				}
			}
		}
	}
	return brokers
}

// oneBroker returns one broker of each cluster, another one for other clients.
func (s *shared) oneBroker() (brokers []target) {
	spread := fnv.New32a()
	_, _ = io.WriteString(spread, s.remote)
	for _, cluster := range s.environment.Clusters.All() {
		if names := cluster.Snapshot().BrokerNames(); len(names) > 0 {
			brokers = append(brokers, target{cluster, names[int(spread.Sum32())%len(names)]})
		}
	}
	return brokers
}
