// SPDX-License-Identifier: Apache-2.0

package session

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

const otherNameServer = "10.0.0.8:9876"

// dialWithTwoNameServers starts a session that stands for a cluster with two name servers.
func dialWithTwoNameServers(t *testing.T) *harness {
	t.Helper()
	d := newDirectory(t, []string{nameServerAddress, otherNameServer}, fakeNameServers{})
	return dial(t, environmentOf(unifiedMode, directory.NewClusters(nil, d)), 9876, terminal)
}

func askRoute(opaque int32) []byte {
	return request(requests.GetRouteInfoByTopic, opaque, "", topicField("t"))
}

func (h *harness) wake(after time.Duration) {
	h.clock += after
	h.Wake(h.clock)
}

func TestTheNextNameServerIsAskedWithinTheTimeOfARequest(t *testing.T) {
	for name, fail := range map[string]func(*harness){
		"refused": func(h *harness) { h.UpstreamFailed(h.clock, h.host.order[0], RemoteFailure) },
		"silent":  func(h *harness) { h.wake(nameServerPatience) },
	} {
		t.Run(name, func(t *testing.T) {
			h := dialWithTwoNameServers(t)
			h.send(askRoute(1))
			h.send(askRoute(2))
			if h.host.address[h.host.order[0]] != nameServerAddress {
				t.Fatalf("the first name server is not asked first: %v", h.host.address)
			}
			fail(h)
			if got := h.tookUp(otherNameServer); len(got) != 2 || got[0].Opaque != 1 || got[1].Opaque != 2 {
				t.Fatalf("the second name server got %v", got)
			}
			h.receive(h.to(otherNameServer), response(codec.ResponseSuccess, 1, routeBody))
			if got := one(t, h.tookDown()); got.Opaque != 1 || got.ResponseCode() != codec.ResponseSuccess {
				t.Errorf("got %+v", got.Header)
			}
			h.wantStats(map[stats.ID]int64{stats.UpstreamConnectFailure: 1, stats.UpstreamConnect: 2, stats.ResponseError: 0, stats.UpstreamActive: 1})

			next := dial(t, h.environment, 9876, terminal)
			next.send(askRoute(1))
			next.to(otherNameServer)
			next.Close(next.clock)
			h.wantIdle()
		})
	}
}

// TestAChangeIsNotTakenToAnotherNameServer has one name server take the change and end its connection before the other one
// turns out to be down.
func TestAChangeIsNotTakenToAnotherNameServer(t *testing.T) {
	h := dialWithTwoNameServers(t)
	h.send(request(requests.PutKVConfig, 1, ""))
	first, second := h.host.order[0], h.to(otherNameServer)
	h.receive(second, response(codec.ResponseSuccess, 1, ""))
	h.UpstreamClosed(h.clock, second)
	h.UpstreamFailed(h.clock, first, RemoteFailure)
	if got := one(t, h.tookDown()); got.Opaque != 1 || got.ResponseCode() != codec.ResponseServiceNotAvailable {
		t.Errorf("got %+v", got.Header)
	}
	if len(h.host.order) != 2 {
		t.Errorf("dialled %v", h.host.address)
	}
	h.wantIdle()
}

func TestARequestIsAnsweredWhenEveryNameServerHasFailed(t *testing.T) {
	h := dialWithTwoNameServers(t)
	h.send(askRoute(1))
	h.UpstreamFailed(h.clock, h.host.order[0], RemoteFailure)
	h.wake(nameServerPatience)
	if len(h.tookDown()) != 0 {
		t.Fatal("the last name server has as long as any connection")
	}
	h.wake(2 * time.Second)
	if got := one(t, h.tookDown()); got.Opaque != 1 || got.ResponseCode() != codec.ResponseServiceNotAvailable {
		t.Errorf("got %+v", got.Header)
	}
	if len(h.host.order) != 2 {
		t.Errorf("dialled %v", h.host.address)
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamConnectFailure: 2})
	h.wantIdle()
}

func TestASilentNameServerIsGivenUpForTheNext(t *testing.T) {
	h := dialWithTwoNameServers(t)
	for opaque := range int32(maxUnanswered) {
		h.send(askRoute(opaque))
		h.to(nameServerAddress)
		h.wake(4 * time.Second)
		one(t, h.tookDown())
	}
	h.send(askRoute(9))
	if got := one(t, h.tookUp(otherNameServer)); got.Opaque != 9 {
		t.Errorf("got %v", got.Header)
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamSilent: 1})
	h.wantIdle()
}

func TestTheNextAddressOfABrokersHostIsDialled(t *testing.T) {
	source := &movingBrokers{hosts: map[string][]string{"broker:10911": {brokerAAddress, brokerBAddress}}}
	source.set(brokerAt("broker-a", 0, "broker:10911"))
	h := dial(t, newEnvironment(t, unifiedMode, source), 9876, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.UpstreamFailed(h.clock, h.host.order[0], RemoteFailure)
	if got := one(t, h.tookUp(brokerBAddress)); got.Opaque != 1 {
		t.Errorf("got %v", got.Header)
	}
	h.wantIdle()
}
