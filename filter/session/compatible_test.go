// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyrouted"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// envoyCluster is a cluster of Envoy with the two brokers and an endpoint that does not say what it is.
func envoyCluster() *envoyadmin.Cluster {
	endpoint := func(name string, address string) *envoyadmin.Endpoint {
		return &envoyadmin.Endpoint{Address: address, Weight: 1, Broker: envoyadmin.Broker{Name: name, ClusterName: "c", ReadQueueNum: 4, WriteQueueNum: 8, Perm: 6}}
	}
	breakers := envoyadmin.Breakers{MaxConnections: 1024, MaxConnectionsPerHost: math.MaxUint32, MaxPendingRequests: 1024}
	return &envoyadmin.Cluster{Name: "rocketmq", ConnectTimeout: 5 * time.Second, Breakers: breakers, Endpoints: []*envoyadmin.Endpoint{
		endpoint("broker-a", brokerAAddress), endpoint("broker-b", brokerBAddress), endpoint("", namelessAddress),
	}}
}

const namelessAddress = "10.0.0.7:10911"

// endpointNames answers the directory of a cluster of Envoy.
type endpointNames struct{ fakeNameServers }

func (endpointNames) Brokers(context.Context, string) ([]body.Address, error) {
	return []body.Address{
		{Cluster: "c", BrokerName: "broker-a", Addr: brokerAAddress},
		{Cluster: "c", BrokerName: "broker-b", Addr: brokerBAddress},
	}, nil
}

func exactly(topic string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: topic}}
}

// compatibleEnvironment routes the topics t and %RETRY%g to the cluster, and lost to one that does not exist.
func compatibleEnvironment(t testing.TB) *Environment {
	t.Helper()
	routes := &rocketmqproxy.RouteConfiguration{}
	for topic, cluster := range map[string]string{"t": "rocketmq", "%RETRY%g": "rocketmq", "lost": "nowhere"} {
		routes.Routes = append(routes.Routes, &rocketmqproxy.Route{
			Match: &rocketmqproxy.RouteMatch{Topic: exactly(topic)},
			Route: &rocketmqproxy.RouteAction{Cluster: cluster},
		})
	}
	table, errs := routeconfig.Compile(routes)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d, nowhere := newDirectory(t, []string{"rocketmq"}, endpointNames{}), newDirectory(t, []string{"nowhere"}, fakeNameServers{down: true})
	snapshot := envoyadmin.NewSnapshot(envoyCluster())
	e := environmentOf(apiv1.AddressingConfig{Mode: apiv1.UnifiedMode}, directory.NewClusters(nil, d))
	e.EnvoyRouting = &EnvoyRouting{
		Routes:      table,
		Endpoints:   func() *envoyadmin.Snapshot { return snapshot },
		Directories: map[string]*directory.Directory{"rocketmq": d, "nowhere": nowhere},
		Clusters:    map[*directory.Directory]string{d: "rocketmq", nowhere: "nowhere"},
		Circuits:    map[string]*envoyrouted.Circuit{"rocketmq": envoyrouted.NewCircuit(), "nowhere": envoyrouted.NewCircuit()},
		Directives:  envoyrouted.NewDirectives(30 * time.Second),
		Members:     envoyrouted.NewMembers(),
		Random:      func() uint64 { return 0 },
	}
	return e
}

func dialCompatible(t testing.TB) *harness {
	t.Helper()
	return dial(t, compatibleEnvironment(t), 10911, terminal)
}

func topicField(topic string) codec.Field { return codec.Field{Name: "topic", Value: topic} }

func (h *harness) wantAnswer(opaque int32, code codec.ResponseCode, remark string) frame {
	h.Helper()
	got := one(h.TB, h.tookDown())
	if got.Opaque != opaque || got.ResponseCode() != code || got.Remark() != remark || !got.IsResponse() || got.Version != 479 {
		h.Errorf("got opaque %d, version %d, %v %q; want %d, 479, %v %q", got.Opaque, got.Version, got.ResponseCode(), got.Remark(), opaque, code, remark)
	}
	return got
}

func TestCompatibleRouteIsMadeOfEndpoints(t *testing.T) {
	for _, developMode := range []bool{false, true} {
		e := compatibleEnvironment(t)
		e.EnvoyRouting.DevelopMode = developMode
		h := dial(t, e, 10911, terminal)
		h.send(request(requests.GetRouteInfoByTopic, 1, "", topicField("t")))
		got := h.wantAnswer(1, codec.ResponseSuccess, "")
		a, b := brokerAAddress, brokerBAddress
		if developMode {
			a, b = "127.0.0.1:10911", "127.0.0.1:10911"
		}
		want := fmt.Sprintf(`{"brokerDatas":[{"brokerAddrs":{"0":"%s"},"brokerName":"broker-a","cluster":"c"},{"brokerAddrs":{"0":"%s"},"brokerName":"broker-b","cluster":"c"}],"filterServerTable":{},"queueDatas":[`, a, b) +
			`{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":8},{"brokerName":"broker-b","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":8}]}`
		if got.body != want {
			t.Errorf("\n got %s\nwant %s", got.body, want)
		}
		h.send(request(requests.GetRouteInfoByTopic, 2, "", topicField("unrouted")))
		h.wantAnswer(2, codec.ResponseSystemError, "Cluster is not available")
		h.send(request(requests.GetRouteInfoByTopic, 3, "", topicField("lost")))
		h.wantAnswer(3, codec.ResponseSystemError, "Cluster is not available")
		h.wantStats(map[stats.ID]int64{stats.GetTopicRoute: 3})
		h.wantIdle()
	}
}

// routeByEnvoysRule is the route that Envoy's own filter makes of a cluster (docs: all hosts of every priority, whatever
// their health and metadata; of hosts with the same broker_id the first): addresses by broker name and id.
func routeByEnvoysRule(all []*envoyadmin.Endpoint) map[string]map[string]string {
	route := map[string]map[string]string{}
	for _, e := range all {
		addresses := route[e.Broker.Name]
		if addresses == nil {
			addresses = map[string]string{}
			route[e.Broker.Name] = addresses
		}
		if id := strconv.FormatInt(e.Broker.ID, 10); addresses[id] == "" {
			addresses[id] = e.Address
		}
	}
	return route
}

