// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"strings"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

const (
	greedy = "10.9.9.9:5000"
	modest = "10.1.1.1:5000"
)

// fair is an environment in which each client address may have half of what others leave.
func fair(t testing.TB, mode apiv1.AddressingConfig, change func(*apiv1.LimitsConfig)) *Environment {
	t.Helper()
	return limited(t, mode, func(c *apiv1.Config) {
		c.Limits.MaxSourcePercent = 50
		change(&c.Limits)
	})
}

// wantAllIdle ends all sessions and demands that nothing is left.
func wantAllIdle(all []*harness) {
	for _, h := range all[1:] {
		h.Close(h.clock)
	}
	all[0].wantIdle()
}

func TestOneAddressCannotTakeAllConnections(t *testing.T) {
	e := fair(t, perBroker, func(l *apiv1.LimitsConfig) { l.MaxConnections = 100 })
	var all []*harness
	open := func(remote string, n int) (opened int) {
		for range n {
			h := dialFrom(t, e, remote, "127.0.0.1:20911", inPlace)
			all = append(all, h)
			if !h.host.downClosed {
				opened++
			}
		}
		return opened
	}
	if got := open(greedy, 200); got != 50 {
		t.Errorf("the first address has %d connections, want 50", got)
	}
	if got := open(modest, 25); got != 25 {
		t.Errorf("the second has %d of 25", got)
	}
	all[0].wantStats(map[stats.ID]int64{stats.SourceActive: 2, stats.SourceOverLimit: 150, stats.DownstreamOverLimit: 150})
	wantAllIdle(all)
}

func TestOneAddressCannotTakeAllPendingRequests(t *testing.T) {
	for name, path := range map[string]struct {
		mode         apiv1.AddressingConfig
		local        string
		capabilities Capabilities
	}{"unified": {unifiedMode, "127.0.0.1:19876", terminal}, "chained": {perBroker, "127.0.0.1:20911", inPlace}} {
		t.Run(name, func(t *testing.T) {
			e := fair(t, path.mode, func(l *apiv1.LimitsConfig) { l.MaxTotalPendingRequests, l.MaxTotalBytes = 1000, 64<<20 })
			var all []*harness
			send := func(remote string, connections, requests int) (refused int) {
				for range connections {
					h := dialFrom(t, e, remote, path.local, path.capabilities)
					all = append(all, h)
					for opaque := range int32(requests) {
						h.send(sendV2(opaque, "broker-a", "t"))
					}
					for _, answer := range h.tookDown() {
						if answer.ResponseCode() != codec.ResponseSystemBusy {
							t.Fatalf("answered %v", answer.ResponseCode())
						}
						refused++
					}
				}
				return refused
			}
			if got := send(greedy, 32, 96); got != 32*96-500 {
				t.Errorf("%d requests of the first address wait, want 500", 32*96-got)
			}
			if got := send(modest, 3, 80); got != 0 {
				t.Errorf("%d requests of the second are refused", got)
			}
			all[0].wantStats(map[stats.ID]int64{stats.SourceOverLimit: 2572, stats.RequestOverLimit: 2572, stats.RequestActive: 740})
			wantAllIdle(all)
		})
	}
}

func TestOneAddressCannotTakeAllMemory(t *testing.T) {
	e := fair(t, unifiedMode, func(l *apiv1.LimitsConfig) { l.MaxTotalBytes, l.MaxSessionBytes = 16<<20, 4<<20 })
	frame := request(requests.SendMessageV2, 1, strings.Repeat("b", 1_000_000), codec.Field{Name: "n", Value: "broker-a"})
	var all []*harness
	closed := 0
	for range 64 {
		h := dialFrom(t, e, greedy, "127.0.0.1:19876", terminal)
		all = append(all, h)
		if h.send(frame[:900_000]); h.host.downClosed {
			closed++
		}
	}
	if kept := e.totals.Memory.Used(); kept > 8<<20 || kept < 7<<20 || closed == 0 {
		t.Errorf("the first address has %d bytes of 16 MiB; %d of 64 connections are closed", kept, closed)
	}
	all[0].wantStats(map[stats.ID]int64{stats.SourceOverLimit: int64(closed), stats.MemoryOverLimit: int64(closed)})
	for n := range 3 {
		h := dialFrom(t, e, fmt.Sprintf("10.1.1.1:%d", n), "127.0.0.1:19876", terminal)
		all = append(all, h)
		if h.send(frame[:900_000]); h.host.downClosed {
			t.Errorf("connection %d of the second address is closed", n)
		}
	}
	wantAllIdle(all)
}

func TestOneAddressCannotTakeAllFiles(t *testing.T) {
	e := fair(t, unifiedMode, func(*apiv1.LimitsConfig) {})
	e.Files = &quota.Files{}
	e.Files.SetLimit(25)
	var all []*harness
	refused := 0
	for opaque := range int32(10) {
		h := dialFrom(t, e, greedy, "127.0.0.1:19876", terminal)
		all = append(all, h)
		h.send(append(sendV2(opaque, "broker-a", "t"), sendV2(opaque+100, "broker-b", "t")...))
		refused += len(h.tookDown())
	}
	if used := e.Files.Used(); used != 13 || refused != 2 {
		t.Errorf("the first address has %d files of 25, want 13; %d requests are refused, want 2", used, refused)
	}
	for range 2 {
		h := dialFrom(t, e, modest, "127.0.0.1:19876", terminal)
		all = append(all, h)
		h.send(append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-b", "t")...))
		if got := h.tookDown(); len(got) > 0 || h.host.downClosed {
			t.Errorf("the second address is refused: %v", got)
		}
	}
	if e.Stats.Value(stats.SourceOverLimit) == 0 {
		t.Error("what was refused is not counted")
	}
	wantAllIdle(all)
	if used := e.Files.Used(); used != 0 {
		t.Errorf("%d files are still counted", used)
	}
}
