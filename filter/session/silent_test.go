// SPDX-License-Identifier: Apache-2.0

package session

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// A broker whose host is gone sends no reset: nothing but silence says that its connection is dead.
func TestAConnectionOnWhichRequestsExpireIsGivenUp(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 1, heartbeatBody))
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		one(t, h.tookUp(address))
		h.receive(h.to(address), response(codec.ResponseSuccess, 1, ""))
	}
	h.tookDown()
	dead := h.to(brokerAAddress)
	expire := func(opaque int32) {
		h.send(sendV2(opaque, "broker-a", "t"))
		h.clock += 3 * time.Second
		h.Wake(h.clock)
		if got := one(t, h.tookDown()); got.Opaque != opaque || got.Remark() != deadlinePassed.reply.Remark {
			t.Errorf("got %+v", got.Header)
		}
	}
	expire(2)
	expire(3)
	h.receive(dead, response(codec.ResponseSuccess, 3, "")) // a late answer: it is only slow
	expire(4)
	expire(5)
	if h.host.upClosed[dead] {
		t.Fatal("given up before its time")
	}
	expire(6)
	if !h.host.upClosed[dead] {
		t.Fatal("not given up")
	}
	h.send(sendV2(7, "broker-a", "t"))
	fresh := h.host.order[len(h.host.order)-1]
	h.UpstreamConnected(h.clock, fresh)
	if got := take(t, h.host.up[fresh]); len(got) != 2 || requests.CodeOf(&got[0].Header) != requests.HeartBeat || got[1].Opaque != 7 {
		t.Errorf("got %v", got)
	}
	h.receive(fresh, response(codec.ResponseSuccess, 7, ""))
	if got := one(t, h.tookDown()); got.Opaque != 7 || got.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("got %+v", got.Header)
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamSilent: 1, stats.RequestExpired: 5, stats.HeartbeatReplayed: 1})
	h.wantIdle()
}
