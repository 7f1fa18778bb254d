// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// limited is an environment with some limits of its own.
func limited(t testing.TB, mode apiv1.AddressingConfig, change func(*apiv1.Config)) *Environment {
	t.Helper()
	e := newEnvironment(t, mode, fakeNameServers{})
	change(e.Config)
	return e
}

// wantOneAnswer demands a single answer.
func (h *harness) wantOneAnswer(opaque int32, code codec.ResponseCode) {
	h.Helper()
	if got := one(h.TB, h.tookDown()); got.Opaque != opaque || got.ResponseCode() != code {
		h.Errorf("got opaque %d, %v; want %d, %v", got.Opaque, got.ResponseCode(), opaque, code)
	}
}

func TestAHeaderWithTooManyFieldsClosesItsConnection(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxFields = 16 })
	h := dial(t, e, 19876, terminal)
	sixteen := make([]codec.Field, 16)
	for i := range sixteen {
		sixteen[i] = codec.Field{Name: fmt.Sprintf("f%d", i), Value: "x"}
	}
	h.send(request(7777, 1, "", sixteen...))
	h.wantOneAnswer(1, codec.ResponseRequestCodeNotSupported)
	h.send(request(7777, 2, "", append(sixteen, codec.Field{Name: "bname", Value: "broker-a"})...))
	if !h.host.downClosed {
		t.Error("it stays open")
	}
	h.wantStats(map[stats.ID]int64{stats.FrameErrorID(codec.TooManyFields): 1, stats.RequestDecodingError: 1})
	h.wantIdle()
}

func TestConnectionsBeyondTheLimitAreClosedAtOnce(t *testing.T) {
	for name, path := range map[string]struct {
		mode         apiv1.AddressingConfig
		port         int
		capabilities Capabilities
	}{"unified": {unifiedMode, 19876, terminal}, "chained": {perBroker, 20911, inPlace}} {
		t.Run(name, func(t *testing.T) {
			e := limited(t, path.mode, func(c *apiv1.Config) { c.Limits.MaxConnections = 2 })
			first, second, third := dial(t, e, path.port, path.capabilities), dial(t, e, path.port, path.capabilities), dial(t, e, path.port, path.capabilities)
			if first.host.downClosed || second.host.downClosed || !third.host.downClosed || len(third.host.order) != 0 {
				t.Error("want the third closed, before it has opened anything")
			}
			third.wantStats(map[stats.ID]int64{stats.DownstreamOverLimit: 1, stats.DownstreamActive: 3})
			third.Close(third.clock)
			first.Close(first.clock)
			fourth := dial(t, e, path.port, path.capabilities)
			if fourth.host.downClosed {
				t.Error("the place of one that has ended is not given to the next")
			}
			second.Close(second.clock)
			fourth.wantIdle()
		})
	}
}

func TestPendingRequestsOfAllConnectionsAreBounded(t *testing.T) {
	e := limited(t, perBroker, func(c *apiv1.Config) { c.Limits.MaxTotalPendingRequests = 40 })
	first, second := dial(t, e, 20911, inPlace), dial(t, e, 20911, inPlace)
	for opaque := range int32(20) {
		first.send(sendV2(opaque, "broker-a", "t"))
		second.send(sendV2(opaque, "broker-a", "t"))
	}
	if answers := len(first.tookDown()) + len(second.tookDown()); answers != 0 {
		t.Errorf("%d requests were refused below the limit", answers)
	}
	second.send(sendV2(20, "broker-a", "t"))
	second.wantOneAnswer(20, codec.ResponseSystemBusy)
	first.receive(first.only().id, response(codec.ResponseSuccess, 3, ""))
	second.send(sendV2(21, "broker-a", "t"))
	if got := second.tookDown(); len(got) != 0 {
		t.Errorf("with room again: got %v", got)
	}
	second.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 1, stats.RequestActive: 40})
	first.Close(first.clock)
	second.wantIdle()
}

