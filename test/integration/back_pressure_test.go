// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// untouched leaves a config as it is.
func untouched(yaml string) string { return yaml }

// echo is a broker that answers each request with its body.
var echo = answering(func(h *codec.Header, body []byte) []byte { return answer(codec.ResponseSuccess, h.Opaque, body) })

// to is a request for a broker with a body.
func to(broker string, code requests.Code, opaque int32, body []byte) []byte {
	command := codec.Command{
		Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: opaque, Body: body,
		Fields: []codec.Field{{Name: "bname", Value: broker}, {Name: "n", Value: broker}, {Name: "topic", Value: "T"}},
	}
	return command.Append(nil)
}

// exchanges demands that a connection's requests to a broker are answered, one after the other.
func (s *stage) exchanges(c net.Conn, broker string, n int) {
	s.Helper()
	if err := exchange(c, broker, n); err != nil {
		s.Fatal(err)
	}
}

func exchange(c net.Conn, broker string, n int) error {
	for opaque := range int32(n) {
		if _, err := c.Write(to(broker, requests.SendMessageV2, opaque, []byte("body"))); err != nil {
			return err
		}
		h, _, err := readFrame(c)
		if err != nil {
			return fmt.Errorf("request %d to %s: %w", opaque, broker, err)
		}
		if h.Opaque != opaque || h.ResponseCode() != codec.ResponseSuccess {
			return fmt.Errorf("request %d to %s: got opaque %d, %v (%s)", opaque, broker, h.Opaque, h.ResponseCode(), h.Remark())
		}
	}
	return nil
}

// TestBackPressureOfASlowConsumer has a consumer ask for more than fits anywhere and read 10 KB a second of it.
func TestBackPressureOfASlowConsumer(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		size   int // of an answer
		asked  int32
		most   int64 // by which Envoy may grow
	}{
		// Bodies are cut through: what is kept is Envoy's buffers, 1 MiB for each connection.
		"chained": {"per-broker.yaml", 64 << 20, 4, 24 << 20},
		// A whole answer is kept, once while it grows and once in what is written to the client; Go's heap may be twice that.
		"unified": {"unified.yaml", 8 << 20, 64, 96 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			var pushed atomic.Int64
			content := bytes.Repeat([]byte("m"), c.size)
			pushes := func(conn net.Conn) {
				in := bufio.NewReader(conn)
				for {
					h, body, err := readFrame(in)
					if err != nil {
						return
					}
					if requests.CodeOf(h) != requests.PullMessage {
						body, err = io.ReadAll(bytes.NewReader(answer(codec.ResponseSuccess, h.Opaque, body)))
					} else {
						body = answer(codec.ResponseSuccess, h.Opaque, content)
					}
					for len(body) > 0 && err == nil {
						var n int
						n, err = conn.Write(body[:min(len(body), 64<<10)])
						pushed.Add(int64(n))
						body = body[n:]
					}
					if err != nil {
						return
					}
				}
			}
			s := newStage(t, c.config, modules(t), func(yaml string) string {
				return strings.Replace(yaml, "stat_prefix: demo\n", "stat_prefix: demo\n              limits: {max_frame_bytes: 100000000}\n", 1)
			}, map[string]play{"broker-a": pushes, "broker-b": echo})
			door := func(broker string) string {
				if name == "unified" {
					return s.proxy
				}
				return s.ports[broker]
			}
			other, another := s.dial(door("broker-a")), s.dial(door("broker-b"))
			s.exchanges(other, "broker-a", 100)
			s.exchanges(another, "broker-b", 100)
			before := s.resident("VmRSS")
			consumer := s.dial(door("broker-a"))
			_ = consumer.(*net.TCPConn).SetReadBuffer(4096)
			for opaque := range c.asked {
				if _, err := consumer.Write(to("broker-a", requests.PullMessage, 1000+opaque, nil)); err != nil {
					t.Fatal(err)
				}
			}
			buffer := make([]byte, 1000)
			for range 30 {
				if _, err := io.ReadFull(consumer, buffer); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond) // which makes 10 KB a second
			}
			s.exchanges(other, "broker-a", 500)
			s.exchanges(another, "broker-b", 500)
			if grown := s.resident("VmHWM") - before; grown > c.most {
				t.Errorf("Envoy has grown by %d MiB, want at most %d", grown>>20, c.most>>20)
			}
			if asked, got := int64(c.asked)*int64(c.size), pushed.Load(); got > asked/2 {
				t.Errorf("the broker could push %d MiB of %d at a consumer that reads nothing", got>>20, asked>>20)
			}
		})
	}
}

// TestASlowBrokerHoldsUpNobodyElse has one client send to a broker that reads nothing and to one that answers, on one
// unified connection.
func TestASlowBrokerHoldsUpNobodyElse(t *testing.T) {
	reads := make(chan struct{})
	slow := func(c net.Conn) {
		<-reads
		echo(c)
	}
	s := newStage(t, "unified.yaml", modules(t), untouched, map[string]play{"broker-a": slow, "broker-b": echo})
	client, other := s.dial(s.proxy), s.dial(s.proxy)
	s.exchanges(client, "broker-b", 100)
	before := s.resident("VmRSS")
	const rounds = 400
	content := bytes.Repeat([]byte("b"), 64<<10)
	sent := make(chan error, 1)
	go func() {
		var err error
		for i := int32(0); i < rounds && err == nil; i++ {
			if _, err = client.Write(to("broker-a", requests.SendMessageV2, 10_000+i, content)); err == nil {
				_, err = client.Write(to("broker-b", requests.SendMessageV2, 20_000+i, []byte("body")))
			}
		}
		sent <- err
	}()
	in := bufio.NewReader(client)
	fromA, fromB := map[codec.ResponseCode]int{}, map[codec.ResponseCode]int{}
	for range 2 * rounds { // each request has exactly one answer
		h, _, err := readFrame(in)
		if err != nil {
			t.Fatalf("after %v from broker-a and %v from broker-b: %v", fromA, fromB, err)
		}
		if h.Opaque < 20_000 {
			fromA[h.ResponseCode()]++
		} else {
			fromB[h.ResponseCode()]++
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if fromB[codec.ResponseSuccess] != rounds || fromA[codec.ResponseSystemBusy] == 0 || fromA[codec.ResponseSuccess] != 0 {
		t.Errorf("broker-a: %v, broker-b: %v; want %d successes of broker-b, and SYSTEM_BUSY and SYSTEM_ERROR for broker-a", fromA, fromB, rounds)
	}
	s.exchanges(other, "broker-b", 100)
	if grown := s.resident("VmHWM") - before; grown > 32<<20 {
		t.Errorf("Envoy has grown by %d MiB", grown>>20)
	}
	s.awaitStat("upstream_full", 1)
	close(reads)
	for opaque := int32(30_000); ; opaque++ { // until it has read what waits
		h, _ := exchangeOn(t, client, to("broker-a", requests.SendMessageV2, opaque, []byte("body")))
		if h.ResponseCode() == codec.ResponseSuccess {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
}
