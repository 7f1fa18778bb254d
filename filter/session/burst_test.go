// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// resolvedLimits are the limits of a config that sets some of them, `name:value` in JSON.
func resolvedLimits(t testing.TB, set string) apiv1.LimitsConfig {
	t.Helper()
	packed, err := anypb.New(wrapperspb.String(`{"rocketmq_proxy":{"stat_prefix":"s"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],
		"addressing":{"unified":{}},"limits":{` + set + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	message, err := apiv1.Parse(packed)
	if err != nil {
		t.Fatal(err)
	}
	config, err := apiv1.Resolve(message)
	if err != nil {
		t.Fatal(err)
	}
	return config.Limits
}

// frameOf is a request for broker-a that is `size` bytes long.
func frameOf(opaque int32, size int) []byte {
	empty := request(requests.SendMessageV2, opaque, "", codec.Field{Name: "n", Value: "broker-a"}, codec.Field{Name: "b", Value: "t"})
	return request(requests.SendMessageV2, opaque, strings.Repeat("x", size-len(empty)), codec.Field{Name: "n", Value: "broker-a"}, codec.Field{Name: "b", Value: "t"})
}

// sendInPieces sends as a socket does.
func (h *harness) sendInPieces(b []byte) {
	for len(b) > 0 {
		n := min(len(b), 64<<10)
		h.send(b[:n])
		b = b[n:]
	}
}

var burstPaths = map[string]struct {
	mode  apiv1.AddressingConfig
	local string
}{"unified": {unifiedMode, "127.0.0.1:19876"}, "per_broker": {perBroker, "127.0.0.1:20911"}}

// wantAllPassed demands that a broker's connection gets these bytes when it opens, and that nothing was refused.
func (h *harness) wantAllPassed(sent []byte, requests int) {
	h.Helper()
	if h.host.downClosed || h.host.down.Len() > 0 {
		h.Fatalf("closed: %v; the client got %q", h.host.downClosed, h.host.down.Bytes()[:min(h.host.down.Len(), 200)])
	}
	id := h.to(brokerAAddress)
	if got := h.host.up[id].Bytes(); !bytes.Equal(got, sent) {
		h.Errorf("%d bytes reach the broker, want %d", len(got), len(sent))
	}
	h.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 0, stats.MemoryOverLimit: 0, stats.DownstreamRefused: 0, stats.RequestActive: int64(requests)})
}

// A burst of 40 messages of 128 KiB, and a body of 4 MiB, the greatest that brokers take by default (maxMessageSize).
func TestABurstBeforeTheBrokerIsConnectedIsNotRefused(t *testing.T) {
	for name, path := range burstPaths {
		for what, sizes := range map[string][]int{"40 of 128 KiB": nil, "4 MiB": {4 << 20}, "one of max_frame_bytes, after others": {1000, 4 << 20, 16 << 20}} {
			if sizes == nil {
				for range 40 {
					sizes = append(sizes, 128<<10)
				}
			}
			t.Run(name+", "+what, func(t *testing.T) {
				e := limited(t, path.mode, func(c *apiv1.Config) { c.Limits = resolvedLimits(t, "") })
				h := dialAddress(t, e, path.local, terminal)
				var sent []byte
				for i, size := range sizes {
					frame := frameOf(int32(i), min(size+200, e.Config.Limits.MaxFrameBytes))
					h.sendInPieces(frame)
					sent = append(sent, frame...)
				}
				h.wantAllPassed(sent, len(sizes))
				h.wantIdle()
			})
		}
	}
}

// The greatest frame passes to a broker that is not connected yet, and its answer back, with all limits as tight as a config
// may have them.
func TestNoFrameIsRefusedForItsSizeAlone(t *testing.T) {
	for _, set := range []string{
		"",
		`"max_frame_bytes":1048576,"max_buffered_bytes":65536`,
		`"max_frame_bytes":65536`,
		`"max_frame_bytes":65536,"max_session_bytes":393216,"max_total_bytes":786432`,
		`"max_frame_bytes":1048576,"max_session_bytes":3342336`,
		`"max_frame_bytes":1048576,"max_session_bytes":3342336,"max_total_bytes":3342336,"max_source_percent":100`,
		`"max_frame_bytes":1048576,"max_total_bytes":"6684672"`,
	} {
		for name, path := range burstPaths {
			t.Run(fmt.Sprintf("%s, %s", set, name), func(t *testing.T) {
				limits := resolvedLimits(t, set)
				frame := frameOf(7, limits.MaxFrameBytes)
				small := frameOf(6, 300)
				e := limited(t, path.mode, func(c *apiv1.Config) { c.Limits = limits })
				h := dialAddress(t, e, path.local, terminal)
				h.sendInPieces(small)
				h.sendInPieces(frame)
				h.wantAllPassed(append(small, frame...), 2)
				id := h.to(brokerAAddress)
				answer := response(codec.ResponseSuccess, 7, strings.Repeat("x", limits.MaxFrameBytes-len(response(codec.ResponseSuccess, 7, ""))))
				for rest := answer; len(rest) > 0; rest = rest[min(len(rest), 64<<10):] {
					h.receive(id, rest[:min(len(rest), 64<<10)])
				}
				if !bytes.Equal(h.host.down.Bytes(), answer) {
					t.Errorf("the client got %d bytes, want %d", h.host.down.Len(), len(answer))
				}
				h.wantIdle()
			})
			t.Run(fmt.Sprintf("%s, %s, before the directory knows", set, name), func(t *testing.T) {
				limits := resolvedLimits(t, set)
				source := &lateNameServers{known: make(chan struct{})}
				d := directory.New([]string{nameServerAddress}, time.Hour, directory.NameServersForget, directory.Bounds{Brokers: 10, Topics: 10}, source)
				refreshed := make(chan struct{}, 10)
				d.Observe(func(error) { refreshed <- struct{}{} }) // after the session was woken
				e := environmentOf(path.mode, directory.NewClusters(nil, d))
				e.Config.Limits = limits
				h := dialAddress(t, e, path.local, terminal)
				small, frame := frameOf(6, 300), frameOf(7, limits.MaxFrameBytes)
				h.sendInPieces(small)
				h.sendInPieces(frame)
				if h.state != waiting || h.host.downClosed {
					t.Fatal("the session does not wait")
				}
				d.Start()
				t.Cleanup(d.Stop)
				close(source.known)
				<-refreshed
				h.Wake(h.clock)
				h.wantAllPassed(append(small, frame...), 2)
				h.wantIdle()
			})
		}
	}
}

// lateNameServers answers when the test says so.
type lateNameServers struct {
	fakeNameServers
	known chan struct{}
}

func (f *lateNameServers) Brokers(ctx context.Context, address string) ([]body.Address, error) {
	<-f.known
	return f.fakeNameServers.Brokers(ctx, address)
}
