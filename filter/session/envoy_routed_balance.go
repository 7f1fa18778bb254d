// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyrouted"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// clusterOf returns the cluster of Envoy that a request is routed to.
func (s *envoyRouted) clusterOf(request routeconfig.Request) (*routeconfig.Route, *envoyadmin.Cluster, *codec.Reply) {
	route, ok := s.routing.Routes.Match(request)
	if !ok {
		return nil, nil, noRoute
	}
	cluster, ok := s.routing.Endpoints().Cluster(route.Cluster)
	if !ok {
		return nil, nil, noCluster
	}
	return route, cluster, nil
}

// balance sends a request to the broker it names if that is one of its topic's cluster, else to any endpoint there. A
// queue that was chosen for another broker means nothing then: the broker shall choose one.
func (s *envoyRouted) balance(kind *requests.Type, f framing.Frame) framing.Verdict {
	h, r := f.Header, &router.Request{Type: kind, Header: f.Header, Body: f.Body()}
	topic := string(kind.Topic(h))
	route, cluster, refusal := s.clusterOf(routeconfig.Request{Topic: topic, Code: h.Code})
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	e, named, refusal := s.endpointFor(r, route, cluster)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	u, refusal := s.connectEndpoint(route.Cluster, e)
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	v, ok := s.forward(u, kind, f)
	if !ok {
		return v
	}
	if kind.Code == requests.PopMessage && e.Broker.Name != "" {
		group, _ := h.Field("consumerGroup")
		u.readAnswer(h, s.rememberPopped(e.Broker, string(group)))
	}
	if _, signed := h.Field("Signature"); named || !kind.SendsMessages() || signed {
		return v
	}
	u.send(withField(h, kind.Fields.Queue, "-1", r.Body))
	return framing.Drop
}

// withField returns a request with another value of one field.
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
// any. `named` reports which of the two.
func (s *envoyRouted) endpointFor(r *router.Request, route *routeconfig.Route, cluster *envoyadmin.Cluster) (e *envoyadmin.Endpoint, named bool, refusal *codec.Reply) {
	random := s.routing.Random
	if percent := uint64(cluster.MaintenancePercent); percent > 0 && random()%100 < percent {
		s.recorder.Inc(stats.MaintenanceFailure)
		return nil, false, maintenance
	}
	if name, refusal := router.Locate(r, saidByRequest{knowledge{s.shared}}); refusal == nil {
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

func (saidByRequest) TopicBrokers(string) []string     { return nil }
func (saidByRequest) OnlyBroker(string) (string, bool) { return "", false }

// connectEndpoint returns the connection to an endpoint, opening it if need be.
func (s *envoyRouted) connectEndpoint(cluster string, e *envoyadmin.Endpoint) (*upstream, *codec.Reply) {
	name := e.Broker.Name
	if name == "" {
		name = e.Address
	}
	return s.connectRegistered(target{s.routing.Directories[cluster], name}, e.Address)
}

// acknowledge sends an acknowledgement to where its message was popped from: to the broker that its receipt names, which
// only open-source clients have, or else by its directive.
func (s *envoyRouted) acknowledge(kind *requests.Type, f framing.Frame) framing.Verdict {
	h := f.Header
	message, complete := poppedMessage(h)
	from, found := s.routing.Directives.Find(message, s.now)
	found = found && complete
	if name := router.AcknowledgedBroker(&router.Request{Type: kind, Header: h}); len(name) > 0 && (!found || from.Name != string(name)) {
		from, found = envoyrouted.Broker{Name: string(name)}, true
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
	u, refusal := s.connectEndpoint(route.Cluster, cluster.Endpoints[at])
	if refusal != nil {
		return s.refuse(h, refusal)
	}
	v, ok := s.forward(u, kind, f)
	if ok && kind.Code == requests.AckMessage {
		forget := func() { s.routing.Directives.Forget(message, from.Name) }
		if h.IsOneway() {
			forget()
		} else {
			u.readAnswer(h, func(framing.Frame) { forget() })
		}
	}
	return v
}

// readAnswer calls read with the answer to a request that waits at u, if that is a success. It does nothing for a request
// that wants no answer.
func (u *upstream) readAnswer(h *codec.Header, read func(framing.Frame)) {
	if p := u.pending.Get(h.Opaque); p != nil && !h.IsOneway() && read != nil {
		p.onAnswer = func(f framing.Frame) {
			if f.Header.ResponseCode() == codec.ResponseSuccess {
				read(f)
			}
		}
	}
}

func poppedMessage(h *codec.Header) (m envoyrouted.Message, ok bool) {
	group, hasGroup := h.Field("consumerGroup")
	topic, hasTopic := h.Field("topic")
	queue, hasQueue := h.IntField("queueId")
	offset, hasOffset := h.IntField("offset")
	return envoyrouted.Message{Group: string(group), Topic: string(topic), QueueID: int32(queue), Offset: offset},
		hasGroup && hasTopic && hasQueue && hasOffset
}

// rememberPopped returns what notes the broker that the messages of a pop answer came from; nil for a group that there
// cannot be.
func (s *envoyRouted) rememberPopped(broker envoyadmin.Broker, group string) func(framing.Frame) {
	from := envoyrouted.Broker{Name: broker.Name, ID: broker.ID}
	if len(group) > codec.MaxGroupName {
		return nil
	}
	return func(f framing.Frame) {
		err := body.EachStoredMessage(f.Body(), func(m body.StoredMessage) {
			popped := envoyrouted.Message{Group: group, Topic: m.Topic, QueueID: m.QueueID, Offset: m.Offset}
			s.routing.Directives.Remember(popped, from, s.now)
		})
		if err != nil {
			s.recorder.Inc(stats.PopUnreadable)
		}
	}
}
