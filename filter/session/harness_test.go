// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

const (
	nameServerAddress = "10.0.0.9:9876"
	brokerAAddress    = "10.0.0.1:10911"
	brokerBAddress    = "10.0.0.2:10911"
)

// fakeHost records what a session does.
type fakeHost struct {
	capabilities Capabilities
	down         bytes.Buffer
	up           map[UpstreamID]*bytes.Buffer
	address      map[UpstreamID]string
	order        []UpstreamID
	upClosed     map[UpstreamID]bool
	downFull     bool                // set by a test
	downLimit    int                 // bytes after which down is full; 0: never
	stuck        map[UpstreamID]bool // takes nothing: the host keeps all
	downClosed   bool
	downAborted  bool
	wakeAt       Instant
}

func newFakeHost(capabilities Capabilities) *fakeHost {
	return &fakeHost{
		capabilities: capabilities,
		up:           map[UpstreamID]*bytes.Buffer{},
		address:      map[UpstreamID]string{},
		upClosed:     map[UpstreamID]bool{},
	}
}

func (h *fakeHost) Capabilities() Capabilities { return h.capabilities }
func (h *fakeHost) ConnectUpstream(id UpstreamID, address string) {
	h.address[id] = address
	h.up[id] = &bytes.Buffer{}
	h.order = append(h.order, id)
}

func (h *fakeHost) WriteUpstream(id UpstreamID, b []byte) (kept int) {
	if len(b) == 0 {
		panic("empty write upstream")
	}
	if h.upClosed[id] {
		panic("write to an upstream that is closed")
	}
	h.up[id].Write(b)
	if h.stuck[id] {
		return len(b)
	}
	return 0
}
func (h *fakeHost) CloseUpstream(id UpstreamID) { h.upClosed[id] = true }
func (h *fakeHost) WriteDownstream(b []byte) {
	if len(b) == 0 {
		panic("empty write downstream")
	}
	if h.downClosed {
		panic("write to a client that is closed")
	}
	h.down.Write(b)
	h.downFull = h.downFull || h.downLimit > 0 && h.down.Len() > h.downLimit
}
func (h *fakeHost) DownstreamFull() bool { return h.downFull }
func (h *fakeHost) CloseDownstream()     { h.downClosed = true }
func (h *fakeHost) AbortDownstream()     { h.downClosed, h.downAborted = true, true }
func (h *fakeHost) WakeAt(at Instant)    { h.wakeAt = at }

// fakeNameServers answers the directory.
type fakeNameServers struct {
	down bool
	sent chan string
}

func (f fakeNameServers) Resolve(_ context.Context, address string) ([]string, error) {
	return []string{address}, nil
}

func (f fakeNameServers) Send(_ context.Context, address string, frame []byte) error {
	f.sent <- address + " " + string(frame)
	return nil
}

func (f fakeNameServers) Brokers(context.Context, string) ([]body.Address, error) {
	if f.down {
		return nil, errors.New("down")
	}
	return []body.Address{
		{Cluster: "c", BrokerName: "broker-a", BrokerID: 0, Addr: brokerAAddress},
		{Cluster: "c", BrokerName: "broker-a", BrokerID: 1, Addr: "10.0.0.1:11911"},
		{Cluster: "c", BrokerName: "broker-b", BrokerID: 0, Addr: brokerBAddress},
	}, nil
}

// harness is a session with a fake host.
type harness struct {
	testing.TB
	*Session
	host  *fakeHost
	clock Instant
}

var (
	perBroker = apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Brokers: []apiv1.BrokerListenerConfig{
		{BrokerName: "broker-a", ListenerPort: 20911, AdvertisedAddress: "proxy:20911"},
		{BrokerName: "broker-b", ListenerPort: 20921, AdvertisedAddress: "proxy:20921"},
	}}
	unifiedMode = apiv1.AddressingConfig{Mode: apiv1.UnifiedMode, ClusterWideChanges: true}
	inPlace     = Capabilities{InPlace: true, OwnDestination: true}
	terminal    = Capabilities{}
)

