// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
)

// memory is Envoy's side of the connections of a test: what was called, by wrapper.
type memory struct {
	api.NetworkCAPI
	mu        sync.Mutex
	calls     map[unsafe.Pointer][]string
	ids       []uint64
	connected unsafe.Pointer // what UpstreamConnect returns

	connecting func(id uint64) // in UpstreamConnect, unless nil
}

func newMemory(t *testing.T) *memory {
	t.Helper()
	m := &memory{calls: map[unsafe.Pointer][]string{}, connected: unsafe.Pointer(new(int64))}
	fake(t, m)
	return m
}

func (m *memory) call(wrapper unsafe.Pointer, call string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[wrapper] = append(m.calls[wrapper], call)
}

// of returns the calls with a wrapper, and forgets them.
func (m *memory) of(wrapper unsafe.Pointer) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls[wrapper]
	delete(m.calls, wrapper)
	return calls
}

func (m *memory) DownstreamWrite(w, data unsafe.Pointer, size, _ int) {
	m.call(w, "write "+string(unsafe.Slice((*byte)(data), size)))
}

func (m *memory) DownstreamClose(w unsafe.Pointer, closeType int) {
	m.call(w, "close "+api.ConnectionCloseType(closeType).String())
}
func (m *memory) DownstreamFinalize(w unsafe.Pointer, _ int) { m.call(w, "finalize") }
func (m *memory) DownstreamInfo(_ unsafe.Pointer, infoType int) string {
	return []string{"10.0.0.1:9876", "10.0.0.2:5000"}[infoType]
}
func (m *memory) GetFilterState(_ unsafe.Pointer, key string) string { return "state " + key }
func (m *memory) UpstreamConnect(_, _ string, id uint64) unsafe.Pointer {
	m.ids = append(m.ids, id)
	if m.connecting != nil {
		m.connecting(id)
	}
	return m.connected
}

func (m *memory) UpstreamWrite(w, data unsafe.Pointer, size, _ int) {
	m.call(w, "write "+string(unsafe.Slice((*byte)(data), size)))
}

func (m *memory) UpstreamClose(w unsafe.Pointer, closeType int) {
	m.call(w, "close "+api.ConnectionCloseType(closeType).String())
}
func (m *memory) UpstreamFinalize(w unsafe.Pointer, _ int) { m.call(w, "finalize") }

// script is a filter that notes its events, and panics in the next one if it is told to.
type script struct {
	api.EmptyDownstreamFilter
	callbacks api.ConnectionCallback
	events    []string
	panics    bool
}

func (s *script) note(event string) {
	s.events = append(s.events, event)
	if s.panics {
		panic("as the test wants")
	}
}

func (s *script) OnNewConnection() api.FilterStatus {
	s.note("new")
	return api.NetworkFilterContinue
}

func (s *script) Receive(views [][]byte)        { s.note("data " + string(slices.Concat(views...))) }
func (s *script) OnEvent(e api.ConnectionEvent) { s.note(e.String()) }
func (s *script) OnData([]byte, bool)           {}
func (s *script) OnPoolReady(callbacks api.ConnectionCallback) {
	s.callbacks = callbacks
	s.note("ready")
}

func (s *script) OnPoolFailure(reason api.PoolFailureReason, _ string) {
	s.note("failure " + reason.String())
}

func (s *script) want(t *testing.T, events ...string) {
	t.Helper()
	if !slices.Equal(s.events, events) {
		t.Errorf("events %q, want %q", s.events, events)
	}
	s.events = nil
}

// downstreamScript is a script as a client connection's filter.
type downstreamScript struct{ *script }

func (downstreamScript) OnData([]byte, bool) api.FilterStatus { return api.NetworkFilterContinue }

func addressOf(text string) (address, size uint64) {
	return uint64(uintptr(unsafe.Pointer(unsafe.StringData(text)))), uint64(len(text))
}

// slicesOf returns texts as Envoy shows bytes. The caller keeps them alive.
func slicesOf(texts ...string) [][2]uint64 {
	var all [][2]uint64
	for _, text := range texts {
		address, size := addressOf(text)
		all = append(all, [2]uint64{address, size})
	}
	return all
}

func addressOfSlices(all [][2]uint64) uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(all))))
}

func newWrapper() unsafe.Pointer { return unsafe.Pointer(new(int64)) }

// open makes Envoy open a client connection of a filter with a plugin_name, by a config of the filter.
func open(wrapper unsafe.Pointer, pluginName string, config uint64) (status uint64) {
	address, size := addressOf(pluginName)
	return envoyGoFilterOnDownstreamConnection(wrapper, address, size, config)
}

// register makes a plugin that plays a script, and a good config for it.
func register(t *testing.T, s *script) (config uint64) {
	t.Helper()
	filterFactories[t.Name()] = func(_ *networkConfig, callbacks api.ConnectionCallback) api.DownstreamFilter {
		s.callbacks = callbacks
		return downstreamScript{s}
	}
	t.Cleanup(func() { delete(filterFactories, t.Name()) })
	return readConfig(t, `{"rocketmq_proxy":{"stat_prefix":"t"},"clusters":[{"name":"c","name_servers":["`+nameServer(t)+`"]}],"addressing":{"unified":{}}}`)
}

