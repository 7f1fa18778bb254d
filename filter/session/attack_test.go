// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Attacks try to have the filter hold more than its config allows. What docs/LIMITS.md says of memory is what they
// are measured by.
const (
	pendingCost    = 300
	connectionCost = 6 << 10
	upstreamCost   = 2 << 10
)

// heap is what lives on the heap now.
func heap() int64 {
	runtime.GC()
	runtime.GC() // pools let go in two steps
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// wantHeap demands that no more than `most` bytes live on the heap beside those of before.
func wantHeap(t *testing.T, before, most int64) {
	t.Helper()
	if grown := heap() - before; grown > most {
		t.Errorf("%d KiB live on the heap, want at most %d", grown>>10, most>>10)
	}
}

// many is how often an attack repeats what takes long under the race detector.
func many(n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

// attacker is a connection whose host keeps nothing.
func attacker(e *Environment, port int, capabilities Capabilities) *Session {
	s := New(e, idleHost{capabilities}, fmt.Sprintf("127.0.0.1:%d", port), "10.1.1.1:5000")
	s.Open(time.Second)
	return s
}

func TestHalfFramesOfManyConnections(t *testing.T) {
	connections := many(100_000)
	e := limited(t, unifiedMode, func(c *apiv1.Config) {
		c.Limits.MaxConnections = connections * 9 / 10
		c.Limits.MaxTotalBytes = 32 << 20
	})
	frame := request(requests.SendMessageV2, 1, strings.Repeat("b", 1<<20-1000), codec.Field{Name: "n", Value: "broker-a"})
	random := rand.New(rand.NewPCG(8, 1))
	before := heap()
	all := make([]*Session, 0, connections)
	for range connections {
		s := attacker(e, 19876, terminal)
		s.DownstreamData(time.Second, [][]byte{frame[:1+random.IntN(8000)]})
		if random.IntN(100) == 0 {
			s.DownstreamData(time.Second, [][]byte{frame[8000:900_000]})
		}
		all = append(all, s)
	}
	wantHeap(t, before, int64(e.Config.Limits.MaxTotalBytes)+int64(e.Config.Limits.MaxConnections)*connectionCost)
	refused, ended := e.Stats.Value(stats.DownstreamOverLimit), e.Stats.Value(stats.MemoryOverLimit)
	if refused != int64(connections/10) || ended == 0 && !testing.Short() {
		t.Errorf("%d connections were refused and %d ended for their memory", refused, ended)
	}
	if kept := e.totals.Memory.Used(); kept > int64(e.Config.Limits.MaxTotalBytes) {
		t.Errorf("%d bytes are kept", kept)
	}
	// A minute later nothing is left of those who have not gone on.
	for _, s := range all {
		s.Wake(2 * time.Minute)
		s.Close(2 * time.Minute)
	}
	if got := e.Stats.Value(stats.DownstreamTimeout) + refused + ended; got != int64(connections) || e.totals.Memory.Used() != 0 || e.totals.Connections.Used() != 0 {
		t.Errorf("%d of %d connections have ended, %d bytes and %d connections are counted", got, connections, e.totals.Memory.Used(), e.totals.Connections.Used())
	}
}

func TestOneClientWithAMillionOpaques(t *testing.T) {
	for name, path := range map[string]struct {
		mode         apiv1.AddressingConfig
		port         int
		capabilities Capabilities
	}{"unified": {unifiedMode, 19876, terminal}, "chained": {perBroker, 20911, inPlace}} {
		t.Run(name, func(t *testing.T) {
			e := limited(t, path.mode, func(c *apiv1.Config) { c.Limits.MaxPendingRequests = 8192; c.Limits.MaxTotalPendingRequests = 10_000 })
			s := attacker(e, path.port, path.capabilities)
			frame := sendV2(1_000_000, "broker-a", "t")
			at := bytes.Index(frame, []byte("1000000"))
			s.DownstreamData(time.Second, [][]byte{frame})
			s.UpstreamConnected(time.Second, 1)
			before := heap()
			requests := many(1_000_000)
			for opaque := 1_000_001; opaque <= 1_000_000+requests; opaque++ {
				copy(frame[at:], fmt.Sprint(opaque))
				s.DownstreamData(time.Second, [][]byte{frame})
			}
			wantHeap(t, before, 8192*pendingCost)
			if waiting, busy := e.Stats.Value(stats.RequestActive), e.Stats.Value(stats.RequestOverLimit); waiting != 8192 || waiting+busy != int64(requests)+1 {
				t.Errorf("%d requests wait, %d were answered busy, of %d", waiting, busy, requests+1)
			}
			s.Close(time.Second)
			if e.totals.Pending.Used() != 0 {
				t.Errorf("%d requests are counted after the end", e.totals.Pending.Used())
			}
		})
	}
}

func TestABrokerThatStreamsGarbage(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 2))
	garbage := make([]byte, 1<<16)
	for i := range garbage {
		garbage[i] = byte(random.Uint32())
	}
	for range 30 {
		h := dialUnified(t)
		h.send(sendV2(1, "broker-a", "t"))
		id := h.to(brokerAAddress)
		// The least damage: a length that is allowed, so that as much as possible is kept.
		binary.BigEndian.PutUint32(garbage, 1<<20-4)
		binary.BigEndian.PutUint32(garbage[4:], random.Uint32N(1<<16))
		from := 0
		for range 1000 {
			if h.host.upClosed[id] {
				break
			}
			h.receive(id, garbage[from:])
			from = random.IntN(1000)
			if got := h.quota.Memory.Needed(); got > 3<<20 {
				t.Fatalf("%d bytes are kept", got)
			}
		}
		if !h.host.upClosed[id] || h.host.downClosed {
			t.Fatal("want its connection closed, and not the client's")
		}
		h.wantOneAnswer(1, codec.ResponseSystemError)
		h.wantIdle()
	}
}