func newEnvironment(t testing.TB, mode apiv1.AddressingConfig, source directory.NameServers) *Environment {
	t.Helper()
	servers := []string{nameServerAddress}
	if f, ok := source.(fakeNameServers); ok && f.sent != nil {
		servers = append(servers, "10.0.0.8:9876")
	}
	return environmentOf(mode, directory.NewClusters(nil, newDirectory(t, servers, source)))
}

// newDirectory gives a directory that has been refreshed once.
func newDirectory(t testing.TB, servers []string, source directory.NameServers) *directory.Directory {
	t.Helper()
	d := directory.New(servers, time.Hour, directory.NameServersForget, directory.Bounds{Brokers: 1000, Topics: 1000}, source)
	refreshed := make(chan struct{})
	wake := func() { close(refreshed) }
	d.Await(&wake)
	d.Start()
	t.Cleanup(d.Stop)
	<-refreshed
	return d
}

func environmentOf(mode apiv1.AddressingConfig, clusters *directory.Clusters) *Environment {
	return &Environment{
		Config: &apiv1.Config{
			StatPrefix: "test",
			Addressing: mode,
			Limits: apiv1.LimitsConfig{
				MaxFrameBytes: 1 << 20, MaxHeaderBytes: 1 << 16, MaxFields: 1024, MaxConnections: 1000, MaxPendingRequests: 100, MaxTotalPendingRequests: 10_000,
				MaxBufferedBytes: 1 << 16, MaxSessionBytes: 4 << 20, MaxTotalBytes: 16 << 20, MaxSourcePercent: 100, MaxUpstreamConnections: 8, MaxServerRequests: 1024, MaxHeartbeatEntries: 1000,
			},
			Timeouts: apiv1.TimeoutsConfig{
				Connect: 2 * time.Second, Request: 15 * time.Second, Send: 2900 * time.Millisecond, Short: 2500 * time.Millisecond, Directory: 3 * time.Second,
				Handshake: time.Minute, Frame: time.Minute, UpstreamStall: 5 * time.Minute, Idle: time.Hour,
			},
		},
		Rules:    addressing.New(mode),
		Clusters: clusters,
		Stats:    stats.New(),
	}
}

// dial starts a session on the given local port.
func dial(t testing.TB, e *Environment, port int, capabilities Capabilities) *harness {
	t.Helper()
	return dialAddress(t, e, fmt.Sprintf("127.0.0.1:%d", port), capabilities)
}

// dialAddress starts a session of a client that has dialled `local`.
func dialAddress(t testing.TB, e *Environment, local string, capabilities Capabilities) *harness {
	t.Helper()
	return dialFrom(t, e, "10.1.1.1:5000", local, capabilities)
}

// dialFrom starts a session of a client at `remote` that has dialled `local`.
func dialFrom(t testing.TB, e *Environment, remote, local string, capabilities Capabilities) *harness {
	t.Helper()
	h := &harness{TB: t, host: newFakeHost(capabilities), clock: time.Second}
	h.Session = New(e, h.host, local, remote)
	h.Open(h.clock)
	return h
}

// only returns the upstream of a session that has a single one; nil if it is not open, or the session has another mode.
func (h *harness) only() *upstream {
	if m, ok := h.mode.(*single); ok {
		return m.upstream
	}
	return nil
}

// shared returns what a session on a shared address holds; nil for others.
func (h *harness) shared() *shared { return sharedOf(h.Session) }

func sharedOf(s *Session) *shared {
	switch m := s.mode.(type) {
	case *shared:
		return m
	case *envoyRouted:
		return m.shared
	}
	return nil
}

// send gives bytes of the client to the session; what stays untouched goes on as the host would do.
func (h *harness) send(b []byte) {
	if h.DownstreamData(h.clock, [][]byte{b}) {
		h.host.up[h.only().id].Write(b)
	}
}

// receive gives bytes of an upstream to the session.
func (h *harness) receive(id UpstreamID, b []byte) {
	if h.UpstreamData(h.clock, id, [][]byte{b}) {
		h.host.down.Write(b)
	}
}

// to finds the upstream connection to an address, connecting it if it is not yet.
func (h *harness) to(address string) UpstreamID {
	h.Helper()
	for _, id := range h.host.order {
		if h.host.address[id] == address && !h.host.upClosed[id] && h.upstreams[id] != nil {
			if !h.upstreams[id].connected {
				h.UpstreamConnected(h.clock, id)
			}
			return id
		}
	}
	h.Fatalf("no upstream connection to %s; there are %v", address, h.host.address)
	return 0
}

