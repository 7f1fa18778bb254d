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
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// withLimits sets limits in the config of each listener.
func withLimits(limits string) func(yaml string) string {
	return func(yaml string) string {
		return strings.ReplaceAll(yaml, "stat_prefix: demo\n", "stat_prefix: demo\n              limits: {"+limits+"}\n")
	}
}

// dialFrom connects a client from an address of its own.
func (s *stage) dialFrom(local, address string) (net.Conn, error) {
	s.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: 10 * time.Second}
	c, err := d.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	s.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c, nil
}

// TestOneGreedyAddressLeavesRoomForOthers has clients at 127.0.0.2 take all requests, bytes and connections that they can get,
// and a client at 127.0.0.1 send meanwhile. Without a bound for an address there is nothing left for it.
func TestOneGreedyAddressLeavesRoomForOthers(t *testing.T) {
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	for name, config := range map[string]string{"unified": "unified.yaml", "per_broker": "per-broker.yaml"} {
		for _, percent := range []int{50, 100} {
			t.Run(fmt.Sprintf("%s, %d percent", name, percent), func(t *testing.T) {
				s := newStage(t, config, modules(t), withLimits(fmt.Sprintf(
					"max_total_pending_requests: 20000, max_pending_requests: 1000, max_connections: 200, max_frame_bytes: 8388608, max_total_bytes: 134217728, max_source_percent: %d",
					percent)), map[string]play{"broker-a": silent, "broker-b": echo})
				door := func(broker string) string {
					if name == "unified" {
						return s.proxy
					}
					return s.ports[broker]
				}
				before := s.resident("VmRSS")
				s.takeRequests(door("broker-a"))
				s.takeBytes(door("broker-b"))
				s.takeConnections(door("broker-b"))
				refused := s.sendFrom("127.0.0.1", door("broker-b"))
				t.Logf("refused: %d of %d; Envoy has grown by %d MiB", refused, modestConnections*modestSends, (s.resident("VmHWM")-before)>>20)
				if percent == 50 && refused > 0 {
					t.Errorf("%d of %d sends are refused", refused, modestConnections*modestSends)
				}
				if percent == 100 && refused == 0 {
					t.Error("nothing is refused where addresses are not told apart: the attack shows nothing")
				}
			})
		}
	}
}

// takeRequests has 32 connections of 127.0.0.2 ask a broker that is silent 1000 times each.
func (s *stage) takeRequests(address string) {
	s.Helper()
	var writers sync.WaitGroup
	for range 32 {
		c, err := s.dialFrom("127.0.0.2", address)
		if err != nil {
			s.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, c) }() // ends with the connection
		writers.Go(func() {
			var all []byte
			for opaque := range int32(1000) {
				all = append(all, to("broker-a", requests.PullMessage, opaque, nil)...)
			}
			_, _ = c.Write(all)
		})
	}
	writers.Wait()
	s.awaitStat("request_over_limit", 1)
}

// takeBytes has 40 connections of 127.0.0.2 send all but the end of a frame of 7 MiB.
func (s *stage) takeBytes(address string) {
	s.Helper()
	frame := to("broker-b", requests.SendMessageV2, 1, bytes.Repeat([]byte("x"), 7<<20))
	var writers sync.WaitGroup
	for range 40 {
		if c, err := s.dialFrom("127.0.0.2", address); err == nil {
			writers.Go(func() { _, _ = c.Write(frame[:len(frame)-1]) })
		}
	}
	writers.Wait()
}

// takeConnections opens 300 connections of 127.0.0.2.
func (s *stage) takeConnections(address string) {
	s.Helper()
	for range 300 {
		_, _ = s.dialFrom("127.0.0.2", address)
	}
	s.awaitStat("downstream_over_limit", 1)
}

const modestConnections, modestSends = 10, 50

// sendFrom has some connections of an address send to broker-b, one after the other, and returns how many sends are not
// taken.
func (s *stage) sendFrom(local, address string) (refused int) {
	s.Helper()
	content := bytes.Repeat([]byte("m"), 100<<10)
	for range modestConnections {
		c, err := s.dialFrom(local, address)
		if err != nil {
			s.Fatal(err)
		}
		in := bufio.NewReader(c)
		for opaque := range int32(modestSends) {
			if _, err := c.Write(to("broker-b", requests.SendMessageV2, opaque, content)); err != nil {
				refused += modestSends - int(opaque)
				break
			}
			h, _, err := readFrame(in)
			if err != nil {
				refused += modestSends - int(opaque)
				break
			}
			if h.ResponseCode() != codec.ResponseSuccess {
				refused++
			}
		}
	}
	return refused
}
