// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Limits of the attacked configs, and what docs/LIMITS.md makes of them: Go's heap, which may be twice what is kept, and
// for each connection Envoy's two buffers and, where the filter is terminal, the module's queue.
const (
	attackedTotal  = 32 << 20
	attackedBuffer = 64 << 10
	attackedLimits = "limits: {max_total_bytes: 33554432, max_session_bytes: 12582912, max_frame_bytes: 2097152, max_header_bytes: 65536, max_buffered_bytes: 1048576}"
	sessionBytes   = 6 << 10
	upstreamBytes  = 2 << 10
	moduleQueue    = 1 << 20
)

func mostMemory(connections, upstreams int64) int64 {
	return 2*(attackedTotal+connections*sessionBytes+upstreams*upstreamBytes) + (connections+upstreams)*(2*attackedBuffer+moduleQueue)
}

// attacked gives a config the limits, Envoy's small buffers, and further options of the filter.
func attacked(options string) func(yaml string) string {
	return func(yaml string) string {
		yaml = strings.ReplaceAll(yaml, "    filter_chains:\n", fmt.Sprintf("    per_connection_buffer_limit_bytes: %d\n    filter_chains:\n", attackedBuffer))
		return strings.Replace(yaml, "                stat_prefix: demo\n", "                stat_prefix: demo\n              "+attackedLimits+"\n              "+options+"\n", 1)
	}
}

// attackedCompatible does that to a config of Envoy's own filter, of which the options become a part.
func attackedCompatible(yaml string) string {
	const kind, rest = "envoy.extensions.filters.network.rocketmq_proxy.v3.RocketmqProxy\n            value:", "\n  clusters:\n"
	start, end := strings.Index(yaml, kind), strings.Index(yaml, rest)
	_, admin, _ := strings.Cut(yaml, "port_value: ")
	admin, _, _ = strings.Cut(admin, "}")
	value := strings.ReplaceAll(yaml[start+len(kind):end], "\n", "\n  ")
	return strings.Replace(yaml[:start], "    filter_chains:\n", fmt.Sprintf("    per_connection_buffer_limit_bytes: %d\n    filter_chains:\n", attackedBuffer), 1) +
		"rocketmq_proxy.v1.FilterConfig\n            value:\n              envoy_admin: {address: \"127.0.0.1:" + admin + "\", refresh_interval: 1s}\n              " +
		attackedLimits + "\n              rocketmq_proxy:" + value + yaml[end:]
}

// flood writes `frame` again and again, with opaques from 0 on, until nothing is taken for a second. It returns how many
// whole frames were taken, and what is left of the next one.
func flood(c net.Conn, frame func(opaque int32) []byte, most int) (frames int, rest []byte) {
	var batch []byte
	opaque := int32(0)
	for sent := 0; sent < most; {
		for len(batch) < 64<<10 {
			batch = append(batch, frame(opaque)...)
			opaque++
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := c.Write(batch)
		sent += n
		if batch = batch[n:]; err != nil {
			break
		}
	}
	_ = c.SetWriteDeadline(time.Time{})
	return int(opaque), batch
}

// TestAFloodOfRefusedRequestsThatNobodyReads sends what the proxy answers by itself and reads no answer.
func TestAFloodOfRefusedRequestsThatNobodyReads(t *testing.T) {
	const connections, most = 30, 24 << 20
	for name, config := range map[string]string{"chained": "per-broker.yaml", "unified": "unified.yaml"} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, config, modules(t), attacked(""), map[string]play{"broker-a": echo, "broker-b": echo})
			door := s.proxy
			if name == "chained" {
				door = s.ports["broker-a"]
			}
			other := s.dial(door)
			s.exchanges(other, "broker-a", 100)
			before := s.resident("VmRSS")
			var attackers sync.WaitGroup
			counts, rests := make([]int, connections), make([][]byte, connections)
			all := make([]net.Conn, connections)
			for i := range all {
				all[i] = s.dial(door)
				attackers.Go(func() {
					counts[i], rests[i] = flood(all[i], func(opaque int32) []byte { return request(requests.RegisterBroker, opaque) }, most)
				})
			}
			attackers.Wait()
			s.exchanges(other, "broker-a", 100)
			grown, limit := s.resident("VmHWM")-before, mostMemory(connections, connections)
			t.Logf("%d connections, Envoy has grown by %.1f MiB of at most %d", connections, float64(grown)/(1<<20), limit>>20)
			if grown > limit {
				t.Errorf("Envoy has grown by %d MiB, docs/LIMITS.md says %d", grown>>20, limit>>20)
			}
			// Whoever reads after all gets every answer, in order.
			go func() { _, _ = all[0].Write(rests[0]) }()
			_ = all[0].SetReadDeadline(time.Now().Add(time.Minute))
			in := bufio.NewReader(all[0])
			for opaque := range int32(counts[0]) {
				h, _, err := readFrame(in)
				if err != nil || h.Opaque != opaque || h.ResponseCode() != codec.ResponseRequestCodeNotSupported {
					t.Fatalf("answer %d of %d: %v, %v", opaque, counts[0], h, err)
				}
			}
		})
	}
}

