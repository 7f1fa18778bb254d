// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// ways are the kinds of connections, each with the port that leads to broker-a.
var ways = map[string]struct {
	mode         apiv1.AddressingConfig
	port         int
	capabilities Capabilities
}{
	"unified": {unifiedMode, 19876, terminal},
	"chained": {perBroker, 20911, inPlace},
	"contrib": {perBroker, 20911, terminal},
}

// catchesUp has the client read everything that it was sent.
func (h *harness) catchesUp() []frame {
	h.Helper()
	read := h.tookDown()
	h.host.downFull = false
	h.DownstreamDrained(h.clock)
	return read
}

// connectOnly opens the upstream connection of a connection that has one.
func (h *harness) connectOnly() {
	if h.only() != nil && !h.only().connected {
		h.UpstreamConnected(h.clock, h.only().id)
	}
}

// refusals are requests that the proxy answers by itself.
func refusals(n int) (all []byte) {
	for opaque := range int32(n) {
		all = append(all, request(requests.RegisterBroker, opaque, "")...)
	}
	return all
}

func TestAFullClientGetsNoMoreAnswersUntilItHasCaughtUp(t *testing.T) {
	const requests = 2000
	flood := refusals(requests)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			h := dial(t, newEnvironment(t, way.mode, fakeNameServers{}), way.port, way.capabilities)
			h.host.downLimit = 10_000
			h.send(flood[:len(flood)-100])
			h.send(flood[len(flood)-100:]) // was on its way
			opaque, fulls := int32(0), 0
			for {
				if h.host.downFull {
					fulls++
				}
				if size := h.host.down.Len(); size > 11_000 {
					t.Fatalf("%d bytes were written to a client that takes 10,000", size)
				}
				if h.host.downFull && (h.unsent == 0 || h.quota.Memory.Needed() != h.unsent+cap(h.backlog.bytes)+h.requests.Kept()) {
					t.Fatalf("%d bytes count as kept: %d unsent, %d not judged", h.quota.Memory.Needed(), h.unsent, cap(h.backlog.bytes))
				}
				read := h.catchesUp()
				for _, f := range read {
					if f.Opaque != opaque || f.ResponseCode() != codec.ResponseRequestCodeNotSupported {
						t.Fatalf("got opaque %d, %v; want %d", f.Opaque, f.ResponseCode(), opaque)
					}
					opaque++
				}
				if len(read) == 0 {
					break
				}
			}
			if opaque != requests || h.unsent != 0 || h.backlog.bytes != nil {
				t.Errorf("%d answers, want %d; %d bytes count as unsent, %d wait", opaque, requests, h.unsent, len(h.backlog.bytes))
			}
			h.wantStats(map[stats.ID]int64{stats.RequestRefused: requests, stats.MemoryOverLimit: 0, stats.DownstreamFull: int64(fulls)})
			h.wantIdle()
		})
	}
}

// Whatever the client reads and when, everybody gets the same bytes.
func TestAFullClientChangesTheTimeOfBytesOnly(t *testing.T) {
	var in []byte
	for opaque := range int32(60) {
		in = append(in, request(requests.RegisterBroker, opaque, "")...)
		in = append(in, sendV2(1000+opaque, "broker-a", "t")...)
		in = append(in, oneway(requests.UpdateConsumerOffset, 2000+opaque, codec.Field{Name: "bname", Value: "broker-a"})...)
	}
	random := rand.New(rand.NewPCG(15, 1))
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			run := func(limit int) (up, down []byte) {
				h := dial(t, newEnvironment(t, way.mode, fakeNameServers{}), way.port, way.capabilities)
				h.connectOnly()
				h.host.downLimit = limit
				for rest := in; len(rest) > 0 || h.host.downFull; {
					if n := min(len(rest), random.IntN(2000)); n > 0 {
						h.send(rest[:n])
						rest = rest[n:]
					}
					if random.IntN(3) == 0 {
						down = append(down, h.host.down.Bytes()...)
						h.host.down.Reset()
						h.host.downFull = false
						h.DownstreamDrained(h.clock)
					}
				}
				down = append(down, h.host.down.Bytes()...)
				up = bytes.Clone(h.host.up[h.to(brokerAAddress)].Bytes())
				h.wantIdle()
				return up, down
			}
			up, down := run(0)
			for range 20 {
				if gotUp, gotDown := run(1 + random.IntN(3000)); !bytes.Equal(gotUp, up) || !bytes.Equal(gotDown, down) {
					t.Fatalf("%d bytes went up and %d down, want %d and %d", len(gotUp), len(gotDown), len(up), len(down))
				}
			}
		})
	}
}

