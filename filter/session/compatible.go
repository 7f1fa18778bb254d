// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/json"
	"net/netip"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/compatible"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Compatible is what sessions share of a filter that is configured as Envoy's own rocketmq_proxy: topics
// are in clusters of Envoy, whose endpoints tell which broker they are.
type Compatible struct {
	Routes      *routeconfig.Table
	DevelopMode bool
	// Endpoints are what is known now of the clusters that the routes name.
	Endpoints func() *envoyadmin.Snapshot
	// Directories have the brokers of those clusters by name; the same as Environment.Clusters.
	Directories map[string]*directory.Directory
	// Clusters are the names of the clusters by their directories.
	Clusters map[*directory.Directory]string
	// Circuits count what all sessions use of each cluster, by its name.
	Circuits   map[string]*compatible.Circuit
	Directives *compatible.Directives
	Members    *compatible.Members
	// Random is any number; endpoints are picked by it.
	Random func() uint64
}

// known reports whether Envoy was asked for every cluster of the routes.
func (c *Compatible) known() bool {
	snapshot := c.Endpoints()
	for name := range c.Directories {
		if !snapshot.Covers(name) {
			return false
		}
	}
	return true
}

// Answers as Envoy's filter gives them.
var (
	noRoute        = &router.Refusal{Code: codec.ResponseSystemError, Remark: "No route for current request."}
	noCluster      = &router.Refusal{Code: codec.ResponseSystemError, Remark: "Cluster does not exist."}
	maintenance    = &router.Refusal{Code: codec.ResponseSystemError, Remark: "Cluster under maintenance."}
	noHost         = &router.Refusal{Code: codec.ResponseSystemError, Remark: "No host available"}
	noDialled      = &router.Refusal{Code: codec.ResponseSystemError, Remark: "develop_mode has no address to advertise: the client has not dialled IP:port"}
	clusterMissing = &router.Refusal{Code: codec.ResponseSystemError, Remark: "Cluster is not available"}
	noDirective    = &router.Refusal{Code: codec.ResponseSystemError, Remark: "No ack directive is found"}
	notSupported   = &router.Refusal{Code: codec.ResponseSystemError, Remark: "Request not supported"}
	heartbeatOK    = &router.Refusal{Code: codec.ResponseSuccess, Remark: "Heartbeat OK"}
	unregisterOK   = &router.Refusal{Code: codec.ResponseSuccess, Remark: "Envoy unregister client OK."}
)

var compatibleLosses = losses{
	failed:        &router.Refusal{Code: codec.ResponseSystemError, Remark: "remote connection failure"},
	failedLocally: &router.Refusal{Code: codec.ResponseSystemError, Remark: "local connection failure"},
	overflow:      &router.Refusal{Code: codec.ResponseSystemError, Remark: "overflow"},
	timedOut:      &router.Refusal{Code: codec.ResponseSystemError, Remark: "timeout"},
	lost:          &router.Refusal{Code: codec.ResponseSystemError, Remark: "Connection to upstream is closed by remote peer"},
	unreadable:    &router.Refusal{Code: codec.ResponseSystemError, Remark: "Failed to decode response from upstream"},
}

// codeOf is the code that decides what a request is.
func (s *Session) codeOf(h *codec.Header) requests.Code {
	code := requests.CodeOf(h)
	if s.environment.Compatible != nil {
		return requests.ForEnvoy(code)
	}
	return code
}

// routeCompatible finds the way of a request by the routes of the config. What Envoy's filter does not
// know goes to the broker that it names.
func (s *Session) routeCompatible(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	request := router.Request{Type: kind, Header: h, Body: f.Body()}
	switch kind.Envoy {
	case requests.EnvoyAnswersRoute:
		return s.answerRoute(h)
	case requests.EnvoyRegisters:
		return s.registerMember(kind, f)
	case requests.EnvoyUnregisters:
		return s.unregisterMember(kind, f)
	case requests.EnvoyAnswersMembers:
		return s.answerConsumerList(h)
	case requests.EnvoyBalances:
		return s.balance(kind, f)
	case requests.EnvoyAcknowledges:
		return s.acknowledge(kind, f)
	}
	switch kind.Class {
	case requests.Named, requests.AnyBroker, requests.AddressOnly, requests.Unlisted:
		name, refusal := router.Locate(request, knowledge{s})
		if refusal != nil {
			return s.refuse(h, notSupported)
		}
		clusters, refusal := s.clustersFor(kind, request)
		if refusal != nil {
			return s.refuse(h, refusal)
		}
		u, refusal := s.broker(name, clusters)
		if refusal != nil {
			return s.refuse(h, refusal)
		}
		return s.forward(u, kind, f)
	}
	return s.refuse(h, notSupported)
}

