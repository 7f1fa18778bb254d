// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

const (
	routeOfA = `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`
	routeOfB = `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.2:10911"},"brokerName":"broker-b","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-b","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`
)

// others has other clients get a route of topic t: those of a zone, or all.
func (h *harness) others(zone string, brokers ...string) {
	addresses := map[string]string{"broker-a": brokerAAddress, "broker-b": brokerBAddress}
	route := &body.TopicRouteData{}
	for _, name := range brokers {
		route.Brokers = append(route.Brokers, brokerAt(name, 0, addresses[name]))
	}
	h.environment.Clusters.First().LearnRoute(directory.RouteSource{Zone: zone}, "t", route)
}

// connections returns where the session has connections to, in order.
func (h *harness) connections() (addresses []string) {
	for _, u := range h.upstreams {
		addresses = append(addresses, u.address)
	}
	slices.Sort(addresses)
	return addresses
}

func TestAClientThatHasReconnectedIsRegisteredWhereItsTopicsAre(t *testing.T) {
	both := []string{brokerAAddress, brokerBAddress}
	for name, c := range map[string]struct {
		before func(*harness)
		want   []string // nil: one of both
	}{
		"a topic whose brokers are known":         {func(h *harness) { h.others("", "broker-a", "broker-b") }, both},
		"a topic of one broker":                   {func(h *harness) { h.others("", "broker-b") }, both[1:]},
		"zones that see other brokers of a topic": {func(h *harness) { h.others("east", "broker-a"); h.others("west", "broker-a", "broker-b") }, both[:1]},
		"a topic that nobody has asked for":       {func(*harness) {}, nil},
		"the same, after a send":                  {func(h *harness) { h.send(sendV2(1, "broker-b", "t")) }, both[1:]},
		"after a send, a topic of another broker": {func(h *harness) { h.others("", "broker-a"); h.send(sendV2(1, "broker-b", "t")) }, both},
	} {
		t.Run(name, func(t *testing.T) {
			h := dialUnified(t)
			c.before(h)
			h.send(request(requests.HeartBeat, 5, heartbeatBody))
			got := h.connections()
			if c.want != nil && !slices.Equal(got, c.want) || c.want == nil && (len(got) != 1 || !slices.Contains(both, got[0])) {
				t.Errorf("registered at %v, want %v", got, c.want)
			}
			for _, address := range got {
				frames := h.tookUp(address)
				if last := frames[len(frames)-1]; requests.CodeOf(&last.Header) != requests.HeartBeat {
					t.Errorf("%s got %v", address, frames)
				}
			}
			h.wantIdle()
		})
	}
}

// TestClientsThatHaveReconnectedAreSpread demands that clients without a topic do not all register at the same broker.
func TestClientsThatHaveReconnectedAreSpread(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	count := map[string]int{}
	for i := range 100 {
		h := dialFrom(t, e, fmt.Sprintf("10.1.1.%d:5000", i), "127.0.0.1:19876", terminal)
		h.send(request(requests.HeartBeat, 1, heartbeatOf(false, nil, []string{"p"})))
		for _, address := range h.connections() {
			count[address]++
		}
		h.Close(h.clock)
	}
	if a, b := count[brokerAAddress], count[brokerBAddress]; a+b != 100 || a < 20 || b < 20 {
		t.Errorf("registered at %v", count)
	}
}

func TestConnectionsThatNoRouteNamesAreGivenUp(t *testing.T) {
	h := dialUnified(t)
	h.others("", "broker-a", "broker-b")
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		h.receive(h.to(address), response(codec.ResponseSuccess, 5, ""))
	}
	gets := func(route string) {
		h.send(askRoute(6))
		h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 6, route))
	}
	gets(routeOfA)
	if got := h.connections(); !slices.Contains(got, brokerBAddress) {
		t.Errorf("given up at once: connected to %v", got)
	}
	h.clock += idleLong + time.Second
	h.send(sendV2(7, "broker-b", "t")) // it is in use, whatever the route says
	gets(routeOfA)
	h.clock += idleLong + time.Second
	gets(routeOfA)
	if got := h.connections(); !slices.Contains(got, brokerBAddress) {
		t.Errorf("given up though a request waits there: connected to %v", got)
	}
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 7, ""))
	gets(routeOfA)
	if got := h.connections(); slices.Contains(got, brokerBAddress) || !slices.Contains(got, brokerAAddress) {
		t.Errorf("connected to %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamLost: 0})
	h.wantIdle()
}

// TestAConnectionIsKeptWhileItsBrokerAsks has a broker that no route names, as one has that asks a client about itself.
func TestAConnectionIsKeptWhileItsBrokerAsks(t *testing.T) {
	h := dialUnified(t)
	h.others("", "broker-a", "broker-b")
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		h.receive(h.to(address), response(codec.ResponseSuccess, 5, ""))
	}
	b := h.to(brokerBAddress)
	h.tookUp(brokerBAddress)
	h.clock += idleLong
	question := request(requests.GetConsumerRunningInfo, 40, "")
	gets := func(route string) {
		h.host.down.Reset()
		h.send(askRoute(6))
		h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 6, route))
		if got := h.connections(); !slices.Contains(got, brokerBAddress) {
			t.Fatalf("given up though its broker asks: connected to %v", got)
		}
	}
	h.receive(b, question[:len(question)-1])
	gets(routeOfA)
	h.host.down.Reset()
	h.receive(b, question[len(question)-1:])
	asked := one(t, h.tookDown())
	gets(routeOfA)
	h.send(response(codec.ResponseSuccess, asked.Opaque, "info"))
	if got := one(t, h.tookUp(brokerBAddress)); got.Opaque != 40 || got.body != "info" {
		t.Errorf("the broker got %v", got.Header)
	}
	h.wantIdle()
}