// TestConsumerListsThatNobodyReads asks a compatible config for lists of consumers that are as long as may be.
func TestConsumerListsThatNobodyReads(t *testing.T) {
	const members, asks, connections = 400, 500, 8
	s := newStage(t, "cpp-compatible.yaml", modules(t), attackedCompatible, map[string]play{})
	heartbeat := func(opaque int32, id string) []byte {
		command := codec.Command{
			Code: int32(requests.HeartBeat), Language: codec.LanguageJava, Version: 479, Opaque: opaque,
			Body: []byte(`{"clientID":"` + id + `","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[]}],"producerDataSet":[]}`),
		}
		return command.Append(nil)
	}
	client := s.dial(s.proxy)
	list := func(opaque int32) []byte {
		return request(requests.GetConsumerListByGroup, opaque, codec.Field{Name: "consumerGroup", Value: "g"})
	}
	exchangeOn(t, client, list(0)) // until the endpoints are known less may wait than the next request is long
	if h, _ := exchangeOn(t, client, heartbeat(1, strings.Repeat("x", 1<<20))); h.ResponseCode() != codec.ResponseSystemError || !strings.Contains(h.Remark(), "1048576 bytes") {
		t.Errorf("a clientID of 1 MiB: %v %q", h.ResponseCode(), h.Remark())
	}
	for i := range members {
		if h, _ := exchangeOn(t, client, heartbeat(2, fmt.Sprintf("%04d%s", i, strings.Repeat("x", 1020)))); h.ResponseCode() != codec.ResponseSuccess {
			t.Fatalf("member %d: %v %q", i, h.ResponseCode(), h.Remark())
		}
	}
	_, body := exchangeOn(t, client, list(3))
	if len(body) < members<<10 {
		t.Fatalf("a list of %d bytes", len(body))
	}
	before := s.resident("VmRSS")
	all := make([]net.Conn, connections)
	for i := range all {
		all[i] = s.dial(s.proxy)
		var batch []byte
		for opaque := range int32(asks) {
			batch = append(batch, list(opaque)...)
		}
		if _, err := all[i].Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if h, _ := exchangeOn(t, client, list(4)); h.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("another client is answered %v", h.ResponseCode())
	}
	time.Sleep(2 * time.Second)
	grown, limit := s.resident("VmHWM")-before, mostMemory(connections+1, 0)
	t.Logf("%d × %d lists of %d KiB asked for, Envoy has grown by %.1f MiB of at most %d", connections, asks, len(body)>>10, float64(grown)/(1<<20), limit>>20)
	if grown > limit {
		t.Errorf("Envoy has grown by %d MiB, docs/LIMITS.md says %d", grown>>20, limit>>20)
	}
	_ = all[0].SetReadDeadline(time.Now().Add(time.Minute))
	for opaque := range int32(asks) {
		h, got, err := readFrame(all[0])
		if err != nil || h.Opaque != opaque || !bytes.Equal(got, body) {
			t.Fatalf("list %d of %d: %v, %v", opaque, asks, h, err)
		}
	}
}

// TestAClientThatReadsNothingIsLetGo asks for more than fits into all buffers, and reads none of it.
func TestAClientThatReadsNothingIsLetGo(t *testing.T) {
	content := bytes.Repeat([]byte("m"), 1<<20)
	pulled := answering(func(h *codec.Header, _ []byte) []byte { return answer(codec.ResponseSuccess, h.Opaque, content) })
	for name, config := range map[string]string{"chained": "per-broker.yaml", "unified": "unified.yaml"} {
		for asked, pulls := range map[string]int32{"six pulls": 6, "more than fits into all buffers": 60} {
			t.Run(name+", "+asked, func(t *testing.T) {
				s := newStage(t, config, modules(t), attacked("timeouts: {idle: 2s}"), map[string]play{"broker-a": pulled, "broker-b": echo})
				door := s.proxy
				if name == "chained" {
					door = s.ports["broker-a"]
				}
				c := s.dial(door)
				_ = c.(*net.TCPConn).SetReadBuffer(4096)
				for opaque := range pulls {
					if _, err := c.Write(to("broker-a", requests.PullMessage, opaque, nil)); err != nil {
						t.Fatal(err)
					}
				}
				start := time.Now()
				s.awaitStat("downstream_timeout", 1)
				for text := ""; !strings.Contains(text, "demo.downstream_active: 0"); {
					if time.Since(start) > 30*time.Second {
						t.Fatalf("it is still connected after %v: %s", time.Since(start), text)
					}
					time.Sleep(100 * time.Millisecond)
					var err error
					if text, err = s.get("/stats?filter=demo.downstream_active$"); err != nil {
						t.Fatal(err)
					}
				}
				t.Logf("gone after %.1f s", time.Since(start).Seconds())
			})
		}
	}
}