// clusterOf is the cluster of Envoy that a request is routed to.
func (s *Session) clusterOf(request routeconfig.Request) (*routeconfig.Route, *envoyadmin.Cluster, *router.Refusal) {
	route, ok := s.environment.Compatible.Routes.Match(request)
	if !ok {
		return nil, nil, noRoute
	}
	cluster, ok := s.environment.Compatible.Endpoints().Cluster(route.Cluster)
	if !ok {
		return nil, nil, noCluster
	}
	return route, cluster, nil
}

// balance sends a request to the broker it names if that is one of its topic's cluster, else to any endpoint there. A
// queue that was chosen for another broker means nothing then: the broker shall choose one.
func (s *Session) balance(kind *requests.Type, f framing.Frame) framing.Verdict {
	h, r := f.Header, router.Request{Type: kind, Header: f.Header, Body: f.Body()}
	topic := string(kind.Topic(h))
	route, cluster, refusal := s.clusterOf(routeconfig.Request{Topic: topic, Code: h.Code})
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	e, named, refusal := s.endpointFor(r, route, cluster)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	u, refusal := s.reachEndpoint(route.Cluster, e)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	v := s.forward(u, kind, f)
	if v != framing.PassTo(u.id) {
		return v
	}
	if kind.Code == requests.PopMessage && e.Broker.Name != "" {
		group, _ := h.Field("consumerGroup")
		u.onSuccess(h, s.rememberPopped(e.Broker, string(group)))
	}
	if _, signed := h.Field("Signature"); named || !kind.SendsMessages() || signed {
		return v
	}
	if s.goingUp.Flush(); s.state == closed { // that was too much to keep
		return framing.Stop
	}
	u.write(withField(h, kind.Fields.Queue, "-1", r.Body))
	return framing.Drop
}

// withField is a request with another value of one field.
func withField(h *codec.Header, name, value string, content []byte) []byte {
	command := codec.Command{
		Code: h.Code, Language: h.Language, Version: h.Version, Opaque: h.Opaque, Flag: h.Flag, Type: h.Type,
		Remark: h.Remark(), Body: content,
	}
	for field, old := range h.Fields() {
		if string(field) == name {
			old = []byte(value)
		}
		command.Fields = append(command.Fields, codec.Field{Name: string(field), Value: string(old)})
	}
	return command.Append(nil)
}

// endpointFor picks an endpoint of the cluster that a request is routed to: the master of the broker that it names, or
// any. `named` tells which of the two.
func (s *Session) endpointFor(r router.Request, route *routeconfig.Route, cluster *envoyadmin.Cluster) (e *envoyadmin.Endpoint, named bool, refusal *router.Refusal) {
	random := s.environment.Compatible.Random
	if percent := uint64(cluster.MaintenancePercent); percent > 0 && random()%100 < percent {
		s.recorder.Inc(stats.MaintenanceFailure)
		return nil, false, maintenance
	}
	if name, refusal := router.Locate(r, saidByRequest{knowledge{s}}); refusal == nil {
		for _, each := range cluster.Hosts(route.MetadataMatch) {
			if each.Broker.Name == string(name) && (e == nil || each.Broker.ID < e.Broker.ID) {
				e = each
			}
		}
		if e != nil {
			return e, true, nil
		}
	}
	e, ok := cluster.Pick(route.MetadataMatch, random())
	if !ok {
		return nil, false, noHost
	}
	return e, false, nil
}

// saidByRequest is knowledge for requests that are balanced: of brokers, only the one that the request names counts. The
// only broker of a topic is found by the balancing as well, and then chooses the queue, as in Envoy's filter: the endpoint's
// queue numbers hold for every topic, so the queue of a client may be one that its topic does not have.
type saidByRequest struct{ knowledge }

func (saidByRequest) TopicBrokers(string) []string { return nil }

// reachEndpoint gives the connection to an endpoint, opening it if need be.
func (s *Session) reachEndpoint(cluster string, e *envoyadmin.Endpoint) (*upstream, *router.Refusal) {
	name := e.Broker.Name
	if name == "" {
		name = e.Address
	}
	return s.reachRegistered(place{s.environment.Compatible.Directories[cluster], name}, e.Address)
}