func TestCompatibleRoutesListEveryEndpointAsEnvoysFilterDoes(t *testing.T) {
	criteria, err := lbmetadata.NewCriteria(map[string]any{"broker_name": "broker-a"})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*envoyadmin.Cluster, *routeconfig.Route){
		"as it is": func(*envoyadmin.Cluster, *routeconfig.Route) {},
		"priorities": func(c *envoyadmin.Cluster, _ *routeconfig.Route) {
			c.Endpoints[1].Priority, c.Endpoints[2].Priority = 1, 2
		},
		"degraded": func(c *envoyadmin.Cluster, _ *routeconfig.Route) { c.Endpoints[0].Health = envoyadmin.Degraded },
		"draining": func(c *envoyadmin.Cluster, _ *routeconfig.Route) { c.Endpoints[1].Health = envoyadmin.Draining },
		"unhealthy": func(c *envoyadmin.Cluster, _ *routeconfig.Route) {
			for _, e := range c.Endpoints {
				e.Health = envoyadmin.Unhealthy
			}
		},
		"a subset": func(c *envoyadmin.Cluster, r *routeconfig.Route) {
			r.MetadataMatch = criteria
			c.Subsets = &envoyadmin.Subsets{Fallback: envoyadmin.NoFallback, Selectors: []envoyadmin.Selector{{Keys: []string{"broker_name"}}}}
		},
		"the same broker twice": func(c *envoyadmin.Cluster, _ *routeconfig.Route) { c.Endpoints[1].Broker = c.Endpoints[0].Broker },
	} {
		e := compatibleEnvironment(t)
		cluster := envoyCluster()
		slave := *cluster.Endpoints[0]
		slave.Address, slave.Broker.ID = "10.0.0.1:11911", 1
		cluster.Endpoints[2] = &slave
		for _, route := range e.EnvoyRouting.Routes.Routes() {
			change(cluster, route)
		}
		e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
		h := dial(t, e, 10911, terminal)
		h.send(request(requests.GetRouteInfoByTopic, 1, "", topicField("t")))
		route, err := body.ParseTopicRouteData([]byte(h.wantAnswer(1, codec.ResponseSuccess, "").body))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]map[string]string{}
		for _, a := range route.Brokers {
			if got[a.BrokerName] == nil {
				got[a.BrokerName] = map[string]string{}
			}
			got[a.BrokerName][strconv.FormatInt(a.BrokerID, 10)] = a.Addr
		}
		if want := routeByEnvoysRule(cluster.Endpoints); !maps.EqualFunc(got, want, maps.Equal) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		h.wantIdle()
	}
}

// TestCompatibleSendsWithoutABrokerLoseTheirQueue has a topic with one broker: even then the broker chooses.
func TestCompatibleSendsWithoutABrokerLoseTheirQueue(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.Endpoints = cluster.Endpoints[:1]
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "", "t"))
	h.send(sendV2(2, "broker-a", "t"))
	if got := h.tookUp(brokerAAddress); len(got) != 2 || field(got[0], "e") != "-1" || field(got[1], "e") != "0" {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

func TestCompatibleDevelopModeNeedsAnAddressToAdvertise(t *testing.T) {
	e := compatibleEnvironment(t)
	for developMode, remark := range map[bool]string{false: "", true: "develop_mode has no address to advertise: the client has not dialled IP:port"} {
		e.EnvoyRouting.DevelopMode = developMode
		h := dialAddress(t, e, "", terminal) // by a Unix socket
		h.send(request(requests.GetRouteInfoByTopic, 1, "", topicField("t")))
		if got := one(t, h.tookDown()); got.Remark() != remark || (got.ResponseCode() == codec.ResponseSuccess) == developMode {
			t.Errorf("develop_mode %v: got %v %q", developMode, got.ResponseCode(), got.Remark())
		}
		h.wantIdle()
	}
}

// TestCompatibleFramesThatEnvoysFilterRefusesPass has what it closes the connection for, and legal clients do.
func TestCompatibleFramesThatEnvoysFilterRefusesPass(t *testing.T) {
	e := compatibleEnvironment(t)
	l := &e.Config.Limits
	l.MaxFrameBytes, l.MaxBufferedBytes, l.MaxSessionBytes, l.MaxTotalBytes = 16<<20, 16<<20, 64<<20, 1<<30
	h := dial(t, e, 10911, terminal)
	h.send(request(requests.SendMessage, 1, strings.Repeat("x", 5<<20), topicField("t"), codec.Field{Name: "bname", Value: "broker-a"}))
	if got := one(t, h.tookUp(brokerAAddress)); len(got.body) != 5<<20 {
		t.Errorf("got %d bytes", len(got.body))
	}
	const header = `{"code":310,"opaque":2,"extFields":{"b":"t","n":"broker-a"}}` // neither flag nor version
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)))
	h.send(append(binary.BigEndian.AppendUint32(frame, uint32(len(header))), header...))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 2 {
		t.Errorf("got %v", got.Header)
	}
	h.wantIdle()
}

func TestCompatibleOpaquesAreNotUsedTwiceAtOnce(t *testing.T) {
	h := dialCompatible(t)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(sendV2(1, "broker-b", "t")) // another broker's answers are told apart
	if h.host.downClosed {
		t.Error("closed")
	}
	h.send(sendV2(1, "broker-a", "t"))
	if !h.host.downClosed {
		t.Error("open: nobody can tell which of the two an answer is for")
	}
	h.wantStats(map[stats.ID]int64{stats.RequestOpaqueReused: 1})
	h.wantIdle()
}

