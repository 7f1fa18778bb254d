// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/binary"
	"maps"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// fuzzed are the ways whose sessions are fuzzed, the first byte of an input choosing one. Nothing ends by itself for a day.
func fuzzed(f *testing.F) []*Environment {
	f.Helper()
	var all []*Environment
	for _, mode := range []apiv1.AddressingConfig{unifiedMode, perBroker} {
		all = append(all, limited(f, mode, func(c *apiv1.Config) {
			c.Timeouts.Handshake, c.Timeouts.Frame, c.Timeouts.Idle, c.Timeouts.UpstreamStall = 24*time.Hour, 24*time.Hour, 24*time.Hour, 24*time.Hour
		}))
	}
	return all
}

func dialFuzzed(t *testing.T, environments []*Environment, way byte) *harness {
	t.Helper()
	if way&1 == 1 {
		return dial(t, environments[1], 20911, inPlace)
	}
	return dial(t, environments[0], 19876, terminal)
}

// script writes an input: bytes as they are, and stretches of bytes behind their length.
func script(steps ...any) (b []byte) {
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

// stretch reads what script wrote of a stretch of bytes, or what there is of it.
func stretch(in []byte) (data, rest []byte) {
	if len(in) < 2 {
		return nil, nil
	}
	n := min(int(binary.BigEndian.Uint16(in)), len(in)-2)
	return in[2 : 2+n], in[2+n:]
}

// asked counts the requests that want an answer in what a client has sent, by opaque.
func asked(sent []byte) map[int32]int {
	counts := map[int32]int{}
	for {
		prefix, err := codec.ParsePrefix(sent, codec.Limits{MaxFrame: 1 << 20, MaxHeader: 1 << 16})
		if err != nil || len(sent) < prefix.FrameSize() {
			return counts
		}
		var h codec.Header
		if h.Parse(prefix.Type, sent[codec.PrefixSize:codec.PrefixSize+prefix.HeaderSize]) == nil && !h.IsResponse() && !h.IsOneway() {
			counts[h.Opaque]++
		}
		sent = sent[prefix.FrameSize():]
	}
}

// FuzzSession plays a script of bytes and events, in any order, against a session. Whatever comes: no panic, what is
// kept is within its limits, the client of a unified connection sees whole frames only and one answer for each of
// its requests that wants one, and nothing is left in the end.
func FuzzSession(f *testing.F) {
	environments := fuzzed(f)
	route := request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "t"})
	f.Add(script(0, 0, sendV2(1, "broker-a", "t"), 1, 1, 2, 1, response(codec.ResponseSuccess, 1, "")))
	f.Add(script(0, 0, route, 1, 1, 2, 1, response(codec.ResponseSuccess, 1, unifiedRoute), 0, request(requests.HeartBeat, 2, heartbeatBody), 1, 2, 1, 3, 4, 2, 5, 9))
	f.Add(script(1, 0, sendV2(1, "broker-a", "t")[:20], 0, sendV2(1, "broker-a", "t")[20:], 2, 1, response(codec.ResponseSuccess, 1, "x")))
	f.Add(script(0, 0, sendV2(1, "broker-a", "t"), 1, 1, 2, 1, request(requests.GetConsumerRunningInfo, 7, ""), 0, response(codec.ResponseSuccess, 1, "mine"), 5, 200))
	f.Add(script(0, 0, sendV2(1, "broker-a", "t"), 1, 1, 6, 1, 0, sendV2(2, "broker-a", "t"), 6, 1, 0, sendV2(3, "broker-a", "t"), 2, 1, response(codec.ResponseGoAway, 1, ""), 4, 1))
	f.Add(script(0, 0, request(requests.HeartBeat, 1, heartbeatBody), 0, request(requests.HeartBeat, 2, heartbeatBody), 1, 1, 3, 2, 2, 1, response(codec.ResponseSuccess, 1, "")))
	f.Add(script(0, 0, route, 1, 1, 2, 1, response(codec.ResponseSuccess, 1, `{"brokerDatas":[[[`), 0, request(requests.UpdateAndCreateTopic, 2, "", codec.Field{Name: "topic", Value: "t"}), 5, 7))
	f.Add(script(0, 7, 0, 0, append(refusals(3), sendV2(5, "broker-a", "t")...), 0, sendV2(6, "broker-a", "t"), 7, 0, 1, 1, 7, 0, 2, 1, response(codec.ResponseSuccess, 5, "")))
	storm.Fuzz(f, func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		h := dialFuzzed(t, environments, in[0])
		unified := h.shared() != nil
		var sent []byte
		full := map[UpstreamID]bool{}
		for in = in[1:]; len(in) >= 2 && h.state != closed; {
			op, id := in[0]%8, UpstreamID(in[1]%8)
			if in = in[1:]; op != 0 {
				in = in[1:]
			}
			var data []byte
			switch op {
			case 0:
				data, in = stretch(in)
				sent = append(sent, data...)
				h.DownstreamData(h.clock, [][]byte{data[:len(data)/2], data[len(data)/2:]})
			case 1:
				h.UpstreamConnected(h.clock, id)
			case 2:
				data, in = stretch(in)
				h.UpstreamData(h.clock, id, [][]byte{data})
			case 3:
				h.UpstreamFailed(h.clock, id, RemoteFailure)
			case 4:
				h.UpstreamClosed(h.clock, id)
			case 5:
				h.clock += Instant(id) * time.Second
				h.Wake(h.clock)
			case 6:
				full[id] = !full[id]
				h.UpstreamFull(h.clock, id, full[id])
			case 7:
				h.host.downFull = !h.host.downFull
				h.DownstreamDrained(h.clock)
			}
			if limit := h.environment.Config.Limits.MaxSessionBytes; h.quota.Memory.Needed() < 0 || h.quota.Memory.Needed() > limit {
				t.Fatalf("%d bytes are kept, limit %d", h.quota.Memory.Needed(), limit)
			}
		}
		h.host.downFull = false
		h.DownstreamDrained(h.clock)
		ended := h.state == closed
		h.clock += time.Hour
		h.Wake(h.clock)
		if unified {
			want, got := asked(sent), map[int32]int{}
			for _, frame := range take(t, &h.host.down) {
				if frame.IsResponse() {
					got[frame.Opaque]++
				}
			}
			for opaque, n := range got {
				if n > want[opaque] {
					t.Errorf("opaque %d was answered %d times and asked %d times", opaque, n, want[opaque])
				}
			}
			if !ended && !maps.Equal(got, want) {
				t.Errorf("answers %v for requests %v", got, want)
			}
		}
		h.wantIdle()
	})
}