// runAs replaces the filter of this process, until the end of a test, by one that writes its log to `log`.
func runAs(t *testing.T, log func(line string)) {
	t.Helper()
	before := process
	process = newPlugin(func(level host.Level, line string) {
		if level != host.LevelInfo { // the version
			log(line)
		}
	}, newFakeStats())
	t.Cleanup(func() { process = before })
}

func readConfig(t *testing.T, text string) (id uint64) {
	t.Helper()
	packed, err := anypb.New(wrapperspb.String(text))
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := proto.Marshal(packed)
	if err != nil {
		t.Fatal(err)
	}
	library, librarySize := addressOf("library of " + t.Name())
	config, size := addressOf(string(bytes))
	id = envoyGoFilterOnNetworkFilterConfig(library, librarySize, config, size)
	x, _ := networkConfigs.Load(id)
	if got := x.(*networkConfig).libraryID; got != "library of "+t.Name() {
		t.Errorf("the library is %q", got)
	}
	if instance := x.(*networkConfig).instance; instance != nil {
		t.Cleanup(instance.Close)
	}
	return id
}

func TestAClientConnectionHasItsEventsUntilItsEnd(t *testing.T) {
	runAs(t, func(line string) { t.Error(line) })
	envoy := newMemory(t)
	s, wrapper := &script{}, newWrapper()
	if status := open(wrapper, t.Name(), register(t, s)); status != uint64(api.NetworkFilterContinue) {
		t.Errorf("status %d", status)
	}
	info := s.callbacks.StreamInfo()
	local, _ := info.UpstreamLocalAddress()
	remote, _ := info.UpstreamRemoteAddress()
	if state := info.FilterState().GetString("key"); local != "10.0.0.1:9876" || remote != "10.0.0.2:5000" || state != "state key" {
		t.Errorf("got %q, %q, %q", local, remote, state)
	}
	envoyGoFilterOnDownstreamEvent(wrapper, int(api.Connected))
	shown := slicesOf("one", "", "two")
	envoyGoFilterOnDownstreamData(wrapper, 6, addressOfSlices(shown), len(shown), 0)
	envoyGoFilterOnDownstreamData(wrapper, 0, 0, 0, 1)
	s.callbacks.Write([]byte("answer"), false)
	s.callbacks.Write(nil, false)
	s.callbacks.Close(api.FlushWrite)
	if calls := envoy.of(wrapper); !slices.Equal(calls, []string{"write answer", "close FlushWrite"}) {
		t.Errorf("calls %q", calls)
	}
	envoyGoFilterOnDownstreamEvent(wrapper, int(api.LocalClose))
	s.want(t, "new", api.Connected.String(), "data onetwo", api.LocalClose.String())
	// Envoy has freed it.
	s.callbacks.Write([]byte("late"), false)
	s.callbacks.Close(api.NoFlush)
	if address, ok := s.callbacks.StreamInfo().UpstreamLocalAddress(); ok {
		t.Errorf("address %q after the end", address)
	}
	envoyGoFilterOnDownstreamData(wrapper, 6, addressOfSlices(shown), len(shown), 0)
	envoyGoFilterOnDownstreamEvent(wrapper, int(api.RemoteClose))
	if calls := envoy.of(wrapper); !slices.Equal(calls, []string{"finalize"}) {
		t.Errorf("calls %q", calls)
	}
	s.want(t)
}

func TestEventsWithoutAConnectionAreIgnored(t *testing.T) {
	envoy := newMemory(t)
	for _, wrapper := range []unsafe.Pointer{nil, newWrapper()} {
		shown := slicesOf("bytes")
		envoyGoFilterOnDownstreamEvent(wrapper, int(api.Connected))
		envoyGoFilterOnDownstreamData(wrapper, 5, addressOfSlices(shown), 1, 0)
		envoyGoFilterOnDownstreamWrite(wrapper, 5, addressOfSlices(shown), 1, 0)
		envoyGoFilterOnDownstreamEvent(wrapper, int(api.LocalClose))
		envoyGoFilterOnUpstreamConnectionReady(wrapper, 1<<40)
		envoyGoFilterOnUpstreamConnectionFailure(wrapper, int(api.Timeout), 1<<40)
		envoyGoFilterOnUpstreamData(wrapper, 5, addressOfSlices(shown), 1, 0)
		envoyGoFilterOnUpstreamEvent(wrapper, int(api.RemoteClose))
		envoyGoFilterOnSemaDec(wrapper)
		if calls := envoy.of(wrapper); len(calls) != 0 {
			t.Errorf("calls %q", calls)
		}
	}
}