func TestCompatibleSendsGoToTheNamedBrokerOrToAnyWithoutTheirQueue(t *testing.T) {
	h := dialCompatible(t)
	h.send(sendV2(1, "broker-b", "t"))
	if got := one(t, h.tookUp(brokerBAddress)); field(got, "e") != "0" || field(got, "n") != "broker-b" {
		t.Errorf("got queue %q of %q", field(got, "e"), field(got, "n"))
	}
	h.send(sendV2(2, "", "t"))
	h.send(request(requests.SendMessage, 3, "hello", topicField("t"), codec.Field{Name: "queueId", Value: "7"}, codec.Field{Name: "new", Value: "kept"}))
	got := h.tookUp(brokerAAddress)
	if len(got) != 2 || field(got[0], "e") != "-1" || field(got[1], "queueId") != "-1" || field(got[1], "new") != "kept" || got[1].body != "hello" || field(got[0], "i") != "KEYS\u0001k\u0002" {
		t.Errorf("got %v", got)
	}
	// The answer passes as it is, whatever it lacks.
	answer := response(codec.ResponseSuccess, 2, "")
	h.receive(h.to(brokerAAddress), answer)
	if h.host.down.String() != string(answer) {
		t.Errorf("got %q", h.host.down.String())
	}
	h.tookDown()
	h.send(sendV2(4, "broker-a", "unrouted"))
	h.wantAnswer(4, codec.ResponseSystemError, "No route for current request.")
	h.send(sendV2(5, "broker-a", "lost"))
	h.wantAnswer(5, codec.ResponseSystemError, "Cluster does not exist.")
	h.wantStats(map[stats.ID]int64{stats.SendMessageV2: 4, stats.SendMessageV1: 1, stats.TotalPending: 2, stats.SendMessagePending: 2})
	h.wantIdle()
}

func TestCompatibleClustersInMaintenanceOrWithoutHostsAreSaidSo(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.MaintenancePercent = 100
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.wantAnswer(1, codec.ResponseSystemError, "Cluster under maintenance.")
	h.wantStats(map[stats.ID]int64{stats.MaintenanceFailure: 1})
	cluster.MaintenancePercent, cluster.Endpoints = 0, nil
	h.send(sendV2(2, "broker-a", "t"))
	h.wantAnswer(2, codec.ResponseSystemError, "No host available")
	h.send(request(requests.GetRouteInfoByTopic, 3, "", topicField("t")))
	h.wantAnswer(3, codec.ResponseSystemError, "Cluster is not available")
	h.wantIdle()
}

// TestCompatibleClustersThatDemandMoreThanTCPGetNothing has each kind of request meet a cluster with TLS, and one that turns
// to it while connections are open.
func TestCompatibleClustersThatDemandMoreThanTCPGetNothing(t *testing.T) {
	const remark = "cluster rocketmq has transport_socket, which needs an egress listener (egress.address)"
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(request(requests.HeartBeat, 2, heartbeatBody))
	h.tookDown()
	h.to(brokerAAddress)
	before := h.tookUp(brokerAAddress)
	cluster.Demands = "transport_socket"
	opened := len(h.host.order)
	all := [][]byte{
		sendV2(3, "broker-a", "t"), sendV2(4, "", "t"), pop(requests.PopMessage, 5),
		request(requests.PullMessage, 6, "", topicField("t"), codec.Field{Name: "bname", Value: "broker-a"}),
		request(requests.AckMessage, 7, "", codec.Field{Name: "extraInfo", Value: "1 2 3 4 0 broker-b 2 100"}, topicField("t")),
	}
	for _, frame := range all {
		h.send(frame)
	}
	got := h.tookDown()
	if len(got) != len(all)+1 { // and the first, which waited on a connection that must not be used any more
		t.Fatalf("got %v", got)
	}
	for _, each := range got {
		if each.Remark() != remark || each.ResponseCode() != codec.ResponseSystemError {
			t.Errorf("%d: got %v %q", each.Opaque, each.ResponseCode(), each.Remark())
		}
	}
	h.send(request(requests.HeartBeat, 8, heartbeatBody))
	h.wantAnswer(8, codec.ResponseSuccess, "Heartbeat OK")
	if len(before) == 0 || len(h.host.order) != opened || !h.host.upClosed[h.host.order[0]] || len(h.upstreams) != 0 {
		t.Errorf("%d connections were opened since, %d are left", len(h.host.order)-opened, len(h.upstreams))
	}
	e.Config.Egress = egressAddress // it does what the cluster demands
	h.send(sendV2(9, "broker-a", "t"))
	if len(h.host.order) != opened+1 || h.host.address[h.host.order[opened]] != egressAddress {
		t.Errorf("with egress: %v", h.host.address)
	}
	h.wantIdle()
}

// TestCompatibleClustersShareNoConnectionThatOneOfThemForbids has two clusters with the same brokers.
func TestCompatibleClustersShareNoConnectionThatOneOfThemForbids(t *testing.T) {
	e := compatibleEnvironment(t)
	plain, demanding := envoyCluster(), envoyCluster()
	demanding.Name, demanding.Demands = "nowhere", "upstream_bind_config"
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(plain, demanding) }
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	one(t, h.tookUp(brokerAAddress))
	h.send(sendV2(2, "broker-a", "lost"))
	h.wantAnswer(2, codec.ResponseSystemError, "cluster nowhere has upstream_bind_config, which needs an egress listener (egress.address)")
	if got := h.tookUp(brokerAAddress); len(got) != 0 {
		t.Errorf("sent %v", got)
	}
	h.wantIdle()
}

func TestCompatibleEndpointsWithoutAnIPAddressAreNotDialled(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.Endpoints[0].Address = "/run/broker"
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.wantAnswer(1, codec.ResponseSystemError, "local connection failure")
	h.wantIdle()
}

