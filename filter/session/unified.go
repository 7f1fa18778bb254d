// SPDX-License-Identifier: Apache-2.0

package session

import (
	"hash/maphash"
	"math"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// unified is what a session keeps whose one connection stands for the whole cluster.
type unified struct {
	byAddress map[string]*upstream

	told   map[place]struct{}  // brokers this client has learned of
	groups map[string][]string // consumer group -> topics, by the last heartbeat

	fanOuts    map[*fanOut]struct{}
	heartbeat  lastHeartbeat
	unregister repeatable

	serverRequests   map[int32]serverRequest // by the opaque the client sees
	lastServerOpaque int32
	halves           halfMessages
	turns            map[uint64]int          // how often the client has asked something, by its hash
	memberships      map[membership]struct{} // of this connection's clients, where the proxy keeps them itself
}

func newUnified() *unified {
	return &unified{
		byAddress:   make(map[string]*upstream),
		told:        make(map[place]struct{}),
		fanOuts:     make(map[*fanOut]struct{}),
		memberships: make(map[membership]struct{}),
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

// tell notes brokers that the client has learned of, as many as there is memory for.
func (s *Session) tell(cluster *directory.Directory, names []string) {
	x := s.unified
	for _, name := range names {
		at := place{cluster, name}
		if _, ok := x.told[at]; !ok && s.quota.Memory.Reserve(len(name)+entryBytes) {
			x.told[at] = struct{}{}
			x.heartbeat.sent = nil // the next one must reach this broker too
		}
	}
}

// cancel ends what waits; nobody is left to answer.
func (x *unified) cancel(s *Session) {
	for f := range x.fanOuts {
		for i := range f.opaques {
			f.noted[i].end(s, ending{cause: causeClientGone})
			s.active.add(f.code, -1)
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
	noMoreFiles       = &router.Refusal{Code: codec.ResponseSystemBusy, Remark: "the proxy has as many connections as it may open files for"}
	tooManyUpstreams  = &router.Refusal{Code: codec.ResponseSystemBusy, Remark: "too many upstream connections for this client"}
)

// broker gives the connection to the broker of that name in one of the clusters, opening it if need be.
func (s *Session) broker(name []byte, clusters []*directory.Directory) (*upstream, *router.Refusal) {
	for _, cluster := range clusters {
		address, ok := cluster.Snapshot().Master(string(name))
		if !ok {
			continue
		}
		if s.unified.byAddress[address] != nil {
			return s.reach(place{cluster: cluster}, address)
		}
		return s.reachRegistered(place{cluster, string(name)}, address)
	}
	if u := s.connectedTo(name, clusters); u != nil {
		return s.reach(u.place, u.address)
	}
	s.recorder.Inc(stats.BrokerUnknown)
	for _, cluster := range clusters {
		cluster.RefreshSoon()
	}
	return nil, brokerUnknown
}

// connectedTo finds an open connection to a broker that the directory does not know any more.
func (s *Session) connectedTo(name []byte, clusters []*directory.Directory) *upstream {
	for _, u := range s.unified.byAddress {
		if u.place.broker == string(name) && slices.Contains(clusters, u.place.cluster) {
			return u
		}
	}
	return nil
}

// nameServer gives the connection to a name server of a cluster, opening it if need be.
func (s *Session) nameServer(cluster *directory.Directory) (*upstream, *router.Refusal) {
	servers := cluster.Snapshot().NameServers()
	for _, address := range servers {
		if u := s.unified.byAddress[address]; u != nil {
			return u, nil
		}
	}
	if len(servers) == 0 {
		cluster.RefreshSoon()
		return nil, nameServerUnknown
	}
	return s.reach(place{cluster: cluster}, servers[0])
}

// reach gives the connection to an address, opening it if need be.
func (s *Session) reach(to place, address string) (*upstream, *router.Refusal) {
	if refusal := s.mayReach(to, address); refusal != nil {
		return nil, refusal
	}
	if u := s.unified.byAddress[address]; u != nil {
		return u, nil
	}
	if s.state == closed { // by what was written to another one: nobody would close this one
		return nil, overLimit
	}
	if len(s.upstreams) >= s.environment.Config.Limits.MaxUpstreamConnections {
		s.recorder.Inc(stats.RequestOverLimit)
		return nil, tooManyUpstreams
	}
	if !s.quota.OpenFiles(1) {
		s.recorder.Inc(stats.RequestOverLimit)
		return nil, noMoreFiles
	}
	u, refusal := s.connect(to, address)
	if refusal != nil {
		s.quota.CloseFiles(1)
		return nil, refusal
	}
	s.unified.byAddress[address] = u
	return u, nil
}

// reachRegistered is reach for a broker that this client may have registered at: one whose connection is new
// gets the registration again first.
func (s *Session) reachRegistered(to place, address string) (*upstream, *router.Refusal) {
	known := s.unified.byAddress[address] != nil
	u, refusal := s.reach(to, address)
	if known || refusal != nil {
		return u, refusal
	}
	if s.replayHeartbeat(u); s.state == closed { // that was too much to keep
		return nil, overLimit
	}
	return u, nil
}

// knowledge is what the router may ask.
type knowledge struct{ *Session }

func (s knowledge) TopicBrokers(topic string) []string {
	if s.environment.Compatible != nil {
		return s.brokersOfTopic(topic)
	}
	var names []string
	for _, cluster := range s.clustersOf([]byte(topic)) {
		snapshot := cluster.Snapshot()
		for _, name := range cluster.Topic(topic) {
			if _, ok := snapshot.Master(name); ok {
				names = append(names, name)
			}
		}
	}
	return unique(names)
}

func (s knowledge) GroupTopics(group string) []string { return s.unified.groups[group] }

func (s knowledge) ToldBrokers() []string {
	names := make([]string, 0, len(s.unified.told))
	for at := range s.unified.told {
		if _, ok := at.cluster.Snapshot().Master(at.broker); ok {
			names = append(names, at.broker)
		}
	}
	return unique(names)
}

// unique are the names sorted, each once.
func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func (s knowledge) QueueBroker(topic, logicalBroker string, queue int32) (string, bool) {
	for _, cluster := range s.clustersOf([]byte(topic)) {
		if broker, ok := cluster.QueueBroker(topic, logicalBroker, queue); ok {
			return broker, true
		}
	}
	return "", false
}

func (s knowledge) HalfMessageBroker(half router.HalfMessage, h *codec.Header) (string, bool) {
	at, ok := s.unified.halves.find(half, h)
	return at.broker, ok
}

// maxTurns bounds the questions that are counted; beyond, counting starts anew.
const maxTurns = 256

// questions hashes what is asked: a question may be as long as a header, and a client chooses it.
var questions = maphash.MakeSeed()

func (s knowledge) Turn(question string) int {
	turns := s.unified.turns
	if turns == nil || len(turns) >= maxTurns {
		turns = make(map[uint64]int)
		s.unified.turns = turns
	}
	asked := maphash.String(questions, question)
	turn := turns[asked]
	turns[asked]++
	return turn
}