func TestABrokerThatNeverAnswers(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxPendingRequests = 1000 })
	h := dial(t, e, 19876, terminal)
	before := heap()
	for round := range int32(many(60)) {
		for i := range int32(1000) {
			h.send(sendV2(1000*round+i, "broker-a", "t"))
		}
		id := h.to(brokerAAddress)
		h.clock += time.Minute
		h.Wake(h.clock)
		if got := len(h.tookDown()); got != 1000 {
			t.Fatalf("round %d: %d of 1000 requests were answered", round, got)
		}
		if !h.host.upClosed[id] {
			t.Fatalf("round %d: the silent connection is still used", round)
		}
		delete(h.host.up, id)
	}
	h.host.down = bytes.Buffer{}
	wantHeap(t, before, 1000*pendingCost)
	h.wantIdle()
}

func TestARouteAnswerOfSixteenMebibytes(t *testing.T) {
	size := 16 << 20
	if testing.Short() {
		size = 2 << 20
	}
	var brokers []string
	for i := 0; len(brokers)*250 < size; i++ {
		brokers = append(brokers, fmt.Sprintf(`{"brokerAddrs":{0:"10.%d.%d.1:10911"},"brokerName":"b%0200d","cluster":"c"}`, i>>8, i&255, i))
	}
	route := `{"brokerDatas":[` + strings.Join(brokers, ",") + `],"queueDatas":[]}`
	route = route[:size]
	e := limited(t, unifiedMode, func(c *apiv1.Config) {
		c.Limits.MaxFrameBytes, c.Limits.MaxSessionBytes, c.Limits.MaxTotalBytes = 17<<20, 40<<20, 80<<20
	})
	for _, body := range []string{route, `{"brokerDatas":[` + strings.Join(brokers[:size/280], ",") + `],"queueDatas":[]}`, strings.Repeat("[", size), strings.Repeat(`{"a":`, size/5)} {
		before := heap()
		s := attacker(e, 19876, terminal)
		s.DownstreamData(time.Second, [][]byte{request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "t"})})
		s.UpstreamConnected(time.Second, 1)
		answer := response(codec.ResponseSuccess, 1, body)
		for len(answer) > 0 {
			n := min(len(answer), 64<<10)
			s.UpstreamData(time.Second, 1, [][]byte{answer[:n]})
			answer = answer[n:]
			if kept := s.quota.Memory.Needed(); kept > 40<<20 {
				t.Fatalf("%d bytes are kept", kept)
			}
		}
		if s.inFlight.all != 0 {
			t.Error("the request still waits")
		}
		// What stays is the brokers that the directory has room for, and those that the client knows.
		wantHeap(t, before, int64(s.quota.Memory.Needed()+e.Config.Limits.MaxSessionBytes/2))
		s.Close(time.Second)
	}
	if got := len(e.Clusters.First().Snapshot().BrokerNames()); got != 1000 {
		t.Errorf("%d brokers are remembered, want 1000", got)
	}
}

// TestSlowPeersOnBothSides has a client and a broker send a byte a second of a frame that needs hours.
func TestSlowPeersOnBothSides(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-a", "t"))
	id := h.to(brokerAAddress)
	h.tookUp(brokerAAddress)
	slowly := request(requests.SendMessageV2, 2, strings.Repeat("b", 100_000), codec.Field{Name: "n", Value: "broker-a"})
	answer := response(codec.ResponseSuccess, 1, strings.Repeat("b", 100_000))
	seconds := 0
	for ; !h.host.downClosed && seconds < 1000; seconds++ {
		h.send(slowly[seconds : seconds+1])
		h.receive(id, answer[seconds:seconds+1])
		if h.clock += time.Second; h.host.wakeAt <= h.clock {
			h.Wake(h.clock)
		}
	}
	if seconds != 60 {
		t.Errorf("the client was cut off after %d s, want 60", seconds)
	}
	h.wantOneAnswer(1, codec.ResponseSystemError)
	h.wantStats(map[stats.ID]int64{stats.RequestExpired: 1, stats.DownstreamTimeout: 1})
	h.wantIdle()
}