// TestCompatibleRequestsWaitUntilEnvoyWasAskedForTheirCluster has the admin interface fail at first.
func TestCompatibleRequestsWaitUntilEnvoyWasAskedForTheirCluster(t *testing.T) {
	e := compatibleEnvironment(t)
	known := e.EnvoyRouting.Endpoints
	snapshot := &envoyadmin.Snapshot{}
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return snapshot }
	h, late := dial(t, e, 10911, terminal), dial(t, e, 10911, terminal)
	h.send(request(requests.GetRouteInfoByTopic, 1, "", topicField("t")))
	late.send(sendV2(2, "broker-a", "t"))
	h.Wake(h.clock)
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("answered already: %v", got)
	}
	late.clock += e.Config.Timeouts.Directory
	late.Wake(late.clock)
	late.wantAnswer(2, codec.ResponseSystemError, "Cluster does not exist.")
	snapshot = known()
	h.Wake(h.clock)
	h.wantAnswer(1, codec.ResponseSuccess, "")
	late.Close(late.clock)
	h.wantIdle()
}

func TestCompatibleConnectionsOpenWithinTheClustersTimeout(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.ConnectTimeout = 300 * time.Millisecond
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.clock += 299 * time.Millisecond
	h.Wake(h.clock)
	if got := h.tookDown(); len(got) != 0 || h.host.wakeAt != time.Second+300*time.Millisecond {
		t.Errorf("got %v, woken at %v", got, h.host.wakeAt)
	}
	h.clock += time.Millisecond
	h.Wake(h.clock)
	h.wantAnswer(1, codec.ResponseSystemError, "timeout")
	h.wantIdle()
}

func TestCompatibleRequestsThatWaitForConnectionsAreBounded(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.Breakers.MaxPendingRequests = 2
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h, other := dial(t, e, 10911, terminal), dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(sendV2(2, "broker-a", "t"))
	h.send(sendV2(3, "broker-a", "t"))
	h.wantAnswer(3, codec.ResponseSystemError, "overflow")
	other.send(sendV2(4, "broker-b", "t")) // counted over all connections
	other.wantAnswer(4, codec.ResponseSystemError, "overflow")
	if len(other.host.order) != 0 {
		t.Error("a connection is opened for nothing")
	}
	h.wantStats(map[stats.ID]int64{stats.ClusterOverflow: 2})
	h.to(brokerAAddress) // opens
	h.send(sendV2(5, "broker-a", "t"))
	other.send(sendV2(6, "broker-b", "t"))
	if len(h.tookUp(brokerAAddress)) != 3 || len(other.tookUp(brokerBAddress)) != 1 {
		t.Error("no request passes once the connection is open")
	}
	other.Close(other.clock)
	h.wantIdle()
}

// TestCompatibleConnectionsAreBounded has two clients share the one connection that their cluster allows: the one that has
// nothing to do gives way.
func TestCompatibleConnectionsAreBounded(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.Breakers.MaxConnections = 1
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	a, b := dial(t, e, 10911, terminal), dial(t, e, 10911, terminal)
	a.send(sendV2(1, "broker-a", "t"))
	first := a.to(brokerAAddress)
	b.send(sendV2(2, "broker-a", "t"))
	if len(b.host.order) != 0 || a.host.upClosed[first] {
		t.Fatal("a second connection, or the first was ended while a request waits on it")
	}
	a.receive(first, response(codec.ResponseSuccess, 1, ""))
	if one(t, a.tookDown()).Opaque != 1 || !a.host.upClosed[first] {
		t.Error("keeps a connection that it does not need")
	}
	b.Wake(b.clock)
	second := b.to(brokerAAddress)
	if one(t, take(t, b.host.up[second])).Opaque != 2 {
		t.Error("the request that waited is not there")
	}
	b.receive(second, response(codec.ResponseSuccess, 2, "")) // idle, and nobody waits
	b.tookDown()
	if b.host.upClosed[second] {
		t.Error("ended for nobody")
	}
	a.send(sendV2(3, "broker-b", "t")) // every broker gets one connection
	third := a.to(brokerBAddress)
	a.send(sendV2(4, "broker-a", "t"))
	b.Wake(b.clock)
	if !b.host.upClosed[second] {
		t.Error("an idle connection stays though another client waits")
	}
	a.receive(third, response(codec.ResponseSuccess, 3, ""))
	a.tookDown()
	a.Wake(a.clock)
	a.to(brokerAAddress)
	// A request does not wait for ever.
	b.send(sendV2(5, "broker-a", "t"))
	b.clock += e.Config.Timeouts.Request
	b.Wake(b.clock)
	b.wantAnswer(5, codec.ResponseSystemError, deadlinePassed.reply.Remark)
	if len(b.upstreams) != 0 {
		t.Error("still waits for a connection that nobody needs")
	}
	b.Close(b.clock)
	a.wantIdle()
}

func TestCompatibleRegistrationsTakeNoConnectionFromRequests(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.Breakers.MaxConnections = 1
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	a, b := dial(t, e, 10911, terminal), dial(t, e, 10911, terminal)
	a.send(sendV2(1, "broker-a", "t"))
	b.send(request(requests.HeartBeat, 2, heartbeatBody))
	b.wantAnswer(2, codec.ResponseSuccess, "Heartbeat OK")
	if len(b.host.order) != 1 || b.host.address[b.host.order[0]] != brokerBAddress {
		t.Errorf("connected to %v, want broker-b, which had no connection", b.host.address)
	}
	b.Close(b.clock)
	a.wantIdle()
}

func TestCompatibleUpstreamFailuresAreToldInEnvoysWords(t *testing.T) {
	for remark, end := range map[string]func(*harness, UpstreamID){
		"remote connection failure": func(h *harness, id UpstreamID) { h.UpstreamFailed(h.clock, id, RemoteFailure) },
		"local connection failure":  func(h *harness, id UpstreamID) { h.UpstreamFailed(h.clock, id, LocalFailure) },
		"overflow":                  func(h *harness, id UpstreamID) { h.UpstreamFailed(h.clock, id, ConnectOverflow) },
		"timeout": func(h *harness, id UpstreamID) {
			h.clock += 10 * time.Second
			h.Wake(h.clock)
		},
		"Connection to upstream is closed by remote peer": func(h *harness, id UpstreamID) {
			h.UpstreamConnected(h.clock, id)
			h.UpstreamClosed(h.clock, id)
		},
		"Failed to decode response from upstream": func(h *harness, id UpstreamID) { // defect 5: once
			h.UpstreamConnected(h.clock, id)
			h.receive(id, []byte("\x00\x00\x00\x01garbage!"))
		},
	} {
		h := dialCompatible(t)
		h.send(sendV2(1, "broker-a", "t"))
		end(h, h.host.order[0])
		h.wantAnswer(1, codec.ResponseSystemError, remark)
		if h.host.downClosed {
			t.Errorf("%s: the client's connection was closed", remark)
		}
		h.wantIdle()
	}
}

