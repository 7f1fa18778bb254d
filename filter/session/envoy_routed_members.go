// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/json"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
)

// registerMember notes a client's consumer groups and passes its registration on to the brokers, whose
// long polls need it.
func (s *envoyRouted) registerMember(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	data, refusal := s.rememberHeartbeat(f)
	switch {
	case refusal != nil:
		return s.refuse(h, refusal)
	case data.ClientID == "":
		return s.refuse(h, &codec.Reply{Code: codec.ResponseSystemError, Remark: "the heartbeat has no clientID"})
	}
	s.leaveOtherGroups(data)
	for _, consumer := range data.Consumers {
		if !s.joinGroup(membership{consumer.Group, data.ClientID}) {
			return s.refuseOverLimit(h)
		}
	}
	s.copyToBrokers(kind, f)
	return s.answerLocally(h, heartbeatOK, nil)
}

// membership is one group that a client of this connection has joined.
type membership struct{ group, clientID string }

func (m membership) size() int { return len(m.group) + len(m.clientID) + entryBytes }

// joinGroup notes a membership, or that it goes on; it returns false if there are too many.
func (s *envoyRouted) joinGroup(m membership) bool {
	memberships := s.memberships
	if _, joined := memberships[m]; !joined {
		if len(memberships) >= s.environment.Config.Limits.MaxHeartbeatEntries || !s.quota.Memory.Reserve(m.size()) {
			return false
		}
		memberships[m] = struct{}{}
	}
	s.routing.Members.Register(m.group, m.clientID, s.Session, s.now)
	return true
}

// leaveGroup forgets a membership that has ended.
func (s *envoyRouted) leaveGroup(m membership) {
	if _, joined := s.memberships[m]; joined {
		delete(s.memberships, m)
		s.quota.Memory.Release(m.size())
	}
}

// leaveOtherGroups ends a client's membership in groups that its heartbeat does not have any more.
func (s *envoyRouted) leaveOtherGroups(data *body.HeartbeatData) {
	stays := make(map[string]bool, len(data.Consumers))
	for _, consumer := range data.Consumers {
		stays[consumer.Group] = true
	}
	for m := range s.memberships {
		if m.clientID == data.ClientID && !stays[m.group] {
			s.routing.Members.Disconnected(m.group, m.clientID, s.Session)
			s.leaveGroup(m)
		}
	}
}

func (s *envoyRouted) unregisterMember(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	clientID, _ := h.Field("clientID")
	group, _ := h.Field("consumerGroup")
	s.routing.Members.Unregister(string(group), string(clientID))
	s.leaveGroup(membership{string(group), string(clientID)})
	s.forgetGroups(h)
	s.copyToBrokers(kind, f)
	return s.answerLocally(h, unregisterOK, nil)
}

// leaveGroups ends the memberships of a connection that ends.
func (s *envoyRouted) leaveGroups() {
	for m := range s.memberships {
		s.routing.Members.Disconnected(m.group, m.clientID, s.Session)
	}
	clear(s.memberships)
}

// copyToBrokers sends a copy of a registration to each broker of the client; nobody waits for the answers.
func (s *envoyRouted) copyToBrokers(kind *requests.Type, f framing.Frame) {
	for _, u := range s.registrationUpstreams(s.connectTo) {
		if s.canWrite(u, f.Size) {
			s.sendIgnoringAnswer(u, kind, f)
		}
	}
}

func (s *envoyRouted) answerConsumerList(h *codec.Header) framing.Verdict {
	group, _ := h.Field("consumerGroup")
	list := s.routing.Members.List(string(group), s.now)
	if list == nil {
		list = []string{}
	}
	size := 0
	for _, id := range list {
		size += len(id)
	}
	if size > s.environment.Config.Limits.MaxFrameBytes {
		return s.refuseOverLimit(h)
	}
	content, err := json.Marshal(map[string][]string{"consumerIdList": list})
	if err != nil {
		return s.refuse(h, notSupported)
	}
	return s.answerLocally(h, &codec.Reply{}, content)
}

// answerLocally answers a request that needs no broker.
func (s *envoyRouted) answerLocally(h *codec.Header, reply *codec.Reply, body []byte) framing.Verdict {
	o := localWith(reply, body)
	s.ended(s.tracking, replyTo(h), h.Opaque, &o)
	return framing.Drop
}

// likelyBrokers returns all brokers: Envoy's clusters say no topics.
func (s *envoyRouted) likelyBrokers() []target { return brokersOf(s.environment.Clusters.All()) }