func TestConnectionsThatNoPluginOrConfigIsForAreClosed(t *testing.T) {
	var log []string
	runAs(t, func(line string) { log = append(log, line) })
	envoy := newMemory(t)
	good := register(t, &script{})
	bad := readConfig(t, `{"rocketmq_proxy":{"stat_prefix":"t"},"clusters":[{"name":"c","name_servers":["127.0.0.1:1"]}],"addressing":{"unified":{}},"nonsense":1}`)
	if len(log) != 1 || !strings.Contains(log[0], "nonsense") {
		t.Errorf("the log has %q", log)
	}
	log = nil
	for _, c := range []struct {
		pluginName string
		config     uint64
		line       string
	}{
		{"rocketmq-proxy", good, `rocketmq_proxy: config: plugin_name is "rocketmq-proxy", its connections are closed; want "rocketmq_proxy"`},
		{t.Name(), bad, ""},
		{t.Name(), 1 << 40, ""},
	} {
		for range 2 {
			wrapper := newWrapper()
			if status := open(wrapper, c.pluginName, c.config); status != uint64(api.NetworkFilterStopIteration) {
				t.Errorf("%s: status %d", c.pluginName, status)
			}
			shown := slicesOf("bytes")
			envoyGoFilterOnDownstreamData(wrapper, 5, addressOfSlices(shown), 1, 0)
			envoyGoFilterOnDownstreamEvent(wrapper, int(api.LocalClose))
			if calls := envoy.of(wrapper); !slices.Equal(calls, []string{"close NoFlush", "finalize"}) {
				t.Errorf("%s: calls %q", c.pluginName, calls)
			}
		}
		if want := slices.DeleteFunc([]string{c.line}, func(s string) bool { return s == "" }); !slices.Equal(log, want) {
			t.Errorf("the log has %q, want %q", log, want)
		}
		log = nil
	}
}

func TestAnUpstreamConnectionHasItsEventsUntilItsEnd(t *testing.T) {
	envoy := newMemory(t)
	s := &script{}
	openUpstream("library", "127.0.0.1:10911", s)
	id := envoy.ids[0]
	envoyGoFilterOnUpstreamConnectionReady(envoy.connected, id)
	callback := s.callbacks
	shown := slicesOf("one", "two")
	envoyGoFilterOnUpstreamData(envoy.connected, 6, addressOfSlices(shown), len(shown), 0)
	callback.Write([]byte("request"), false)
	callback.Close(api.FlushWrite)
	envoyGoFilterOnUpstreamEvent(envoy.connected, int(api.RemoteClose))
	callback.Close(api.NoFlush)
	envoyGoFilterOnUpstreamEvent(envoy.connected, int(api.RemoteClose))
	s.want(t, "ready", "data onetwo", api.RemoteClose.String())
	if calls := envoy.of(envoy.connected); !slices.Equal(calls, []string{"write request", "close FlushWrite", "finalize"}) {
		t.Errorf("calls %q", calls)
	}
}

// The outcome comes on another thread, perhaps before Envoy has returned what it knows the connection by.
func TestAnUpstreamConnectionMayFailWhileItIsOpened(t *testing.T) {
	envoy := newMemory(t)
	s := &script{}
	envoy.connecting = func(id uint64) {
		envoyGoFilterOnUpstreamConnectionFailure(envoy.connected, int(api.Timeout), id)
	}
	openUpstream("", "", s)
	s.want(t, "failure "+api.Timeout.String())
	if calls := envoy.of(envoy.connected); !slices.Equal(calls, []string{"finalize"}) {
		t.Errorf("calls %q", calls)
	}
}

func TestNoPanicCrossesTheBorder(t *testing.T) {
	runAs(t, func(string) {})
	envoy := newMemory(t)
	s, wrapper := &script{panics: true}, newWrapper()
	shown := slicesOf("bytes")
	open(wrapper, t.Name(), register(t, s))
	envoyGoFilterOnDownstreamData(wrapper, 5, addressOfSlices(shown), 1, 0)
	envoyGoFilterOnDownstreamEvent(wrapper, int(api.RemoteClose))
	if calls := envoy.of(wrapper); !slices.Equal(calls, []string{"close NoFlush", "finalize"}) {
		t.Errorf("calls for the client %q", calls)
	}
	for _, fails := range []bool{false, true} {
		openUpstream("", "", s)
		id := envoy.ids[len(envoy.ids)-1]
		if fails {
			envoyGoFilterOnUpstreamConnectionFailure(envoy.connected, int(api.Overflow), id)
		} else {
			envoyGoFilterOnUpstreamConnectionReady(envoy.connected, id)
			envoyGoFilterOnUpstreamData(envoy.connected, 5, addressOfSlices(shown), 1, 0)
			envoyGoFilterOnUpstreamEvent(envoy.connected, int(api.RemoteClose))
		}
		if calls := envoy.of(envoy.connected); !slices.Equal(calls, []string{"finalize"}) {
			t.Errorf("calls for the broker %q", calls)
		}
	}
	s.want(t, "new", "data bytes", api.RemoteClose.String(), "ready", "data bytes", api.RemoteClose.String(), "failure "+api.Overflow.String())
}
