// SPDX-License-Identifier: Apache-2.0

package session

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func TestABrokerThatGoesAwayEndsItsConnectionAndNoOther(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 1, heartbeatBody))
	leaving := h.to(brokerAAddress)
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		one(t, h.tookUp(address))
		h.receive(h.to(address), response(codec.ResponseSuccess, 1, ""))
	}
	h.tookDown()
	h.send(sendV2(2, "broker-a", "t"))
	h.send(sendV2(3, "broker-a", "t"))
	h.tookUp(brokerAAddress)

	h.receive(leaving, response(codec.ResponseGoAway, 2, ""))
	if got := one(t, h.tookDown()); got.Opaque != 2 || got.ResponseCode() != codec.ResponseServiceNotAvailable || got.Remark() != upstreamLeaving.reply.Remark {
		t.Errorf("got %+v", got.Header)
	}
	if h.host.upClosed[leaving] {
		t.Fatal("closed with a request waiting")
	}
	// The next request finds a connection of its own, on which the client is registered again.
	h.send(sendV2(4, "broker-a", "t"))
	if h.to(brokerAAddress); h.host.order[len(h.host.order)-1] == leaving {
		t.Fatal("no new connection")
	}
	fresh := h.host.order[len(h.host.order)-1]
	h.UpstreamConnected(h.clock, fresh)
	if got := take(t, h.host.up[fresh]); len(got) != 2 || requests.CodeOf(&got[0].Header) != requests.HeartBeat || got[1].Opaque != 4 {
		t.Errorf("got %v", got)
	}
	h.receive(leaving, response(codec.ResponseSuccess, 3, ""))
	if got := one(t, h.tookDown()); got.Opaque != 3 || got.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("got %+v", got.Header)
	}
	if !h.host.upClosed[leaving] || h.host.upClosed[fresh] || h.host.downClosed {
		t.Errorf("closed %v, client %v", h.host.upClosed, h.host.downClosed)
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamGoAway: 1, stats.HeartbeatReplayed: 1})
	h.wantIdle()
}

func TestGoAwayPassesWhereAConnectionStandsForOneBroker(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, terminal)
	h.send(sendV2(2, "broker-a", "t"))
	answer := response(codec.ResponseGoAway, 2, "")
	h.receive(h.to(brokerAAddress), answer)
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseGoAway {
		t.Errorf("got %+v", got.Header)
	}
	h.wantIdle()
}

func TestSeveralGoAwaysLeaveOneSuccessor(t *testing.T) {
	h := dialUnified(t)
	for opaque := int32(1); opaque <= 5; opaque++ {
		h.send(sendV2(opaque, "broker-a", "t"))
	}
	leaving := h.to(brokerAAddress)
	for opaque := int32(1); opaque <= 5; opaque++ {
		h.receive(leaving, response(codec.ResponseGoAway, opaque, ""))
		h.send(sendV2(opaque+10, "broker-a", "t")) // the client tries again
	}
	if len(h.host.order) != 2 || !h.host.upClosed[leaving] {
		t.Errorf("%d connections were opened, closed are %v", len(h.host.order), h.host.upClosed)
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamGoAway: 5, stats.UpstreamActive: 1})
	h.wantIdle()
}

func TestAConnectionThatEndsInBytesThatAreNoFrameEndsOnce(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-a", "t"))
	h.receive(h.to(brokerAAddress), append(response(codec.ResponseGoAway, 1, ""), "\x00\x00\x00\x01garbage!"...))
	one(t, h.tookDown())
	h.wantStats(map[stats.ID]int64{stats.UpstreamActive: 0})
	h.wantIdle()
}