func TestRequestsFromBeforeTheDirectoryIsKnownWaitForAFullClient(t *testing.T) {
	h := dial(t, newEnvironment(t, unifiedMode, fakeNameServers{down: true}), 19876, terminal)
	h.host.downLimit = 1000
	h.send(refusals(100))
	h.clock += 4 * time.Second // it opens without
	h.Wake(h.clock)
	total := 0
	for range 100 {
		if size := h.host.down.Len(); size > 1300 {
			t.Fatalf("%d bytes were written to a client that takes 1,000", size)
		}
		total += len(h.catchesUp())
	}
	if total != 100 {
		t.Errorf("%d answers", total)
	}
	h.wantIdle()
}

// A unified connection keeps whole answers: what is greater than the host buffers is still in memory when it is written.
func TestABrokersAnswerToAFullClientCountsAsKept(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxSessionBytes = 2_000_000 })
	h := dial(t, e, 19876, terminal)
	h.send(request(requests.PullMessage, 1, "", codec.Field{Name: "bname", Value: "broker-a"}))
	h.host.downLimit = 100_000
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 1, strings.Repeat("m", 900_000)))
	if h.unsent < 900_000 || h.quota.Memory.Needed() < h.unsent {
		t.Errorf("%d bytes count as unsent, %d as kept", h.unsent, h.quota.Memory.Needed())
	}
	if kept := e.totals.Memory.Used(); kept < 900_000 {
		t.Errorf("%d bytes are kept in all", kept)
	}
	if h.catchesUp(); h.unsent != 0 {
		t.Errorf("%d bytes count as unsent of a client that has caught up", h.unsent)
	}
	h.wantIdle()
}

func TestAClientWhoseAnswersAreTooMuchToKeepIsClosedAtOnce(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxSessionBytes = 1_000_000 })
	h := dial(t, e, 19876, terminal)
	for opaque := range int32(2) {
		h.send(request(requests.PullMessage, opaque, "", codec.Field{Name: "bname", Value: "broker-a"}))
	}
	h.host.downFull = true
	id := h.to(brokerAAddress)
	h.receive(id, response(codec.ResponseSuccess, 0, strings.Repeat("m", 600_000)))
	if h.host.downClosed {
		t.Fatal("closed below the limit")
	}
	h.receive(id, response(codec.ResponseSuccess, 1, strings.Repeat("m", 600_000)))
	if !h.host.downAborted || !h.host.upClosed[id] {
		t.Error("it stays open")
	}
	h.wantStats(map[stats.ID]int64{stats.MemoryOverLimit: 1})
	h.wantIdle()
}

// Envoy has the bytes until the connection is gone, which a client that does not read may take some time.
func TestWhatAClientHasNotReadCountsUntilItsConnectionIsGone(t *testing.T) {
	e := limited(t, unifiedMode, func(c *apiv1.Config) { c.Timeouts.Idle = time.Minute })
	h := dial(t, e, 19876, terminal)
	h.host.downFull = true
	h.send(refusals(10))
	unsent := int64(h.unsent)
	h.clock += time.Minute
	h.Wake(h.clock)
	if !h.host.downClosed || h.host.downAborted {
		t.Fatal("want its connection closed, with a flush")
	}
	if kept := e.totals.Memory.Used(); unsent == 0 || kept != unsent {
		t.Errorf("%d bytes are kept of a connection that is being closed, want %d", kept, unsent)
	}
	h.DownstreamDrained(h.clock) // too late
	h.send(refusals(1))
	h.wantIdle()
}

func TestAClosedConnectionIsEndedWhereItsClientDoesNotRead(t *testing.T) {
	for reason, end := range map[string]func(h *harness){
		"idle":        func(h *harness) { h.clock += 2 * time.Hour; h.Wake(h.clock) },
		"a bad frame": func(h *harness) { h.send([]byte("GET / HTTP/1.1\r\n\r\n")) },
		"a fault":     func(h *harness) { h.Abandon(h.clock) },
		"a used opaque": func(h *harness) {
			h.send(append(sendV2(1, "broker-a", "t"), sendV2(1, "broker-a", "t")...))
		},
		"a used opaque, in two pieces, of a client that waits for long": func(h *harness) {
			pull := request(requests.PullMessage, 1, "", fieldsOf("bname", "broker-a", "sysFlag", "2", "suspendTimeoutMillis", "3600000")...)
			h.send(pull)
			h.connectOnly()
			h.UpstreamConnected(h.clock, h.to(brokerAAddress))
			h.clock += 10 * time.Second
			h.Wake(h.clock)
			h.DownstreamData(h.clock, [][]byte{pull[:20], pull[20:]})
		},
		"too many connections": func(*harness) {},
	} {
		for name, way := range ways {
			t.Run(reason+", "+name, func(t *testing.T) {
				e := newEnvironment(t, way.mode, fakeNameServers{})
				if reason == "too many connections" {
					e.Config.Limits.MaxConnections = 0
				}
				h := dial(t, e, way.port, way.capabilities)
				end(h)
				if !h.host.downClosed || h.host.downAborted || h.host.wakeAt != h.clock+5*time.Second {
					t.Fatalf("closed: %v, aborted: %v, wake at %v; want a close with a flush, and a wake at %v", h.host.downClosed, h.host.downAborted, h.host.wakeAt, h.clock+5*time.Second)
				}
				h.host.wakeAt = 0
				h.Wake(h.clock + 5*time.Second - 1) // by an earlier deadline
				if h.host.downAborted || h.host.wakeAt != h.clock+5*time.Second {
					t.Fatalf("aborted: %v, wake at %v", h.host.downAborted, h.host.wakeAt)
				}
				h.Wake(h.clock + 5*time.Second)
				if !h.host.downAborted {
					t.Error("it stays open")
				}
				h.wantIdle()
			})
		}
	}
}