func TestASessionKeepsNoMoreBytesThanItMay(t *testing.T) {
	frame := request(requests.SendMessageV2, 1, strings.Repeat("b", 500_000), codec.Field{Name: "n", Value: "broker-a"})
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxSessionBytes = 100_000 })
	h := dial(t, e, 19876, terminal)
	h.send(frame[:40_000])
	if h.host.downClosed {
		t.Error("closed below the limit")
	}
	h.send(frame[40_000:200_000])
	if !h.host.downClosed {
		t.Error("it stays open")
	}
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1, stats.RequestDecodingError: 0})
	h.wantIdle()
}

func TestABrokersAnswerThatIsTooMuchToKeepEndsItsConnectionOnly(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxSessionBytes = 100_000 })
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(sendV2(2, "broker-b", "t"))
	a, b := h.to(brokerAAddress), h.to(brokerBAddress)
	h.receive(a, response(codec.ResponseSuccess, 1, strings.Repeat("b", 500_000))[:200_000])
	h.wantOneAnswer(1, codec.ResponseSystemError)
	if !h.host.upClosed[a] || h.host.downClosed || h.host.upClosed[b] {
		t.Error("want the connection to that broker closed, and no other")
	}
	h.receive(b, response(codec.ResponseSuccess, 2, ""))
	h.wantOneAnswer(2, codec.ResponseSuccess)
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1, stats.ResponseDecodingError: 0})
	h.wantIdle()
}

func TestAllSessionsKeepNoMoreBytesThanTheyMay(t *testing.T) {
	frame := request(requests.SendMessageV2, 1, strings.Repeat("b", 500_000), codec.Field{Name: "n", Value: "broker-a"})
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxTotalBytes = 1 << 20 })
	var all []*harness
	closed := 0
	for range 100 {
		h := dial(t, e, 19876, terminal)
		h.send(frame[:50_000])
		if h.host.downClosed {
			closed++
		}
		all = append(all, h)
		if kept := e.Stats.Value(stats.MemoryKept); kept > 1<<20 || kept != e.totals.Memory.Used() {
			t.Fatalf("%d bytes are kept, the stat is %d", e.totals.Memory.Used(), kept)
		}
	}
	if open := 100 - closed; open < 15 || open > 20 { // 50 KB and what append adds, in 1 MiB
		t.Errorf("%d connections stay open", open)
	}
	all[0].wantStats(map[stats.ID]int64{stats.MemoryOverLimit: int64(closed)})
	for _, h := range all[1:] {
		h.Close(h.clock)
	}
	all[0].send(frame[50_000:])
	all[0].wantIdle()
}

func TestTablesOfWhatWaitsAreCountedAndGivenUp(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxPendingRequests = 1000 })
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(0, "broker-a", "t"))
	id := h.to(brokerAAddress)
	for opaque := range int32(999) {
		h.send(sendV2(1+opaque, "broker-a", "t"))
	}
	if got, room := h.quota.Memory.Needed(), h.upstreams[id].pending.Bytes(); got != room || room < 1000*80 {
		t.Errorf("%d bytes are needed, the table takes %d", got, room)
	}
	h.UpstreamClosed(h.clock, id)
	if h.quota.Memory.Needed() != 0 {
		t.Errorf("%d bytes are needed after the broker has gone", h.quota.Memory.Needed())
	}
	h.tookDown()
	h.send(sendV2(5000, "broker-a", "t"))
	h.wantIdle()
}

// What waits for answers takes memory, too: a client that may have more requests waiting than it may keep bytes is
// answered, and not closed.
func TestRequestsWhoseTableIsTooMuchToKeepAreAnsweredBusy(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxPendingRequests, c.Limits.MaxSessionBytes = 10_000, 200_000 })
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(0, "broker-a", "t"))
	h.to(brokerAAddress)
	for opaque := range int32(3000) {
		h.send(sendV2(1+opaque, "broker-a", "t"))
	}
	answers := h.tookDown()
	if h.host.downClosed || len(answers) == 0 || int64(len(answers)) != e.Stats.Value(stats.RequestOverLimit) {
		t.Fatalf("closed: %v; %d of 3001 requests are refused", h.host.downClosed, len(answers))
	}
	if waiting := 3001 - len(answers); h.inFlight.all != waiting || waiting < 500 || h.quota.Memory.Needed() > 200_000 {
		t.Errorf("%d requests wait, %d of them counted, in %d bytes", waiting, h.inFlight.all, h.quota.Memory.Needed())
	}
	for _, answer := range answers {
		if answer.ResponseCode() != codec.ResponseSystemBusy {
			t.Fatalf("answered %v", answer.ResponseCode())
		}
	}
	h.wantIdle()
}