// FuzzSplit gives a session the same bytes of a client and of a broker at once and in pieces. What it does must
// be the same.
func FuzzSplit(f *testing.F) {
	environments := fuzzed(f)
	one, two := sendV2(1, "broker-a", "t"), sendV2(2, "broker-a", "t")
	both := append(append([]byte{}, one...), two...)
	answers := append(response(codec.ResponseSuccess, 2, "second"), response(codec.ResponseSuccess, 1, "first")...)
	f.Add(byte(0), []byte{3, 90, 200}, both, answers)
	f.Add(byte(1), []byte{1, 1, 1, 1, 1, 1, 1, 1, 1}, both, answers)
	f.Add(byte(0), []byte{7, 9}, request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "t"}), response(codec.ResponseSuccess, 1, unifiedRoute))
	f.Add(byte(1), []byte{8}, append(one, 0, 0, 0, 1), append(answers, "garbage"...))
	f.Add(byte(0), []byte{4, 4, 4}, append(one, oneway(requests.SendMessageV2, 3)...), request(requests.GetConsumerRunningInfo, 9, ""))
	storm.Fuzz(f, func(t *testing.T, way byte, cuts, client, broker []byte) {
		if len(cuts) == 0 || len(client) > 1<<16 || len(broker) > 1<<16 {
			return
		}
		play := func(cut func([]byte) [][]byte) (up map[string]string, down string, closed bool) {
			h := dialFuzzed(t, environments, way)
			for _, piece := range cut(client) {
				h.send(piece)
			}
			for id := UpstreamID(1); id < 5; id++ {
				h.UpstreamConnected(h.clock, id)
			}
			for _, piece := range cut(broker) {
				h.receive(1, piece)
			}
			up = map[string]string{}
			for id, written := range h.host.up {
				up[h.host.address[id]] += written.String()
			}
			down, closed = h.host.down.String(), h.host.downClosed
			h.wantIdle()
			return up, down, closed
		}
		up, down, ended := play(func(b []byte) [][]byte {
			if len(b) == 0 {
				return nil
			}
			return [][]byte{b}
		})
		upInPieces, downInPieces, endedInPieces := play(func(b []byte) (pieces [][]byte) {
			for i := 0; len(b) > 0; i++ {
				n := min(len(b), 1+int(cuts[i%len(cuts)]))
				pieces = append(pieces, b[:n])
				b = b[n:]
			}
			return pieces
		})
		if !maps.Equal(up, upInPieces) || down != downInPieces || ended != endedInPieces {
			t.Errorf("at once: %q up, %q down, ended %v; in pieces: %q up, %q down, ended %v", up, down, ended, upInPieces, downInPieces, endedInPieces)
		}
	})
}