// What a slow client reads is not cut off in the middle.
func TestAClosedConnectionGetsTimeAnewWhenItsClientCatchesUp(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			h := dial(t, newEnvironment(t, way.mode, fakeNameServers{}), way.port, way.capabilities)
			h.host.downFull = true
			h.send(refusals(1))
			h.send([]byte("GET / HTTP/1.1\r\n\r\n"))
			h.Abandon(h.clock) // the bad frame waits, unjudged
			closed := h.clock
			h.clock += 4 * time.Second
			if h.catchesUp(); h.host.wakeAt != closed+9*time.Second {
				t.Errorf("wake at %v", h.host.wakeAt-closed)
			}
			if h.Wake(closed + 5*time.Second); h.host.downAborted {
				t.Error("aborted while it reads")
			}
			if h.Wake(closed + 9*time.Second); !h.host.downAborted {
				t.Error("it stays open")
			}
			h.host.downAborted, h.host.wakeAt = false, 0
			if h.catchesUp(); h.host.wakeAt != 0 {
				t.Error("woken for a connection that was aborted")
			}
			h.wantIdle()
		})
	}
}

// A client that does not read is not read either, perhaps in the middle of a frame.
func TestAFullClientIsNotClosedForHalfAFrame(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			e := limited(t, way.mode, func(c *apiv1.Config) { c.Timeouts.Frame, c.Timeouts.Idle = 30*time.Second, 10*time.Minute })
			h := dial(t, e, way.port, way.capabilities)
			h.connectOnly()
			second := sendV2(2, "broker-a", "t")
			h.send(append(oneway(requests.SendMessageV2, 1, codec.Field{Name: "n", Value: "broker-a"}), second[:20]...))
			h.host.downFull = true
			h.clock += time.Minute
			h.Wake(h.clock)
			if h.host.downClosed {
				t.Fatal("closed while it is not read")
			}
			h.catchesUp()
			h.clock += 29 * time.Second
			h.Wake(h.clock)
			if h.host.downClosed {
				t.Fatal("closed before its frame has had its time")
			}
			h.clock += time.Second
			h.Wake(h.clock)
			if !h.host.downClosed {
				t.Error("it stays open")
			}
			h.wantIdle()
		})
	}
}

// The answers that it waits for may be held up by itself.
func TestAClientThatReadsNothingIsClosedThoughRequestsWait(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			e := limited(t, way.mode, func(c *apiv1.Config) { c.Timeouts.Idle, c.Timeouts.Request = time.Minute, time.Hour })
			h := dial(t, e, way.port, way.capabilities)
			h.send(request(requests.PullMessage, 1, "", fieldsOf("bname", "broker-a", "sysFlag", "2", "suspendTimeoutMillis", "3600000")...))
			h.to(brokerAAddress)
			for range 3 {
				h.clock = h.host.wakeAt
				h.Wake(h.clock)
			}
			if h.host.downClosed {
				t.Fatal("closed while it reads and a request waits")
			}
			h.host.downFull = true
			h.clock += time.Second
			h.catchesUp() // before its time is over
			h.host.downFull = true
			h.clock = h.host.wakeAt
			h.Wake(h.clock)
			if h.host.downClosed {
				t.Fatal("closed although it has read a moment ago")
			}
			h.clock = h.host.wakeAt
			h.Wake(h.clock)
			if !h.host.downClosed {
				t.Errorf("it stays open, %v after it has read the last bytes", h.clock-h.lastByteAt)
			}
			h.wantStats(map[stats.ID]int64{stats.DownstreamTimeout: 1})
			h.wantIdle()
		})
	}
}