// Neither silence nor a first frame that is kept ends a connection that waits for the proxy.
func TestAConnectionThatWaitsForTheDirectoryIsNotClosedBefore(t *testing.T) {
	source := &lateNameServers{known: make(chan struct{})}
	d := directory.New([]string{nameServerAddress}, time.Hour, directory.NameServersForget, directory.Bounds{Brokers: 10, Topics: 10}, source)
	e := environmentOf(unifiedMode, directory.NewClusters(nil, d))
	e.Config.Timeouts.Directory, e.Config.Timeouts.Handshake, e.Config.Timeouts.Idle = 10*time.Second, 100*time.Millisecond, time.Second
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.clock += 9 * time.Second
	h.Wake(h.clock)
	if h.state != waiting || h.host.downClosed {
		t.Fatal("want it to wait for timeouts.directory")
	}
	h.clock += time.Second
	h.Wake(h.clock)
	h.wantOneAnswer(1, codec.ResponseServiceNotAvailable)
	h.wantStats(map[stats.ID]int64{stats.DownstreamTimeout: 0, stats.BrokerUnknown: 1})
	h.wantIdle()
}

func TestServerRequestsAreBounded(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxServerRequests = 3 })
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	id := h.to(brokerAAddress)
	for opaque := range int32(5) {
		h.receive(id, request(requests.GetConsumerRunningInfo, opaque, ""))
	}
	if got := len(h.tookDown()); got != 3 {
		t.Errorf("%d of 5 requests reached the client, want 3", got)
	}
	h.wantStats(map[stats.ID]int64{stats.ServerRequest: 5, stats.ServerRequestOverLimit: 2, stats.ServerRequestExpired: 0})
	h.wantIdle()
}

func TestHeartbeatEntriesAreBounded(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxHeartbeatEntries = 4 })
	h := dial(t, e, 19876, terminal)
	h.send(request(requests.HeartBeat, 1, heartbeatBody)) // two groups and two subscriptions
	one(t, h.tookUp(brokerAAddress))
	h.send(request(requests.HeartBeat, 2, strings.Replace(heartbeatBody, `{"groupName":"CLIENT_INNER_PRODUCER"}`, `{"groupName":"p"},{"groupName":"q"}`, 1)))
	h.wantOneAnswer(2, codec.ResponseSystemBusy)
	h.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 1})
	h.wantIdle()
}

func TestAHeartbeatThatIsTooMuchToKeepIsAnsweredBusy(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxSessionBytes = 200_000 })
	h := dial(t, e, 19876, terminal)
	padded := strings.Replace(heartbeatBody, "{", "{"+strings.Repeat(" ", 110_000), 1)
	h.send(request(requests.HeartBeat, 1, padded)) // twice its length is kept
	h.wantOneAnswer(1, codec.ResponseSystemBusy)
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1})
	if h.shared().heartbeat.frame != nil || h.host.downClosed {
		t.Error("want it forgotten and the connection open")
	}
	h.wantIdle()
}