// pop sends a POP_MESSAGE with either code.
func pop(code requests.Code, opaque int32, fields ...codec.Field) []byte {
	return request(code, opaque, "", append(fields, codec.Field{Name: "consumerGroup", Value: "g"}, topicField("t"), codec.Field{Name: "queueId", Value: "-1"})...)
}

func ack(code requests.Code, opaque int32, queue, offset string) []byte {
	return request(code, opaque, "", codec.Field{Name: "consumerGroup", Value: "g"}, topicField("t"), codec.Field{Name: "queueId", Value: queue}, codec.Field{Name: "offset", Value: offset})
}

// storedMessage is a message of topic t as brokers since 5.0 write it when its topic's length needs two bytes, or else one.
func storedMessage(twoBytes bool, queue int32, offset int64) []byte {
	b := make([]byte, 84)
	magic := uint32(0xDAA320A7)
	if twoBytes {
		magic = 0xDAA320AB
	}
	binary.BigEndian.PutUint32(b[4:], magic)
	binary.BigEndian.PutUint32(b[12:], uint32(queue))
	binary.BigEndian.PutUint64(b[20:], uint64(offset))
	b = append(b, 0, 0, 0, 2, 'h', 'i')
	if twoBytes {
		b = append(b, 0)
	}
	b = append(b, 1, 't', 0, 0)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// Codes of Alibaba's own releases.
const (
	alibabaPop = 50
	alibabaAck = 51
)

func TestCompatibleAcknowledgementsFindTheBrokerOfTheirMessage(t *testing.T) {
	for _, codes := range [][2]requests.Code{{alibabaPop, alibabaAck}, {requests.PopMessage, requests.AckMessage}} {
		e := compatibleEnvironment(t)
		h := dial(t, e, 10911, terminal)
		h.send(pop(codes[0], 1, codec.Field{Name: "bname", Value: "broker-b"}))
		if got := one(t, h.tookUp(brokerBAddress)); field(got, "queueId") != "-1" {
			t.Errorf("got %v", got)
		}
		h.wantStats(map[stats.ID]int64{stats.PopMessageActive: 1, stats.PopMessagePending: 1, stats.PopMessage: 1})
		messages := append(storedMessage(false, 2, 100), storedMessage(true, 3, 101)...)
		h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 1, string(messages)))
		if got := one(t, h.tookDown()); got.body != string(messages) {
			t.Errorf("got %v", got)
		}
		// From another connection of this Envoy too.
		other := dial(t, e, 10911, terminal)
		other.send(ack(codes[1], 2, "2", "100"))
		one(t, other.tookUp(brokerBAddress))
		other.receive(other.to(brokerBAddress), response(codec.ResponseSystemError, 2, ""))
		other.tookDown()
		other.send(ack(codes[1], 3, "2", "100")) // the first was refused: the directive stays
		one(t, other.tookUp(brokerBAddress))
		other.receive(other.to(brokerBAddress), response(codec.ResponseSuccess, 3, ""))
		other.tookDown()
		other.send(ack(codes[1], 4, "2", "100"))
		other.wantAnswer(4, codec.ResponseSystemError, "No ack directive is found")
		other.send(ack(codes[1], 5, "3", "101"))
		one(t, other.tookUp(brokerBAddress))
		other.receive(other.to(brokerBAddress), response(codec.ResponseSuccess, 5, ""))
		other.tookDown()
		h.wantStats(map[stats.ID]int64{stats.AckMessage: 4})
		other.Close(other.clock)
		h.wantIdle()
	}
}

func TestCompatibleDirectivesEndWithTime(t *testing.T) {
	h := dialCompatible(t)
	h.send(pop(requests.PopMessage, 1, codec.Field{Name: "bname", Value: "broker-b"}))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 1, string(storedMessage(false, 2, 100))))
	h.tookDown()
	h.clock += 31 * time.Second
	h.send(ack(requests.AckMessage, 2, "2", "100"))
	h.wantAnswer(2, codec.ResponseSystemError, "No ack directive is found")
	h.wantIdle()
}

func TestCompatibleAcknowledgementsWithAReceiptNeedNoDirective(t *testing.T) {
	h := dialCompatible(t)
	h.send(request(requests.AckMessage, 1, "", codec.Field{Name: "extraInfo", Value: "1 2 3 4 0 broker-b 2 100"}, topicField("t")))
	one(t, h.tookUp(brokerBAddress))
	h.wantIdle()
}

func TestCompatiblePopAnswersThatLiePass(t *testing.T) { // defect 6
	for _, content := range []string{strings.Repeat("\x00", 100), "\xff\xff\xff\xff" + strings.Repeat("x", 100), "short"} {
		h := dialCompatible(t)
		h.send(pop(requests.PopMessage, 1))
		h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 1, content))
		if got := one(t, h.tookDown()); got.body != content {
			t.Errorf("got %v", got)
		}
		h.wantStats(map[stats.ID]int64{stats.PopUnreadable: 1})
		h.wantIdle()
	}
}

