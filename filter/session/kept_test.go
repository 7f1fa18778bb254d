// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strings"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// stick makes the broker of a connection take nothing more.
func (h *harness) stick(id UpstreamID) {
	h.host.stuck = map[UpstreamID]bool{id: true}
}

func TestWhatTheHostKeepsIsChargedUntilTheBrokerTakesIt(t *testing.T) {
	h := dial(t, newEnvironment(t, unifiedMode, fakeNameServers{}), 19876, terminal)
	command := codec.Command{
		Code: int32(requests.SendMessageV2), Flag: codec.FlagOneway, Body: make([]byte, 500_000),
		Fields: []codec.Field{{Name: "n", Value: "broker-a"}},
	}
	frame := command.Append(nil)
	h.send(frame)
	a := h.to(brokerAAddress)
	before := h.quota.Memory.Needed()
	wantCharged := func(n int) {
		t.Helper()
		if got := h.quota.Memory.Needed() - before; got != n {
			t.Errorf("%d bytes are charged, want %d", got, n)
		}
		h.wantStats(map[stats.ID]int64{stats.MemoryKept: h.environment.totals.Memory.Used()})
	}
	h.send(frame)
	wantCharged(0)
	h.stick(a)
	h.send(frame)
	wantCharged(len(frame))
	h.UpstreamDrained(h.clock, a, 200_000)
	wantCharged(len(frame) - 200_000)
	h.UpstreamDrained(h.clock, a, len(frame)-200_000)
	wantCharged(0)
	h.send(frame)
	h.send(frame)
	wantCharged(2 * len(frame))
	h.UpstreamClosed(h.clock, a)
	wantCharged(0)
	h.UpstreamDrained(h.clock, a, 1) // of a connection that is no more
	wantCharged(0)
	h.wantIdle()
}

func TestWhatWaitsForAConnectionStaysChargedWhenTheHostKeepsIt(t *testing.T) {
	h := dial(t, newEnvironment(t, unifiedMode, fakeNameServers{}), 19876, terminal)
	frame := frameOf(1, 50_000)
	h.send(frame)
	id := h.host.order[0]
	h.stick(id)
	h.UpstreamConnected(h.clock, id)
	if kept := h.upstreams[id].kept; kept != len(frame) || h.queued != 0 || h.quota.Memory.Needed() < kept {
		t.Errorf("%d bytes kept, %d queued, %d charged; want %d kept", kept, h.queued, h.quota.Memory.Needed(), len(frame))
	}
	h.wantIdle()
}

// A frame that the limits of memory have no room for is refused before the host copies it; its client and what is for
// other brokers go on.
func TestAFrameThatTheHostWouldKeepBeyondALimitIsRefused(t *testing.T) {
	const size = 300_000
	for name, limit := range map[string]func(*apiv1.LimitsConfig){
		"of the session": func(l *apiv1.LimitsConfig) { l.MaxSessionBytes = 1_000_000 },
		"of all":         func(l *apiv1.LimitsConfig) { l.MaxTotalBytes = 1_000_000 },
	} {
		t.Run(name, func(t *testing.T) {
			h := dial(t, limited(t, unifiedMode, func(c *apiv1.Config) { limit(&c.Limits) }), 19876, terminal)
			h.send(sendV2(1, "broker-a", "t"))
			h.send(sendV2(2, "broker-b", "t"))
			a := h.to(brokerAAddress)
			h.to(brokerBAddress)
			h.stick(a)
			// In one event, so that none is written before the next is judged.
			var in []byte
			for opaque := range int32(4) {
				in = append(in, frameOf(10+opaque, size)...)
			}
			h.tookUp(brokerAAddress)
			h.send(in)
			h.wantOneAnswer(13, codec.ResponseSystemBusy)
			if got := h.tookUp(brokerAAddress); len(got) != 3 {
				t.Errorf("the host got %d frames, want 3", len(got))
			}
			h.tookUp(brokerBAddress)
			h.send(sendV2(20, "broker-b", "t"))
			if got := one(t, h.tookUp(brokerBAddress)); got.Opaque != 20 {
				t.Errorf("the other broker got %v", got)
			}
			h.UpstreamDrained(h.clock, a, size)
			h.send(frameOf(21, size-1000))
			if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 21 {
				t.Errorf("with room again it got %v", got)
			}
			h.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 1, stats.MemoryOverLimit: 0})
			h.wantIdle()
		})
	}
}

func TestWhatTheHostKeepsForOneClientCountsForAll(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxTotalBytes = 1_000_000 })
	first, second := dial(t, e, 19876, terminal), dial(t, e, 19876, terminal)
	for _, h := range []*harness{first, second} {
		h.send(sendV2(1, "broker-a", "t"))
		h.stick(h.to(brokerAAddress))
	}
	first.send(frameOf(2, 700_000))
	second.send(frameOf(3, 700_000))
	second.wantOneAnswer(3, codec.ResponseSystemBusy)
	first.Close(first.clock)
	second.send(frameOf(4, 700_000))
	if got := second.tookDown(); len(got) != 0 {
		t.Errorf("with room again: got %v", got)
	}
	second.wantIdle()
}