// The attack of a few bytes that ask for many.
func TestConsumerListsForAClientThatReadsNothing(t *testing.T) {
	h := dialCompatible(t)
	groupField := codec.Field{Name: "consumerGroup", Value: "g"}
	for i := range 100 {
		id := fmt.Sprintf("%04d%s", i, strings.Repeat("x", 1000))
		h.send(request(requests.HeartBeat, 1, strings.Replace(heartbeatBody, `"1@2"`, `"`+id+`"`, 1)))
		h.wantAnswer(1, codec.ResponseSuccess, "Heartbeat OK")
	}
	h.host.downLimit = 100_000
	before := h.quota.Memory.Needed()
	var asks []byte
	for opaque := range int32(500) {
		asks = append(asks, request(requests.GetConsumerListByGroup, opaque, "", groupField)...)
	}
	h.send(asks)
	if got := h.host.down.Len(); got > 210_000 {
		t.Errorf("%d bytes were written to a client that takes 100,000", got)
	}
	if kept := h.quota.Memory.Needed() - before; kept < h.unsent+len(asks)/2 {
		t.Errorf("%d bytes are kept, %d of them unsent", kept, h.unsent)
	}
	lists := 0
	for lists < 500 {
		read := h.catchesUp()
		if lists += len(read); len(read) == 0 {
			break
		}
	}
	if lists != 500 {
		t.Errorf("%d lists, want 500", lists)
	}
	h.wantIdle()
}

func TestAConsumerListThatIsNoFrameIsRefused(t *testing.T) {
	h := dialCompatible(t)
	h.environment.Config.Limits.MaxFrameBytes = 4000
	for i := range 5 {
		id := fmt.Sprintf("%04d%s", i, strings.Repeat("x", 1000))
		h.send(request(requests.HeartBeat, 1, strings.Replace(heartbeatBody, `"1@2"`, `"`+id+`"`, 1)))
	}
	h.tookDown()
	h.send(request(requests.GetConsumerListByGroup, 2, "", codec.Field{Name: "consumerGroup", Value: "g"}))
	h.wantOneAnswer(2, codec.ResponseSystemBusy)
	h.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 1})
	h.wantIdle()
}

func TestNamesInHeartbeatsAreBounded(t *testing.T) {
	long := func(n int) string { return strings.Repeat("n", n) }
	for name, c := range map[string]struct{ old, good, bad, remark string }{
		"clientID":       {`"1@2"`, long(1024), long(1025), "the heartbeat has a clientID of 1025 bytes, the proxy takes 1024"},
		"consumer group": {`"g"`, long(255), long(256), "the heartbeat has a consumer group of 256 bytes, the proxy takes 255"},
		"producer group": {`"CLIENT_INNER_PRODUCER"`, long(255), long(256), "the heartbeat has a producer group of 256 bytes, the proxy takes 255"},
		"topic":          {`"t"`, long(512), long(513), "the heartbeat has a topic of 513 bytes, the proxy takes 512"},
	} {
		for kind, start := range map[string]func(testing.TB) *harness{
			"unified": func(t testing.TB) *harness {
				return dial(t, newEnvironment(t, unifiedMode, fakeNameServers{}), 19876, terminal)
			},
			"compatible": dialCompatible,
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				h := start(t)
				h.send(request(requests.HeartBeat, 1, strings.Replace(heartbeatBody, c.old, `"`+c.bad+`"`, 1)))
				if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError || got.Remark() != c.remark {
					t.Errorf("got %v %q", got.ResponseCode(), got.Remark())
				}
				h.wantStats(map[stats.ID]int64{stats.RequestRefused: 1})
				h.send(request(requests.HeartBeat, 2, strings.Replace(heartbeatBody, c.old, `"`+c.good+`"`, 1)))
				for _, f := range h.tookDown() {
					if f.ResponseCode() != codec.ResponseSuccess {
						t.Errorf("the longest name: %v %q", f.ResponseCode(), f.Remark())
					}
				}
				h.wantStats(map[stats.ID]int64{stats.RequestRefused: 1})
				h.wantIdle()
			})
		}
	}
}

// A session that ends while it notes the deadline of a request does not put off the end of its connection for that.
func TestNothingPutsOffTheEndOfAConnection(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	e.Config.Limits.MaxSessionBytes = 40_000
	h := dial(t, e, 19876, terminal)
	h.send(request(requests.GetAllTopicListFromNameServer, 1, ""))
	server := h.to(nameServerAddress)
	h.receive(server, response(codec.ResponseSuccess, 1, ""))
	h.clock += time.Minute
	h.Wake(h.clock) // nothing is due for an hour
	h.host.stuck = map[UpstreamID]bool{server: true}
	h.send(request(requests.PutKVConfig, 2, strings.Repeat("x", 50_000))) // to be answered within 15 s, and too much to keep
	if !h.host.downClosed || h.host.downAborted || h.host.wakeAt != h.clock+closeTime {
		t.Errorf("closed %v, aborted %v, woken at %v; want %v", h.host.downClosed, h.host.downAborted, h.host.wakeAt, h.clock+closeTime)
	}
	h.wantIdle()
}