func TestCompatibleGroupsSpanConnections(t *testing.T) { // defect 10
	e := compatibleEnvironment(t)
	first, second := dial(t, e, 10911, terminal), dial(t, e, 10911, terminal)
	list := func(h *harness) string {
		h.send(request(requests.GetConsumerListByGroup, 9, "", codec.Field{Name: "consumerGroup", Value: "g"}))
		return h.wantAnswer(9, codec.ResponseSuccess, "").body
	}
	if got := list(first); got != `{"consumerIdList":[]}` {
		t.Errorf("got %s", got)
	}
	for i, h := range []*harness{second, first} {
		h.send(request(requests.HeartBeat, 1, strings.Replace(heartbeatBody, `"1@2"`, fmt.Sprintf(`"client-%d"`, 2-i), 1)))
		h.wantAnswer(1, codec.ResponseSuccess, "Heartbeat OK")
		for _, broker := range []string{brokerAAddress, brokerBAddress} { // whose long polls need it
			one(t, h.tookUp(broker))
			h.receive(h.to(broker), response(codec.ResponseSuccess, 1, ""))
		}
		if got := h.tookDown(); len(got) != 0 {
			t.Errorf("answered twice: %v", got)
		}
	}
	if got := list(first); got != `{"consumerIdList":["client-1","client-2"]}` {
		t.Errorf("got %s", got)
	}
	first.send(request(requests.UnregisterClient, 2, "", codec.Field{Name: "clientID", Value: "client-1"}, codec.Field{Name: "consumerGroup", Value: "g"}))
	first.wantAnswer(2, codec.ResponseSuccess, "Envoy unregister client OK.")
	if got := list(first); got != `{"consumerIdList":["client-2"]}` {
		t.Errorf("got %s", got)
	}
	second.Close(second.clock)
	if got := list(first); got != `{"consumerIdList":[]}` {
		t.Errorf("got %s", got)
	}
	first.wantStats(map[stats.ID]int64{stats.Heartbeat: 2, stats.Unregister: 1, stats.GetConsumerList: 4})
	first.wantIdle()
}

func TestCompatibleBadHeartbeatsAreAnswered(t *testing.T) { // defect 13
	for _, content := range []string{"", "{", `{"clientID":""}`, `[]`} {
		h := dialCompatible(t)
		h.send(request(requests.HeartBeat, 1, content))
		if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError || got.Remark() == "" {
			t.Errorf("%q: got %v", content, got)
		}
		h.wantIdle()
	}
}

func TestCompatibleLongPollsGoToTheBrokerTheyName(t *testing.T) {
	h := dialCompatible(t)
	h.send(request(requests.PullMessage, 1, "", topicField("t"), codec.Field{Name: "bname", Value: "broker-b"}, codec.Field{Name: "sysFlag", Value: "2"}, codec.Field{Name: "suspendTimeoutMillis", Value: "15000"}))
	one(t, h.tookUp(brokerBAddress))
	// A broker's own request on the way to the answer is not the answer (defect 9).
	h.receive(h.to(brokerBAddress), oneway(requests.NotifyConsumerIDsChanged, 1))
	if got := one(t, h.tookDown()); got.IsResponse() {
		t.Errorf("got %v", got.Header)
	}
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 1, "messages"))
	if got := one(t, h.tookDown()); got.Opaque != 1 || got.body != "messages" {
		t.Errorf("got %v", got.Header)
	}
	h.wantIdle()
}

func TestCompatibleRequestsThatNobodyCanServe(t *testing.T) {
	for _, code := range []requests.Code{requests.PullMessage, requests.UpdateAndCreateTopic, requests.GetBrokerClusterInfo, requests.GetBrokerConfig, 7777} {
		h := dialCompatible(t)
		h.send(request(code, 1, ""))
		h.wantAnswer(1, codec.ResponseSystemError, "Request not supported")
		h.send(oneway(code, 2)) // defect 15
		if got := h.tookDown(); len(got) != 0 {
			t.Errorf("a oneway %v was answered: %v", code, got)
		}
		h.wantIdle()
	}
}

func TestCompatibleRequestsWithoutTheirFieldsAreAnswered(t *testing.T) { // defect 3
	for _, code := range []requests.Code{10, 310, 34, 35, 38, 50, 51, 105, 200050, 200051} {
		h := dialCompatible(t)
		h.send(request(code, 1, ""))
		if got := one(t, h.tookDown()); got.Opaque != 1 {
			t.Errorf("%v: got %v", code, got.Header)
		}
		h.send(response(codec.ResponseCode(code), 2, "")) // a request that says that it is an answer
		if got := h.tookDown(); len(got) != 0 || h.host.downClosed {
			t.Errorf("%v: got %v", code, got)
		}
		h.wantStats(map[stats.ID]int64{stats.ClientResponseUnexpected: 1})
		h.wantIdle()
	}
}

