// SPDX-License-Identifier: Apache-2.0

package session

import (
	"maps"
	"math"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// unified is what a session keeps whose one connection stands for the whole cluster.
type unified struct {
	byAddress map[string]*upstream

	told   map[string]struct{} // names of the brokers this client has learned of
	groups map[string][]string // consumer group -> topics, by the last heartbeat

	fanOuts    map[*fanOut]struct{}
	heartbeat  lastHeartbeat
	unregister repeatable

	serverRequests   map[int32]serverRequest // by the opaque the client sees
	lastServerOpaque int32
	halves           halfMessages
	turns            map[string]int // how often the client has asked something
}

func newUnified() *unified {
	return &unified{
		byAddress: make(map[string]*upstream),
		told:      make(map[string]struct{}),
		fanOuts:   make(map[*fanOut]struct{}),
	}
}

func (x *unified) forget(u *upstream) {
	if x.byAddress[u.address] == u {
		delete(x.byAddress, u.address)
	}
	for opaque, r := range x.serverRequests {
		if r.from == u.id {
			delete(x.serverRequests, opaque)
		}
	}
}

// tell notes brokers that the client has learned of.
func (x *unified) tell(names []string) {
	for _, name := range names {
		if _, ok := x.told[name]; !ok {
			x.told[name] = struct{}{}
			x.heartbeat.sent = nil // the next one must reach this broker too
		}
	}
}

// cancel ends what waits; nobody is left to answer.
func (x *unified) cancel(s *Session) {
	for f := range x.fanOuts {
		for range f.opaques {
			s.count(f.code, -1)
			s.recorder.Inc(stats.RequestCancelled)
			s.recorder.Inc(stats.ResponseError)
		}
	}
	clear(x.fanOuts)
}

// expire ends server requests that the client never answers, and gives the next deadline.
func (x *unified) expire(s *Session) Instant {
	next := Instant(math.MaxInt64)
	for opaque, r := range x.serverRequests {
		if r.deadline <= s.now {
			delete(x.serverRequests, opaque)
			s.recorder.Inc(stats.ServerRequestExpired)
			continue
		}
		next = min(next, r.deadline)
	}
	return next
}

var (
	brokerUnknown     = &router.Refusal{Code: codec.ResponseServiceNotAvailable, Remark: "the proxy does not know the address of this broker (yet)"}
	nameServerUnknown = &router.Refusal{Code: codec.ResponseServiceNotAvailable, Remark: "the proxy has not found a name server (yet)"}
	tooManyUpstreams  = &router.Refusal{Code: codec.ResponseSystemBusy, Remark: "too many upstream connections for this client"}
)

// broker gives the connection to a broker, opening it if need be.
func (s *Session) broker(name []byte) (*upstream, *router.Refusal) {
	address, ok := s.environment.Directory.Snapshot().Master(string(name))
	if !ok {
		if u := s.connectedTo(name); u != nil {
			return u, nil
		}
		s.recorder.Inc(stats.BrokerUnknown)
		s.environment.Directory.RefreshSoon()
		return nil, brokerUnknown
	}
	if u := s.unified.byAddress[address]; u != nil {
		return u, nil
	}
	u, refusal := s.reach(string(name), address)
	if refusal == nil {
		s.replayHeartbeat(u)
	}
	return u, refusal
}

// connectedTo finds an open connection to a broker that the directory does not know any more.
func (s *Session) connectedTo(name []byte) *upstream {
	for _, u := range s.upstreams {
		if u.broker == string(name) {
			return u
		}
	}
	return nil
}

// nameServer gives the connection to a name server, opening it if need be.
func (s *Session) nameServer() (*upstream, *router.Refusal) {
	servers := s.environment.Directory.Snapshot().NameServers()
	for _, address := range servers {
		if u := s.unified.byAddress[address]; u != nil {
			return u, nil
		}
	}
	if len(servers) == 0 {
		s.environment.Directory.RefreshSoon()
		return nil, nameServerUnknown
	}
	return s.reach("", servers[0])
}

// reach gives the connection to an address, opening it if need be.
func (s *Session) reach(broker, address string) (*upstream, *router.Refusal) {
	if u := s.unified.byAddress[address]; u != nil {
		return u, nil
	}
	if len(s.upstreams) >= s.environment.Config.Limits.MaxUpstreamConnections {
		s.recorder.Inc(stats.RequestOverLimit)
		return nil, tooManyUpstreams
	}
	u := s.connect(broker, address)
	s.unified.byAddress[address] = u
	return u, nil
}

// knowledge is what the router may ask.
type knowledge struct{ *Session }

func (s knowledge) TopicBrokers(topic string) []string {
	return s.reachable(s.environment.Directory.Topic(topic))
}

func (s knowledge) GroupTopics(group string) []string { return s.unified.groups[group] }

func (s knowledge) ToldBrokers() []string {
	return s.reachable(slices.Sorted(maps.Keys(s.unified.told)))
}

func (s knowledge) QueueBroker(topic, scope string, queue int32) (string, bool) {
	return s.environment.Directory.QueueBroker(topic, scope, queue)
}

func (s knowledge) HalfMessageBroker(tranStateTableOffset, commitLogOffset int64) (string, bool) {
	return s.unified.halves.find(halfMessage{tranStateTableOffset, commitLogOffset})
}

// maxTurns bounds the questions that are counted; beyond, counting starts anew.
const maxTurns = 256

func (s knowledge) Turn(question string) int {
	turns := s.unified.turns
	if turns == nil || len(turns) >= maxTurns {
		turns = make(map[string]int)
		s.unified.turns = turns
	}
	turn := turns[question]
	turns[question]++
	return turn
}

// reachable are those of `names` whose address is known.
func (s *Session) reachable(names []string) []string {
	snapshot := s.environment.Directory.Snapshot()
	known := make([]string, 0, len(names))
	for _, name := range names {
		if _, ok := snapshot.Master(name); ok {
			known = append(known, name)
		}
	}
	return known
}