// acknowledge sends an acknowledgement to where its message was popped from: to the broker that its receipt names, which
// only open-source clients have, or else by its directive.
func (s *Session) acknowledge(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	message, complete := poppedMessage(h)
	from, found := s.environment.Compatible.Directives.Find(message, s.now)
	found = found && complete
	if name := router.AcknowledgedBroker(router.Request{Type: kind, Header: h}); len(name) > 0 && (!found || from.Name != string(name)) {
		from, found = compatible.Broker{Name: string(name)}, true
	}
	if !found {
		return s.refuse(h, noDirective)
	}
	by := routeconfig.Request{Topic: message.Topic, Code: h.Code, HasBroker: true, BrokerName: from.Name, BrokerID: from.ID}
	route, cluster, refusal := s.clusterOf(by)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	at := slices.IndexFunc(cluster.Endpoints, func(e *envoyadmin.Endpoint) bool {
		return e.Broker.Name == from.Name && e.Broker.ID == from.ID
	})
	if at < 0 {
		return s.refuse(h, noHost)
	}
	u, refusal := s.reachEndpoint(route.Cluster, cluster.Endpoints[at])
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	v := s.forward(u, kind, f)
	if v == framing.PassTo(u.id) && kind.Code == requests.AckMessage {
		forget := func([]byte) { s.environment.Compatible.Directives.Forget(message, from.Name) }
		if h.IsOneway() {
			forget(nil)
		} else {
			u.onSuccess(h, forget)
		}
	}
	return v
}

// onSuccess has the body of a request's answer read, if it wants one and that is a success.
func (u *upstream) onSuccess(h *codec.Header, read func(content []byte)) {
	if p, ok := u.pending.Get(h.Opaque); ok && !h.IsOneway() {
		p.onSuccess = read
		u.pending.Set(h.Opaque, p)
	}
}

func poppedMessage(h *codec.Header) (m compatible.Message, ok bool) {
	group, hasGroup := h.Field("consumerGroup")
	topic, hasTopic := h.Field("topic")
	queue, hasQueue := h.IntField("queueId")
	offset, hasOffset := h.IntField("offset")
	return compatible.Message{Group: string(group), Topic: string(topic), QueueID: int32(queue), Offset: offset},
		hasGroup && hasTopic && hasQueue && hasOffset
}

// rememberPopped notes where the messages of a pop answer came from.
func (s *Session) rememberPopped(broker envoyadmin.Broker, group string) func([]byte) {
	from := compatible.Broker{Name: broker.Name, ID: broker.ID}
	if len(group) > maxName {
		return nil
	}
	return func(content []byte) {
		err := body.EachStoredMessage(content, func(m body.StoredMessage) {
			popped := compatible.Message{Group: group, Topic: m.Topic, QueueID: m.QueueID, Offset: m.Offset}
			s.environment.Compatible.Directives.Remember(popped, from, s.now)
		})
		if err != nil {
			s.recorder.Inc(stats.PopUnreadable)
		}
	}
}

// standardJSONVersion is the version of clients from which on name servers answer standard JSON (V4_9_4).
const standardJSONVersion = 401

// answerRoute makes the route of a topic of all endpoints of its cluster that say which broker they are. As in Envoy's
// filter health, priority and metadata_match play no part: a consumer must learn of every queue that has messages.
func (s *Session) answerRoute(h *codec.Header) framing.Verdict {
	topic, _ := h.Field("topic")
	route, cluster, refusal := s.clusterOf(routeconfig.Request{Topic: string(topic), Code: h.Code})
	if refusal != nil {
		return s.refuse(h, clusterMissing)
	}
	if _, err := netip.ParseAddrPort(s.local); err != nil && s.environment.Compatible.DevelopMode {
		return s.refuse(h, noDialled)
	}
	var brokers []body.RouteBroker
	var names []string
	for _, e := range cluster.Endpoints {
		if e.Broker.Name == "" {
			continue
		}
		address := e.Address
		if s.environment.Compatible.DevelopMode {
			address = s.local
		}
		names = append(names, e.Broker.Name)
		brokers = append(brokers, body.RouteBroker{
			Address:     body.Address{Cluster: e.Broker.ClusterName, BrokerName: e.Broker.Name, BrokerID: e.Broker.ID, Addr: address},
			ReadQueues:  e.Broker.ReadQueueNum,
			WriteQueues: e.Broker.WriteQueueNum,
			Perm:        e.Broker.Perm,
		})
	}
	if len(brokers) == 0 {
		return s.refuse(h, clusterMissing)
	}
	s.tell(s.environment.Compatible.Directories[route.Cluster], names)
	standard, _ := h.Field("acceptStandardJsonOnly")
	s.answerLocally(h, &router.Refusal{}, body.AppendTopicRouteData(nil, brokers, h.Version >= standardJSONVersion || string(standard) == "true"))
	return framing.Drop
}