// frame is what was written somewhere, decoded.
type frame struct {
	codec.Header
	body string
}

// take decodes and removes all whole frames of a buffer.
func take(t testing.TB, b *bytes.Buffer) (frames []frame) {
	t.Helper()
	for b.Len() > 0 {
		prefix, err := codec.ParsePrefix(b.Bytes(), codec.Limits{MaxFrame: 1 << 30, MaxHeader: 1 << 24})
		if err != nil || b.Len() < prefix.FrameSize() {
			t.Fatalf("not a frame: %q (%v)", b.Bytes(), err)
		}
		raw := bytes.Clone(b.Next(prefix.FrameSize()))
		var f frame
		if err := f.Parse(prefix.Type, raw[codec.PrefixSize:codec.PrefixSize+prefix.HeaderSize]); err != nil {
			t.Fatalf("unreadable header: %q: %v", raw, err)
		}
		f.body = string(raw[codec.PrefixSize+prefix.HeaderSize:])
		frames = append(frames, f)
	}
	return frames
}

func (h *harness) tookUp(address string) []frame {
	h.Helper()
	return take(h.TB, h.host.up[h.to(address)])
}

func (h *harness) tookDown() []frame {
	h.Helper()
	return take(h.TB, &h.host.down)
}

// one demands a single frame.
func one(t testing.TB, frames []frame) frame {
	t.Helper()
	if len(frames) != 1 {
		t.Fatalf("got %d frames, want 1: %v", len(frames), frames)
	}
	return frames[0]
}

// wantStats compares stats that moved; all others may have any value.
func (h *harness) wantStats(want map[stats.ID]int64) {
	h.Helper()
	for id, value := range want {
		if got := h.environment.Stats.Value(id); got != value {
			h.Errorf("stat %s is %d, want %d", stats.Table[id].Name, got, value)
		}
	}
}

// wantIdle demands that every gauge is back at zero once the client is gone.
func (h *harness) wantIdle() {
	h.Helper()
	h.Close(h.clock)
	h.wantNothingLeft()
}

// wantNothingLeft demands that of the session's environment, all of whose clients are gone.
func (h *harness) wantNothingLeft() {
	h.Helper()
	for id, def := range stats.Table {
		if got := h.environment.Stats.Value(stats.ID(id)); def.Kind == stats.Gauge && got != 0 {
			h.Errorf("gauge %s is %d after the end, want 0", def.Name, got)
		}
	}
	if h.inFlight.all != 0 {
		h.Errorf("%d requests are still waiting after the end", h.inFlight.all)
	}
	totals := &h.environment.totals
	if connections, pending, memory := totals.Connections.Used(), totals.Pending.Used(), totals.Memory.Used(); connections+pending+memory != 0 {
		h.Errorf("%d connections, %d requests and %d bytes are still counted after the end", connections, pending, memory)
	}
	if left := h.environment.totals.Sources(); left != 0 {
		h.Errorf("%d client addresses are still counted after the end", left)
	}
}

func request(code requests.Code, opaque int32, body string, fields ...codec.Field) []byte {
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: opaque, Fields: fields, Body: []byte(body)}
	return command.Append(nil)
}

func oneway(code requests.Code, opaque int32, fields ...codec.Field) []byte {
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: opaque, Flag: codec.FlagOneway, Fields: fields}
	return command.Append(nil)
}

func response(code codec.ResponseCode, opaque int32, body string, fields ...codec.Field) []byte {
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: opaque, Flag: codec.FlagResponse, Fields: fields, Body: []byte(body)}
	return command.Append(nil)
}

func sendV2(opaque int32, broker, topic string) []byte {
	fields := []codec.Field{{Name: "a", Value: "p"}, {Name: "b", Value: topic}, {Name: "e", Value: "0"}, {Name: "i", Value: "KEYS\u0001k\u0002"}}
	if broker != "" {
		fields = append(fields, codec.Field{Name: "n", Value: broker})
	}
	return request(requests.SendMessageV2, opaque, "hello", fields...)
}