func TestCompatibleConfigsWithoutRoutesAnswerEverything(t *testing.T) {
	e := compatibleEnvironment(t)
	table, errs := routeconfig.Compile(nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	e.Clusters = directory.NewClusters(nil)
	e.EnvoyRouting.Routes, e.EnvoyRouting.Directories = table, nil
	h := dial(t, e, 10911, terminal)
	for _, kind := range requests.Table {
		for _, broker := range []string{"", "broker-a", "__syslo__global__"} {
			h.send(request(kind.Code, 1, "{}", topicField("t"), codec.Field{Name: "bname", Value: broker}, codec.Field{Name: "n", Value: broker}, codec.Field{Name: "queueId", Value: "1"}, codec.Field{Name: "b", Value: "t"}, codec.Field{Name: "e", Value: "1"}))
			if got := one(t, h.tookDown()); got.Opaque != 1 || !got.IsResponse() {
				t.Errorf("%v of %q: got %v", kind.Code, broker, got.Header)
			}
		}
	}
	h.wantIdle()
}

func TestCompatibleFramesOfEightBytesAreDecidedAtOnce(t *testing.T) { // defect 2
	h := dialCompatible(t)
	h.send([]byte{0, 0, 0, 4, 0, 0, 0, 0})
	if !h.host.downClosed {
		t.Error("waits for more")
	}
	h.wantStats(map[stats.ID]int64{stats.RequestDecodingError: 1})
	h.wantIdle()
}

func TestCompatibleFramesCutAnywhereAreWhole(t *testing.T) { // defect 1
	whole := sendV2(1, "broker-a", "t")
	for at := range whole {
		h := dialCompatible(t)
		h.send(whole[:at])
		h.send(whole[at:])
		if at == 0 {
			continue
		}
		h.to(brokerAAddress)
		if got := h.host.up[h.to(brokerAAddress)].String(); got != string(whole) {
			t.Fatalf("cut at %d: got %q", at, got)
		}
		h.wantIdle()
	}
}

func TestCompatibleAcknowledgementsGoToTheBrokerOfTheirReceipt(t *testing.T) {
	h := dialCompatible(t)
	for opaque, broker := range map[int32]string{1: "broker-a", 2: "broker-b"} { // both have a message at queue 0, offset 5
		address := map[string]string{"broker-a": brokerAAddress, "broker-b": brokerBAddress}[broker]
		h.send(pop(requests.PopMessage, opaque, codec.Field{Name: "bname", Value: broker}))
		h.tookUp(address)
		h.receive(h.to(address), response(codec.ResponseSuccess, opaque, string(storedMessage(false, 0, 5))))
		h.tookDown()
	}
	receipt := func(opaque int32, broker string) []byte {
		return request(requests.AckMessage, opaque, "", codec.Field{Name: "consumerGroup", Value: "g"}, topicField("t"), codec.Field{Name: "queueId", Value: "0"}, codec.Field{Name: "offset", Value: "5"},
			codec.Field{Name: "extraInfo", Value: "1 2 3 4 0 " + broker + " 0 5"})
	}
	h.send(append(receipt(3, "broker-a"), receipt(4, "broker-b")...))
	if a, b := one(t, h.tookUp(brokerAAddress)), one(t, h.tookUp(brokerBAddress)); a.Opaque != 3 || b.Opaque != 4 {
		t.Errorf("broker-a got %d, broker-b %d", a.Opaque, b.Opaque)
	}
	h.wantIdle()
}

func TestCompatibleAcknowledgementsSurviveTheLossOfAnEndpoint(t *testing.T) {
	e := compatibleEnvironment(t)
	whole, without := envoyCluster(), envoyCluster()
	without.Endpoints = without.Endpoints[:1]
	snapshot := envoyadmin.NewSnapshot(whole)
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return snapshot }
	h := dial(t, e, 10911, terminal)
	h.send(pop(requests.PopMessage, 1, codec.Field{Name: "bname", Value: "broker-b"}))
	snapshot = envoyadmin.NewSnapshot(without)
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 1, string(storedMessage(false, 2, 100))))
	h.tookDown()
	h.send(ack(requests.AckMessage, 2, "2", "100"))
	h.wantAnswer(2, codec.ResponseSystemError, "No host available")
	snapshot = envoyadmin.NewSnapshot(whole)
	h.send(ack(requests.AckMessage, 3, "2", "100"))
	if got := h.tookUp(brokerBAddress); len(got) != 2 || got[1].Opaque != 3 {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

func TestCompatibleSendsGoToTheMaster(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	slave := *cluster.Endpoints[0]
	slave.Address, slave.Broker.ID = "10.0.0.1:11911", 1
	cluster.Endpoints = append([]*envoyadmin.Endpoint{&slave}, cluster.Endpoints...)
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	one(t, h.tookUp(brokerAAddress))
	h.wantIdle()
}

func TestCompatibleSignedSendsKeepTheirQueue(t *testing.T) {
	h := dialCompatible(t)
	signed := request(requests.SendMessageV2, 1, "hello", codec.Field{Name: "b", Value: "t"}, codec.Field{Name: "e", Value: "3"}, codec.Field{Name: "Signature", Value: "x"})
	h.send(signed)
	h.to(brokerAAddress)
	if got := h.host.up[h.to(brokerAAddress)].String(); got != string(signed) {
		t.Errorf("got %q", got)
	}
	h.wantIdle()
}

func TestCompatibleRegistrationsDoNotTakeTheOpaqueOfARequest(t *testing.T) {
	h := dialCompatible(t)
	h.send(request(requests.PullMessage, 5, "", topicField("t"), codec.Field{Name: "bname", Value: "broker-a"}))
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	h.wantAnswer(5, codec.ResponseSuccess, "Heartbeat OK")
	if got := h.tookUp(brokerAAddress); len(got) != 2 || got[0].Opaque != 5 || got[1].Opaque != firstReplayOpaque {
		t.Errorf("the broker got %v", got)
	}
	h.receive(h.to(brokerAAddress), append(response(codec.ResponseSuccess, firstReplayOpaque, ""), response(codec.ResponseSuccess, 5, "messages")...))
	if got := one(t, h.tookDown()); got.body != "messages" {
		t.Errorf("got %v", got.Header)
	}
	h.send(pop(requests.PopMessage, 6, codec.Field{Name: "bname", Value: "broker-a"}))
	h.send(oneway(requests.PopMessage, 6, codec.Field{Name: "bname", Value: "broker-a"}, topicField("t")))
	h.wantIdle()
}

// TestCompatibleRegistrationsDoNotWaitForOneAnother has a client that starts a second consumer, and ends the first, before
// its broker has answered.
func TestCompatibleRegistrationsDoNotWaitForOneAnother(t *testing.T) {
	h := dialCompatible(t)
	h.send(request(requests.HeartBeat, 1, heartbeatOf(false, []string{"g1"}, nil)))
	h.send(request(requests.HeartBeat, 2, heartbeatOf(false, []string{"g1", "g2"}, nil)))
	h.send(request(requests.UnregisterClient, 3, "", codec.Field{Name: "clientID", Value: "c"}, codec.Field{Name: "consumerGroup", Value: "g1"}))
	got := h.tookUp(brokerAAddress)
	if len(got) != 3 || requests.CodeOf(&got[2].Header) != requests.UnregisterClient {
		t.Fatalf("the broker got %v", got)
	}
	h.host.down.Reset()
	for _, f := range got {
		h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, f.Opaque, ""))
	}
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("the client got %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.ResponseUnexpected: 0})
	h.wantIdle()
}