// TestAConsumerListIsAskedOfABrokerOfTheClientsZone has two zones, each of which sees a broker of its own.
func TestAConsumerListIsAskedOfABrokerOfTheClientsZone(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	zone := func(name string) []codec.Field {
		return []codec.Field{topicField("t"), {Name: fieldZoneMode, Value: "true"}, {Name: fieldZoneName, Value: name}}
	}
	clients := map[string]*harness{}
	for name, route := range map[string]string{"east": routeOfA, "west": routeOfB} {
		h := dial(t, e, 19876, terminal)
		h.send(request(requests.GetRouteInfoByTopic, 1, "", zone(name)...))
		h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 1, route))
		clients[name] = h
	}
	for name, address := range map[string]string{"east": brokerAAddress, "west": brokerBAddress} {
		h := clients[name]
		h.send(request(requests.HeartBeat, 2, heartbeatBody))
		h.send(request(requests.GetConsumerListByGroup, 3, "", codec.Field{Name: "consumerGroup", Value: "g"}))
		if got := h.connections(); !slices.Equal(got, []string{address, nameServerAddress}) {
			t.Errorf("%s: connected to %v, want %s", name, got, address)
		}
		if got := h.tookUp(address); len(got) != 2 || got[1].Opaque != 3 {
			t.Errorf("%s: %s got %v", name, address, got)
		}
		h.host.down.Reset()
		h.send(sendV2(4, "", "t")) // east sees one broker of the topic, but there are two
		if got := one(t, h.tookDown()); got.Opaque != 4 || got.ResponseCode() == codec.ResponseSuccess {
			t.Errorf("%s: got %+v", name, got.Header)
		}
	}
	for _, h := range clients {
		h.Close(h.clock)
	}
	clients["east"].wantNothingLeft()
}

func TestTheRoutesOfAClientAreBounded(t *testing.T) {
	h := dialUnified(t)
	s := sharedOf(h.Session)
	cluster := h.environment.Clusters.First()
	for i := range 2 * maxClientRoutes {
		s.advertised(cluster, fmt.Sprint(i), []string{"broker-a"})
	}
	s.advertised(cluster, "one more", []string{"broker-b"})
	if len(s.routes) > maxClientRoutes+1 {
		t.Errorf("%d routes are remembered", len(s.routes))
	}
	if !s.isNamed(target{cluster, "broker-b"}) {
		t.Error("a broker that the client has got is not known")
	}
	h.wantIdle()
}

// TestAHeartbeatWithoutSubscriptionsIsPrecededByTheWholeOne has a broker that does not know the client yet.
func TestAHeartbeatWithoutSubscriptionsIsPrecededByTheWholeOne(t *testing.T) {
	h := dialUnified(t)
	h.others("", "broker-a")
	h.send(request(requests.HeartBeat, 7, heartbeatOf(false, []string{"g"}, nil)))
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 7, ""))
	h.UpstreamClosed(h.clock, h.to(brokerAAddress))
	h.clock += 30 * time.Second
	withoutSub := heartbeatOf(true, []string{"g"}, nil)
	h.send(request(requests.HeartBeat, 7, withoutSub)) // this client has one opaque for all its requests
	h.send(request(requests.GetMaxOffset, 8, "", codec.Field{Name: "bname", Value: "broker-a"}))
	got := h.tookUp(brokerAAddress)
	if len(got) != 3 || got[0].body == withoutSub || got[0].Opaque != firstReplayOpaque || got[1].body != withoutSub || got[1].Opaque != 7 || got[2].Opaque != 8 {
		t.Fatalf("got %v", got)
	}
	h.host.down.Reset()
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, firstReplayOpaque, ""))
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("the client got %v for a replay", got)
	}
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 7, ""))
	if got := one(t, h.tookDown()); got.Opaque != 7 || h.host.downClosed {
		t.Errorf("got %v", got.Header)
	}
	h.wantIdle()
}

func TestAClientWithOneOpaqueSurvivesAReplay(t *testing.T) {
	h := dialUnified(t)
	h.others("", "broker-a")
	h.send(request(requests.HeartBeat, 7, heartbeatBody))
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 7, ""))
	h.UpstreamClosed(h.clock, h.to(brokerAAddress))
	h.host.down.Reset()
	h.send(sendV2(7, "broker-a", "t"))
	if got := h.tookUp(brokerAAddress); h.host.downClosed || len(got) != 2 || got[0].body != heartbeatBody || got[1].Opaque != 7 {
		t.Fatalf("closed: %v, got %v", h.host.downClosed, got)
	}
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 7, ""))
	one(t, h.tookDown())
	h.wantIdle()
}
