// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// TestEventsFromManyThreads throws events at sessions from several goroutines; the race detector
// watches. In the end nothing may be left.
func TestEventsFromManyThreads(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	for range 20 {
		h := dial(t, e, 19876, terminal)
		var threads sync.WaitGroup
		for thread := range 8 {
			threads.Go(func() {
				random := rand.New(rand.NewPCG(uint64(thread), 1))
				for range 200 {
					opaque, id := int32(random.IntN(50)), UpstreamID(random.IntN(6))
					switch now := Instant(random.Int64N(int64(20 * time.Second))); random.IntN(8) {
					case 0, 1, 2:
						h.DownstreamData(now, [][]byte{sendV2(opaque, []string{"broker-a", "broker-b", "broker-z"}[random.IntN(3)], "t")})
					case 3:
						h.DownstreamData(now, [][]byte{request(codec.RequestHeartBeat, opaque, heartbeatBody)})
					case 4:
						h.UpstreamConnected(now, id)
					case 5:
						h.UpstreamData(now, id, [][]byte{response(codec.ResponseSuccess, opaque, "")})
					case 6:
						h.Wake(now)
					default:
						if random.IntN(4) == 0 {
							h.UpstreamClosed(now, id)
						}
					}
				}
			})
		}
		threads.Wait()
		h.wantIdle()
	}
}

// FuzzSession plays a script of bytes and events, in any order, against a session. Whatever comes:
// no panic, the client of a unified connection sees whole frames only, and nothing is left.
func FuzzSession(f *testing.F) {
	environments := []*Environment{newEnvironment(f, unifiedMode, fakeNameServers{}), newEnvironment(f, perBroker, fakeNameServers{})}
	script := func(steps ...any) (b []byte) {
		for _, s := range steps {
			switch s := s.(type) {
			case int:
				b = append(b, byte(s))
			case []byte:
				b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
				b = append(b, s...)
			}
		}
		return b
	}
	f.Add(script(0, 0, sendV2(1, "broker-a", "t"), 1, 1, 2, 1, response(codec.ResponseSuccess, 1, "")))
	f.Add(script(0, 0, request(codec.RequestGetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "t"}), 1, 1, 2, 1, response(codec.ResponseSuccess, 1, unifiedRoute), 0, request(codec.RequestHeartBeat, 2, heartbeatBody), 1, 2, 1, 3, 4, 2, 5, 9))
	f.Add(script(1, 0, sendV2(1, "broker-a", "t")[:20], 0, sendV2(1, "broker-a", "t")[20:], 2, 1, response(codec.ResponseSuccess, 1, "x")))
	f.Add(script(0, 0, sendV2(1, "broker-a", "t"), 1, 1, 2, 1, request(codec.RequestGetConsumerRunningInfo, 7, ""), 0, response(codec.ResponseSuccess, 1, "mine"), 5, 200))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		e, port, capabilities := environments[in[0]&1], 19876, terminal
		if in[0]&1 == 1 {
			port, capabilities = 20911, inPlace
		}
		before := e.Stats.Value(stats.RequestActive)
		h := dial(t, e, port, capabilities)
		for in = in[1:]; len(in) >= 2 && h.state != closed; {
			op, id := in[0]%6, UpstreamID(in[1]%8)
			if op == 0 {
				in = in[1:]
			} else {
				in = in[2:]
			}
			var data []byte
			if op == 0 || op == 2 {
				if len(in) < 2 {
					break
				}
				n := min(int(binary.BigEndian.Uint16(in)), len(in)-2)
				data, in = in[2:2+n], in[2+n:]
			}
			switch op {
			case 0:
				h.DownstreamData(h.clock, [][]byte{data[:len(data)/2], data[len(data)/2:]})
			case 1:
				h.UpstreamConnected(h.clock, id)
			case 2:
				h.UpstreamData(h.clock, id, [][]byte{data})
			case 3:
				h.UpstreamFailed(h.clock, id)
			case 4:
				h.UpstreamClosed(h.clock, id)
			case 5:
				h.clock += Instant(id) * time.Second
				h.Wake(h.clock)
			}
		}
		if capabilities == terminal {
			take(t, &h.host.down)
		}
		h.Close(h.clock)
		if got := e.Stats.Value(stats.RequestActive); got != before || h.active.all != 0 {
			t.Errorf("request_active went from %d to %d, %d requests wait", before, got, h.active.all)
		}
	})
}