// On a connection that stands for one broker a frame goes on before it is whole: it cannot be refused any more.
func TestAConnectionToOneBrokerWhoseHostKeepsTooMuchIsClosed(t *testing.T) {
	e := limited(t, perBroker, func(c *apiv1.Config) { c.Limits.MaxSessionBytes = 200_000 })
	h := dial(t, e, 20911, terminal)
	h.UpstreamConnected(h.clock, h.only().id)
	h.stick(h.only().id)
	frame := frameOf(1, 900_000)
	h.send(frame[:150_000])
	if h.host.downClosed {
		t.Fatal("closed below the limit")
	}
	h.send(frame[150_000:250_000])
	if !h.host.downClosed || !h.host.upClosed[h.host.order[0]] {
		t.Error("it stays open")
	}
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1})
	h.wantIdle()
}

// A heartbeat, which is not refused for what one of its copies cannot be kept, comes in one event with a request that is
// too much to keep.
func TestARegistrationBehindWhatIsTooMuchToKeepEndsOnce(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	e.Config.Limits.MaxSessionBytes = 40_000
	h := dial(t, e, 19876, terminal)
	h.send(request(requests.GetAllTopicListFromNameServer, 1, ""))
	server := h.to(nameServerAddress)
	h.tookUp(nameServerAddress)
	h.receive(server, response(codec.ResponseSuccess, 1, ""))
	h.tookDown()
	h.host.stuck = map[UpstreamID]bool{server: true}
	h.send(append(request(requests.GetAllTopicListFromNameServer, 2, strings.Repeat("x", 50_000)),
		request(requests.HeartBeat, 3, heartbeatOf(false, []string{"g"}, nil))...))
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1, stats.RequestActive: 0, stats.RequestCancelled: 1, stats.RequestRefused: 1})
	if got := h.tookDown(); len(got) != 0 || !h.host.downClosed {
		t.Errorf("closed %v, got %v", h.host.downClosed, got)
	}
	h.wantIdle()
}

// The rest of an answer is too much for a client that is full, and the next answer comes behind it in the same event.
func TestAnAnswerBehindWhatIsTooMuchToKeepEndsItsRequestOnce(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	e.Config.Limits.MaxSessionBytes = 60_000
	h := dial(t, e, 20911, terminal)
	id := h.to(brokerAAddress)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(sendV2(2, "broker-a", "t"))
	answers := append(response(codec.ResponseSuccess, 1, strings.Repeat("x", 100_000)), response(codec.ResponseSuccess, 2, "")...)
	h.receive(id, answers[:1000])
	h.send(refusals(1)) // its answer waits for the end of the other one
	h.host.downFull = true
	h.receive(id, answers[1000:])
	if !h.host.downAborted {
		t.Error("the connection goes on")
	}
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1, stats.RequestActive: 0, stats.RequestCancelled: 1, stats.ResponseSuccess: 1})
	h.wantIdle()
}

// A broker's connection breaks with a request and a copy of a heartbeat on it, and the answer to the request is too much for
// a client that is full.
func TestAHeartbeatThatIsCancelledDoesNotEndAgain(t *testing.T) {
	h := dial(t, newEnvironment(t, unifiedMode, fakeNameServers{}), 19876, terminal)
	h.learnRoute()
	h.send(sendV2(1, "broker-a", "t"))
	h.send(request(requests.HeartBeat, 2, heartbeatOf(false, []string{"g"}, nil)))
	a := h.to(brokerAAddress)
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 2, ""))
	h.host.downFull = true
	h.quota.Memory.Reserve(h.environment.Config.Limits.MaxSessionBytes - h.quota.Memory.Needed()) // not a byte more
	h.UpstreamClosed(h.clock, a)
	if !h.host.downAborted {
		t.Error("the connection goes on")
	}
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1, stats.RequestActive: 0, stats.RequestCancelled: 1})
	h.wantIdle()
}

// A send whose queue the broker is to choose comes in one event with another that is too much to keep.
func TestNothingIsWrittenToABrokerBehindWhatIsTooMuchToKeep(t *testing.T) {
	e := compatibleEnvironment(t)
	e.Config.Limits.MaxSessionBytes = 40_000
	h := dial(t, e, 10911, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	a := h.to(brokerAAddress)
	h.tookUp(brokerAAddress)
	h.receive(a, response(codec.ResponseSuccess, 1, ""))
	h.tookDown()
	h.host.stuck = map[UpstreamID]bool{a: true}
	fields := fieldsOf("a", "p", "b", "t", "e", "0", "n", "broker-a")
	h.send(append(request(requests.SendMessageV2, 2, strings.Repeat("x", 50_000), fields...), sendV2(3, "", "t")...))
	if got := take(t, h.host.up[a]); len(got) != 1 || got[0].Opaque != 2 || !h.host.downClosed {
		t.Errorf("closed %v, got %v", h.host.downClosed, got)
	}
	h.wantIdle()
}