func TestCompatibleMembershipsAreBounded(t *testing.T) {
	h := dialCompatible(t)
	groups := func(client string, n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"groupName":"g%d","subscriptionDataSet":[]}`, i))
		}
		return `{"clientID":"` + client + `","consumerDataSet":[` + strings.Join(all, ",") + `]}`
	}
	h.send(request(requests.HeartBeat, 1, groups("a", h.environment.Config.Limits.MaxHeartbeatEntries)))
	h.wantAnswer(1, codec.ResponseSuccess, "Heartbeat OK")
	h.send(request(requests.HeartBeat, 2, groups("b", 1)))
	h.wantAnswer(2, codec.ResponseSystemBusy, overLimit.reply.Remark)
	h.send(request(requests.HeartBeat, 3, groups("a", 1))) // has left the others
	h.wantAnswer(3, codec.ResponseSuccess, "Heartbeat OK")
	if got := len(h.environment.EnvoyRouting.Members.List("g1", h.clock)) + len(h.environment.EnvoyRouting.Members.List("g0", h.clock)); got != 1 {
		t.Errorf("%d members of two groups, want 1", got)
	}
	h.wantIdle()
}

// TestCompatibleStatsOfEveryKind counts everything that Envoy's filter has a stat for.
func TestCompatibleStatsOfEveryKind(t *testing.T) {
	h := dialCompatible(t)
	h.send(request(requests.HeartBeat, 1, heartbeatBody))
	h.send(request(requests.GetConsumerListByGroup, 2, "", codec.Field{Name: "consumerGroup", Value: "g"}))
	h.send(request(requests.GetRouteInfoByTopic, 3, "", topicField("t")))
	h.send(request(requests.SendMessage, 4, "hello", topicField("t"), codec.Field{Name: "bname", Value: "broker-a"}))
	h.send(sendV2(5, "broker-a", "t"))
	h.send(sendV2(6, "broker-b", "t"))
	h.send(pop(alibabaPop, 7, codec.Field{Name: "bname", Value: "broker-b"}))
	h.wantStats(map[stats.ID]int64{
		stats.RequestActive: 4, stats.SendMessageV1Active: 1, stats.SendMessageV2Active: 2, stats.PopMessageActive: 1, stats.GetTopicRouteActive: 0,
		stats.TotalPending: 4, stats.SendMessagePending: 3, stats.PopMessagePending: 1, stats.GetTopicRoutePending: 0,
	})
	for _, opaque := range []int32{1, 4, 5} {
		h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, opaque, ""))
	}
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 7, string(storedMessage(false, 2, 100))))
	h.send(ack(alibabaAck, 8, "2", "100"))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 8, ""))
	h.UpstreamClosed(h.clock, h.to(brokerBAddress)) // request 6 is told so
	h.send(request(requests.UnregisterClient, 9, "", codec.Field{Name: "clientID", Value: "1@2"}, codec.Field{Name: "consumerGroup", Value: "g"}))
	h.receive(h.to(brokerAAddress), []byte("\x00\x00\x00\x01garbage!"))
	h.send([]byte("\x00\x00\x00\x01garbage!"))
	if !h.host.downClosed {
		t.Error("the client's connection is open")
	}
	h.wantStats(map[stats.ID]int64{
		stats.Request: 10, stats.RequestDecodingSuccess: 9, stats.RequestDecodingError: 1,
		stats.Response: 6, stats.ResponseDecodingSuccess: 5, stats.ResponseDecodingError: 1,
		stats.ResponseSuccess: 4, stats.ResponseError: 1,
		stats.Heartbeat: 1, stats.Unregister: 1, stats.GetConsumerList: 1, stats.GetTopicRoute: 1,
		stats.SendMessageV1: 1, stats.SendMessageV2: 2, stats.PopMessage: 1, stats.AckMessage: 1, stats.MaintenanceFailure: 0,
	})
	h.environment.Stats.Flush(timesOnly(func(id stats.ID, count uint64) {
		if id == stats.RequestTimeMs && count != 4 {
			t.Errorf("request_time_ms has %d samples, want 4", count)
		}
	}))
	h.wantIdle()
}

// timesOnly takes the samples of histograms.
type timesOnly func(id stats.ID, count uint64)

func (timesOnly) Add(stats.ID, int64)                   {}
func (f timesOnly) Record(id stats.ID, _, count uint64) { f(id, count) }

func field(f frame, name string) string {
	value, _ := f.Field(name)
	return string(value)
}

func TestCompatibleRequestsThatAreRefusedDoNotWaitForConnections(t *testing.T) {
	e := compatibleEnvironment(t)
	e.Config.Limits.MaxPendingRequests = 1
	cluster := envoyCluster()
	cluster.Breakers.MaxPendingRequests = 2
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	h, other := dial(t, e, 10911, terminal), dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	for opaque := range int32(3) {
		h.send(sendV2(2+opaque, "broker-a", "t"))
		h.wantAnswer(2+opaque, overLimit.reply.Code, overLimit.reply.Remark)
	}
	other.send(sendV2(9, "broker-b", "t"))
	if len(other.tookDown()) != 0 || len(other.tookUp(brokerBAddress)) != 1 {
		t.Error("what another client is refused fills the circuit")
	}
	other.Close(other.clock)
	h.wantIdle()
}

// A connection that was opened for a request without an answer has nothing to do as soon as it is open.
func TestCompatibleConnectionsForOnewayRequestsGiveWay(t *testing.T) {
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.Breakers.MaxConnections = 1
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	a, b := dial(t, e, 10911, terminal), dial(t, e, 10911, terminal)
	a.send(oneway(requests.UpdateConsumerOffset, 1, codec.Field{Name: "bname", Value: "broker-a"}))
	b.send(sendV2(2, "broker-a", "t"))
	first := a.host.order[0]
	a.UpstreamConnected(a.clock, first)
	if one(t, take(t, a.host.up[first])).Opaque != 1 || !a.host.upClosed[first] {
		t.Error("keeps a connection that it does not need")
	}
	b.Wake(b.clock)
	if one(t, b.tookUp(brokerAAddress)).Opaque != 2 {
		t.Error("the request that waited is not there")
	}
	b.Close(b.clock)
	a.wantIdle()
}