// brokersOfTopic are the names of the brokers that the route of a topic tells.
func (s *Session) brokersOfTopic(topic string) (names []string) {
	_, cluster, refusal := s.clusterOf(routeconfig.Request{Topic: topic, Code: int32(requests.GetRouteInfoByTopic)})
	if refusal != nil {
		return nil
	}
	for _, e := range cluster.Endpoints {
		if e.Broker.Name != "" {
			names = append(names, e.Broker.Name)
		}
	}
	return unique(names)
}

// registerMember notes a client's consumer groups and passes its registration on to the brokers, whose
// long polls need it.
func (s *Session) registerMember(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	data, refusal := s.rememberHeartbeat(f)
	switch {
	case refusal != nil:
		return s.refuse(h, refusal)
	case data.ClientID == "":
		return s.refuse(h, &router.Refusal{Code: codec.ResponseSystemError, Remark: "the heartbeat has no clientID"})
	}
	s.leaveOtherGroups(data)
	for _, consumer := range data.Consumers {
		if !s.joinGroup(membership{consumer.Group, data.ClientID}) {
			s.refuseOverLimit(h)
			return framing.Drop
		}
	}
	s.copyToBrokers(kind, f)
	s.answerLocally(h, heartbeatOK, nil)
	return framing.Drop
}

// membership is one group that a client of this connection has joined.
type membership struct{ group, clientID string }

func (m membership) size() int { return len(m.group) + len(m.clientID) + entryBytes }

// joinGroup notes a membership, or that it goes on; it returns false if there are too many.
func (s *Session) joinGroup(m membership) bool {
	memberships := s.unified.memberships
	if _, joined := memberships[m]; !joined {
		if len(memberships) >= s.environment.Config.Limits.MaxHeartbeatEntries || !s.quota.Memory.Reserve(m.size()) {
			return false
		}
		memberships[m] = struct{}{}
	}
	s.environment.Compatible.Members.Register(m.group, m.clientID, s, s.now)
	return true
}

// leaveGroup forgets a membership that has ended.
func (s *Session) leaveGroup(m membership) {
	if _, joined := s.unified.memberships[m]; joined {
		delete(s.unified.memberships, m)
		s.quota.Memory.Release(m.size())
	}
}

// leaveOtherGroups ends a client's membership in groups that its heartbeat does not have any more.
func (s *Session) leaveOtherGroups(data *body.HeartbeatData) {
	stays := make(map[string]bool, len(data.Consumers))
	for _, consumer := range data.Consumers {
		stays[consumer.Group] = true
	}
	for m := range s.unified.memberships {
		if m.clientID == data.ClientID && !stays[m.group] {
			s.environment.Compatible.Members.Disconnected(m.group, m.clientID, s)
			s.leaveGroup(m)
		}
	}
}

func (s *Session) unregisterMember(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	clientID, _ := h.Field("clientID")
	group, _ := h.Field("consumerGroup")
	s.environment.Compatible.Members.Unregister(string(group), string(clientID))
	s.leaveGroup(membership{string(group), string(clientID)})
	s.forgetGroups(h)
	s.copyToBrokers(kind, f)
	s.answerLocally(h, unregisterOK, nil)
	return framing.Drop
}

// leaveGroups ends what the end of a connection ends.
func (s *Session) leaveGroups() {
	for m := range s.unified.memberships {
		s.environment.Compatible.Members.Disconnected(m.group, m.clientID, s)
	}
	clear(s.unified.memberships)
}

// copyToBrokers gives each broker of the client a copy of a registration; nobody waits for the answers.
func (s *Session) copyToBrokers(kind *requests.Type, f framing.Frame) {
	s.goingUp.Flush()
	for _, u := range s.registrationTargets() {
		if u.canWrite(f.Size) {
			s.writeUnawaited(u, kind, f)
		}
	}
}

func (s *Session) answerConsumerList(h *codec.Header) framing.Verdict {
	group, _ := h.Field("consumerGroup")
	list := s.environment.Compatible.Members.List(string(group), s.now)
	if list == nil {
		list = []string{}
	}
	size := 0
	for _, id := range list {
		size += len(id)
	}
	if size > s.environment.Config.Limits.MaxFrameBytes {
		s.refuseOverLimit(h)
		return framing.Drop
	}
	content, err := json.Marshal(map[string][]string{"consumerIdList": list})
	if err != nil {
		return s.refuse(h, notSupported)
	}
	s.answerLocally(h, &router.Refusal{}, content)
	return framing.Drop
}

// answerLocally answers a request that needs no broker.
func (s *Session) answerLocally(h *codec.Header, result *router.Refusal, content []byte) {
	s.noting.end(s, answeredWith(result.Code))
	if !h.IsOneway() {
		s.answerWith(askerOf(h), h.Opaque, result, content)
	}
}