func TestDeadlinesOfClients(t *testing.T) {
	half := sendV2(9, "broker-a", "t")[:30]
	for name, c := range map[string]struct {
		timeouts apiv1.TimeoutsConfig
		script   func(h *harness)
	}{
		"no frame": {apiv1.TimeoutsConfig{Handshake: 30 * time.Second, Frame: time.Hour, Idle: time.Hour}, func(*harness) {}},
		"half a frame, slowly": {apiv1.TimeoutsConfig{Handshake: 30 * time.Second, Frame: time.Hour, Idle: time.Hour}, func(h *harness) {
			for i := range half[:29] {
				h.clock += time.Second
				h.send(half[i : i+1])
			}
			h.clock -= 29 * time.Second
		}},
		"nothing any more": {apiv1.TimeoutsConfig{Handshake: time.Second, Frame: time.Hour, Idle: 30 * time.Second}, func(h *harness) {
			h.send(oneway(requests.SendMessageV2, 1, codec.Field{Name: "n", Value: "broker-a"}))
		}},
		"a frame that stops": {apiv1.TimeoutsConfig{Handshake: time.Second, Frame: 30 * time.Second, Idle: time.Hour}, func(h *harness) {
			h.send(append(oneway(requests.SendMessageV2, 1, codec.Field{Name: "n", Value: "broker-a"}), half...))
		}},
		"a second frame, slowly": {apiv1.TimeoutsConfig{Handshake: time.Second, Frame: 30 * time.Second, Idle: time.Hour}, func(h *harness) {
			h.send(append(oneway(requests.SendMessageV2, 1, codec.Field{Name: "n", Value: "broker-a"}), half[:2]...))
			for i := range half[2:29] {
				h.clock += time.Second
				h.send(half[2+i : 3+i])
			}
			h.clock -= 27 * time.Second
		}},
	} {
		for way, path := range map[string]struct {
			mode         apiv1.AddressingConfig
			port         int
			capabilities Capabilities
		}{"unified": {unifiedMode, 19876, terminal}, "chained": {perBroker, 20911, inPlace}} {
			t.Run(name+", "+way, func(t *testing.T) {
				e := limited(t, path.mode, func(config *apiv1.Config) {
					c.timeouts.Connect, c.timeouts.Request, c.timeouts.Directory, c.timeouts.UpstreamStall = time.Hour, time.Second, time.Second, time.Hour
					config.Timeouts = c.timeouts
				})
				h := dial(t, e, path.port, path.capabilities)
				c.script(h)
				start := h.clock
				h.clock = start + 30*time.Second - 1
				h.Wake(h.clock)
				if h.host.downClosed || h.host.wakeAt != start+30*time.Second {
					t.Errorf("closed: %v, next wake at %v; want it open until %v", h.host.downClosed, h.host.wakeAt, start+30*time.Second)
				}
				h.clock++
				h.Wake(h.clock)
				if !h.host.downClosed {
					t.Error("it stays open")
				}
				h.wantStats(map[stats.ID]int64{stats.DownstreamTimeout: 1})
				h.wantIdle()
			})
		}
	}
}

func TestNoConnectionIsIdleWhileARequestWaits(t *testing.T) {
	e := limited(t, perBroker, func(c *apiv1.Config) { c.Timeouts.Idle = 30 * time.Second })
	h := dial(t, e, 20911, inPlace)
	h.send(sendV2(1, "broker-a", "t"))
	h.clock += 9 * time.Minute
	h.Wake(h.clock)
	if h.host.downClosed {
		t.Fatal("closed while a request waits")
	}
	h.receive(h.only().id, response(codec.ResponseSuccess, 1, ""))
	h.clock += 29 * time.Second
	h.Wake(h.clock)
	if h.host.downClosed {
		t.Error("closed too early")
	}
	h.clock += time.Second
	h.Wake(h.clock)
	if !h.host.downClosed {
		t.Error("it stays open")
	}
	h.wantIdle()
}

func TestABrokersFrameThatStandsStillEndsItsConnection(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Timeouts.UpstreamStall = 600 * time.Millisecond })
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(sendV2(2, "broker-b", "t"))
	a, b := h.to(brokerAAddress), h.to(brokerBAddress)
	answer := response(codec.ResponseSuccess, 1, "")
	for i := range 3 { // slow, but it goes on
		h.receive(a, answer[i:i+1])
		h.clock += 590 * time.Millisecond
		h.Wake(h.clock)
	}
	if h.host.upClosed[a] {
		t.Fatal("closed while bytes come")
	}
	h.clock += 10 * time.Millisecond
	h.Wake(h.clock)
	h.wantOneAnswer(1, codec.ResponseSystemError)
	if !h.host.upClosed[a] || h.host.upClosed[b] || h.host.downClosed {
		t.Error("want the connection to that broker closed, and no other")
	}
	h.receive(b, response(codec.ResponseSuccess, 2, ""))
	h.wantOneAnswer(2, codec.ResponseSuccess)
	h.wantStats(map[stats.ID]int64{stats.UpstreamTimeout: 1, stats.UpstreamActive: 1})
	h.wantIdle()
}