// TestStormsOfResets opens, uses and breaks connections on both sides at every point; nothing may be left of any.
func TestStormsOfResets(t *testing.T) {
	environments := map[int]*Environment{19876: newEnvironment(t, unifiedMode, fakeNameServers{}), 20911: newEnvironment(t, perBroker, fakeNameServers{})}
	random := rand.New(rand.NewPCG(8, 3))
	all := bytes.Join([][]byte{
		sendV2(1, "broker-a", "t"), request(requests.HeartBeat, 2, heartbeatBody),
		request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}), sendV2(4, "broker-b", "t"),
	}, nil)
	before := heap()
	for range many(100_000) {
		port := []int{19876, 20911}[random.IntN(2)]
		e := environments[port]
		s := attacker(e, port, map[int]Capabilities{19876: terminal, 20911: inPlace}[port])
		s.DownstreamData(time.Second, [][]byte{all[:random.IntN(len(all)+1)]})
		for id := UpstreamID(1); id < 5; id++ {
			switch random.IntN(4) {
			case 0:
				s.UpstreamConnected(time.Second, id)
				s.UpstreamClosed(time.Second, id)
			case 1:
				s.UpstreamFailed(time.Second, id, RemoteFailure)
			case 2:
				s.UpstreamConnected(time.Second, id)
				s.UpstreamData(time.Second, id, [][]byte{response(codec.ResponseSuccess, 1, "")[:random.IntN(30)]})
			}
		}
		s.Close(time.Second)
	}
	wantHeap(t, before, 4<<20)
	for port, e := range environments {
		for id, def := range stats.Table {
			if got := e.Stats.Value(stats.ID(id)); def.Kind == stats.Gauge && got != 0 {
				t.Errorf("port %d: gauge %s is %d after the end, want 0", port, def.Name, got)
			}
		}
		if n := e.totals.Connections.Used() + e.totals.Memory.Used() + e.totals.Pending.Used(); n != 0 {
			t.Errorf("port %d: something is counted after the end", port)
		}
	}
}

func TestAFloodOfServerRequests(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-a", "t"))
	id := h.to(brokerAAddress)
	asks := request(requests.CheckTransactionState, 7, "half message", codec.Field{Name: "tranStateTableOffset", Value: "1"},
		codec.Field{Name: "commitLogOffset", Value: "1"}, codec.Field{Name: "transactionId", Value: strings.Repeat("x", 60_000)})
	before := heap()
	floods := many(100_000)
	for i := range floods {
		binary.BigEndian.PutUint16(asks[len(asks)-2:], uint16(i))
		h.receive(id, asks)
		h.host.down.Reset()
	}
	h.host.down = bytes.Buffer{}
	wantHeap(t, before, 1<<20)
	if got := h.environment.Stats.Value(stats.ServerRequestOverLimit); got != int64(floods-1024) || len(h.shared().serverRequests) != 1024 {
		t.Errorf("%d of %d were dropped, %d are remembered", got, floods, len(h.shared().serverRequests))
	}
	h.clock += 11 * time.Second
	h.Wake(h.clock)
	if len(h.shared().serverRequests) != 0 {
		t.Errorf("%d are remembered after their time", len(h.shared().serverRequests))
	}
	h.wantIdle()
}

// TestNothingOfALargeFrameStays: what a frame needed is given up with it, not with the next.
func TestNothingOfALargeFrameStays(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	fields := make([]codec.Field, 1000)
	for i := range fields {
		fields[i] = codec.Field{Name: fmt.Sprintf("f%d", i), Value: "x"}
	}
	for name, frame := range map[string][]byte{
		"a large body":   oneway(requests.SendMessageV2, 1, codec.Field{Name: "n", Value: "broker-z"}),
		"a large header": oneway(7777, 1, codec.Field{Name: "x", Value: strings.Repeat("x", 60_000)}),
		"many fields":    oneway(7777, 1, fields...),
	} {
		if name == "a large body" {
			command := codec.Command{Code: 7777, Flag: codec.FlagOneway, Opaque: 1, Body: bytes.Repeat([]byte("b"), 1<<20-1000)}
			frame = command.Append(nil)
		}
		before := heap()
		all := make([]*Session, 200)
		for i := range all {
			all[i] = attacker(e, 19876, terminal)
			all[i].DownstreamData(time.Second, [][]byte{frame[:len(frame)/2]})
			all[i].DownstreamData(time.Second, [][]byte{frame[len(frame)/2:]})
		}
		wantHeap(t, before, int64(len(all))*connectionCost)
		for _, s := range all {
			if s.state != open {
				t.Errorf("%s: a session has ended", name)
			}
			s.Close(time.Second)
		}
	}
}
