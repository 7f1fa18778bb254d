// SPDX-License-Identifier: Apache-2.0

package session

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// waitingPull is a PULL_MESSAGE that lets the broker wait for so many milliseconds; without a broker's name it is refused.
func waitingPull(opaque int32, millis string) []byte {
	return request(requests.PullMessage, opaque, "", fieldsOf("topic", "t", "sysFlag", "2", "suspendTimeoutMillis", millis)...)
}

// refusalsAt demands that refusals come at a time from now, and not before.
func (h *harness) refusalsAt(after time.Duration, opaques ...int32) {
	h.Helper()
	h.clock += after - 1
	h.Wake(h.clock)
	if got := h.tookDown(); len(got) != 0 {
		h.Fatalf("answered too early: %v", got)
	}
	h.clock++
	h.Wake(h.clock)
	got := h.tookDown()
	if len(got) != len(opaques) {
		h.Fatalf("got %d answers, want %d", len(got), len(opaques))
	}
	for i := range got {
		if got[i].Opaque != opaques[i] || got[i].ResponseCode() != codec.ResponseVersionNotSupported {
			h.Errorf("got %+v, want the refusal of %d", got[i].Header, opaques[i])
		}
	}
}

// RocketMQ's C++ client sends a pull again as soon as it is refused.
func TestTheRefusalOfAPullIsHeldBack(t *testing.T) {
	h := dialUnified(t)
	h.send(waitingPull(1, "15000"))
	if want := h.clock + time.Second; h.host.wakeAt != want {
		t.Errorf("woken at %v, want %v", h.host.wakeAt, want)
	}
	h.send(request(requests.PullMessage, 2, "", fieldsOf("topic", "t", "sysFlag", "0", "suspendTimeoutMillis", "15000")...))
	if got := one(t, h.tookDown()); got.Opaque != 2 {
		t.Errorf("got %+v, want the refusal of the pull that may not wait", got.Header)
	}
	h.send(sendV2(3, "", "t"))
	if got := one(t, h.tookDown()); got.Opaque != 3 {
		t.Errorf("got %+v, want the refusal of the send", got.Header)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestRefused: 2, stats.RequestActive: 1})
	h.refusalsAt(time.Second, 1)
	h.wantStats(map[stats.ID]int64{stats.RequestRefused: 3, stats.RequestActive: 0})
	h.wantIdle()
}

func TestARefusalIsNotHeldBackForLongerThanTheRequestWaits(t *testing.T) {
	h := dialUnified(t)
	h.send(waitingPull(1, "300"))
	h.send(request(requests.PopMessage, 2, "", fieldsOf("topic", "t", "pollTime", "300")...))
	h.refusalsAt(300*time.Millisecond, 1, 2)
	h.wantIdle()
}

func TestRefusalsThatAreHeldBackAreBounded(t *testing.T) {
	h := dialUnified(t)
	most := h.environment.Config.Limits.MaxPendingRequests
	for i := range most {
		h.send(waitingPull(int32(i), "15000"))
	}
	if got := h.tookDown(); len(got) != 0 {
		t.Fatalf("answered %d at once", len(got))
	}
	h.send(waitingPull(int32(most), "15000"))
	if got := one(t, h.tookDown()); got.Opaque != int32(most) || got.ResponseCode() != codec.ResponseVersionNotSupported {
		t.Errorf("got %+v, want the refusal at once", got.Header)
	}
	h.clock += time.Second
	h.Wake(h.clock)
	if got := h.tookDown(); len(got) != most {
		t.Errorf("%d refusals came, want %d", len(got), most)
	}
	h.wantIdle()
}

func TestRefusalsThatAreHeldBackEndWithTheSession(t *testing.T) {
	h := dialUnified(t)
	h.send(waitingPull(1, "15000"))
	h.send(waitingPull(2, "15000"))
	h.Close(h.clock)
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestCancelled: 2, stats.RequestRefused: 0})
	h.wantNothingLeft()
}

// A client that is over a limit has its own way of waiting.
func TestARefusalForTooMuchIsNotHeldBack(t *testing.T) {
	h := dialUnified(t)
	h.environment.Config.Limits.MaxUpstreamConnections = 0
	h.send(request(requests.PullMessage, 1, "", fieldsOf("bname", "broker-a", "topic", "t", "sysFlag", "2", "suspendTimeoutMillis", "15000")...))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemBusy {
		t.Errorf("got %+v", got.Header)
	}
	h.wantIdle()
}