func TestWhatIsForAFullUpstreamIsRefusedAndOthersGoOn(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(sendV2(1, "broker-a", "t"))
	h.send(sendV2(2, "broker-b", "t"))
	a, b := h.to(brokerAAddress), h.to(brokerBAddress)
	if !h.UpstreamFull(h.clock, a, true) {
		t.Error("the session does not refuse what is for it")
	}
	h.tookUp(brokerAAddress)
	h.tookUp(brokerBAddress)
	h.send(sendV2(3, "broker-a", "t"))
	h.wantOneAnswer(3, codec.ResponseSystemBusy)
	h.send(request(requests.HeartBeat, 4, heartbeatBody)) // goes to the other
	h.send(sendV2(5, "broker-b", "t"))
	if got := h.tookUp(brokerBAddress); len(got) != 2 || got[0].Opaque != 4 || got[1].Opaque != 5 {
		t.Errorf("the other broker got %v", got)
	}
	h.receive(b, response(codec.ResponseSuccess, 4, ""))
	h.wantOneAnswer(4, codec.ResponseSuccess)
	if got := h.tookUp(brokerAAddress); len(got) != 0 {
		t.Errorf("the full one got %v", got)
	}
	h.UpstreamFull(h.clock, a, false)
	h.send(sendV2(6, "broker-a", "t"))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 6 {
		t.Errorf("it got %v", got)
	}
	h.UpstreamFull(h.clock, 99, true) // has gone meanwhile
	h.wantStats(map[stats.ID]int64{stats.UpstreamFull: 1, stats.RequestOverLimit: 2})
	h.wantIdle()
}

// In per_broker a broker that does not read keeps its client from being read, perhaps in the middle of a frame.
func TestAClientThatIsHeldBackByItsBrokerIsNotClosed(t *testing.T) {
	e := limited(t, perBroker, func(c *apiv1.Config) { c.Timeouts.Frame = 30 * time.Second })
	h := dial(t, e, 20911, inPlace)
	h.send(sendV2(1, "broker-a", "t"))
	second := sendV2(2, "broker-a", "t")
	h.send(second[:20])
	h.clock += time.Minute
	h.Wake(h.clock)
	if h.host.downClosed {
		t.Fatal("closed although its broker has not read what came before")
	}
	h.send(second[20:])
	h.receive(h.only().id, append(response(codec.ResponseSuccess, 1, ""), response(codec.ResponseSuccess, 2, "")...))
	if got := len(h.tookDown()); got != 2 {
		t.Errorf("%d answers", got)
	}
	h.wantIdle()
}

// A session that ends while it opens connections to several brokers leaves none of them open.
func TestASessionThatEndsWhileItReconnectsLeavesNothingOpen(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxSessionBytes = 110_000 })
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(sendV2(2, "broker-b", "t"))
	for i, address := range []string{brokerAAddress, brokerBAddress} {
		h.receive(h.to(address), response(codec.ResponseSuccess, int32(i+1), ""))
	}
	padded := strings.Replace(heartbeatBody, "{", "{"+strings.Repeat(" ", 30_000), 1)
	h.send(request(requests.HeartBeat, 3, padded))
	if h.shared().heartbeat.frame == nil {
		t.Fatal("the heartbeat is not kept")
	}
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		h.UpstreamClosed(h.clock, h.to(address))
	}
	h.send(request(requests.UpdateAndCreateTopic, 4, "", fieldsOf("topic", "t")...))
	if !h.host.downClosed {
		t.Fatal("the heartbeat was replayed though there is no room to keep it")
	}
	h.wantIdle()
}

// What is counted of a client's questions takes little memory, however long they are.
func TestQuestionsAreNotKept(t *testing.T) {
	h := dial(t, newEnvironment(t, unifiedMode, fakeNameServers{}), 19876, terminal)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range maxQueryRounds {
		knowledge{h.shared()}.Turn(strings.Repeat("q", 2000) + strconv.Itoa(i))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if turn := (knowledge{h.shared()}).Turn("another"); turn != 0 || len(h.shared().queryRounds) != 1 {
		t.Errorf("turn %d of %d questions", turn, len(h.shared().queryRounds))
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 100_000 {
		t.Errorf("%d questions take %d bytes", maxQueryRounds, grown)
	}
	h.wantIdle()
}
