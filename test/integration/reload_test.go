// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"flag"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/fault"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/stub"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/usage"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

var reloads = flag.Int("reloads", 50, "TestReloads: how often the config is changed")

// What may remain, however often: what the allocators keep at hand, a thread and a file that the Go runtime takes when it
// first needs them.
const (
	warmReloads = 20
	mostThreads = 2
	mostFiles   = 2
	mostHeap    = 4 << 20  // bytes of Envoy's own heap, which differs by 2 MiB between two moments without a change
	mostGoHeap  = 4 << 20  // bytes; 50 configs that stayed would take 8 MiB
	mostRSS     = 16 << 20 // bytes
)

// TestReloads changes options while clients are connected: connections from before keep what they have until Envoy closes
// them, new ones have what is new, and nothing is left of what was.
func TestReloads(t *testing.T) {
	server, err := stub.Listen(stub.Options{Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- server.Serve(ctx) }()
	x := install(t, world.Options{
		Mode: world.SideBySide, Server: server.NameServer, ListenersFile: true, EnvoyArgs: []string{"--drain-time-s", "1"},
	})
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	for i := range warmReloads {
		x.reload(i)
	}
	before := x.afterDrain()
	for i := range *reloads {
		x.reload(i)
	}
	after := x.afterDrain()
	t.Logf("%d reloads: before %+v, after %+v", *reloads, before, after)
	if after.goroutines != before.goroutines || after.threads > before.threads+mostThreads || after.files > before.files+mostFiles {
		t.Errorf("goroutines, threads or files are left: %+v, before %+v", after, before)
	}
	if after.heap > before.heap+mostHeap || after.goHeap > before.goHeap+mostGoHeap || after.rss > before.rss+mostRSS {
		t.Errorf("memory has grown: %+v, before %+v", after, before)
	}
	x.idle()
}

// reload allows changes of topics, or refuses them, by turns, with a connection from before and one from after, to
// each kind of listener.
func (x *installation) reload(number int) {
	x.Helper()
	refused := number%2 == 0
	var old, fresh []net.Conn
	for _, way := range x.ProxiedWays() {
		c := x.connectTo(way)
		if number > 0 && x.changesRefused(c) == refused {
			x.Fatalf("reload %d, %s: the config before is not in force", number, way.Name)
		}
		old = append(old, c)
	}
	err := x.UpdateListeners(x.limit(time.Minute), func(all []any) []any {
		fault.SetOption(all, "policy", map[string]any{"read_only_admin": refused})
		return all
	})
	if err != nil {
		x.Fatal(err)
	}
	for _, way := range x.ProxiedWays() {
		// Each worker takes up the new listener when it comes to it.
		c := x.connectTo(way)
		for limit := time.Now().Add(10 * time.Second); x.changesRefused(c) != refused; c = x.connectTo(way) {
			if c.Close(); time.Now().After(limit) {
				x.Fatalf("reload %d, %s: the new config is not in force", number, way.Name)
			}
		}
		fresh = append(fresh, c)
	}
	for i, c := range old {
		if number > 0 && x.changesRefused(c) == refused {
			x.Errorf("reload %d: connection %d from before has the new config", number, i)
		}
	}
	for i, c := range old {
		if number%10 == 0 { // the others leave by themselves
			if n, err := io.Copy(io.Discard, c); n > 0 || err != nil {
				x.Errorf("reload %d: connection %d from before got %d bytes and %v, want an end in good order", number, i, n, err)
			}
		}
		c.Close()
	}
	for _, c := range fresh {
		c.Close()
	}
}

// connectTo connects to where a way's clients find the stub's broker.
func (x *installation) connectTo(way world.Way) net.Conn {
	x.Helper()
	sub := *x
	sub.nameServer = way.Broker(x.Brokers[0])
	return sub.connect()
}

// changesRefused asks for a new topic, which the stub knows nothing of, and tells whether the proxy already refused that.
func (x *installation) changesRefused(c net.Conn) bool {
	x.Helper()
	h, _ := exchangeOn(x.T, c, request(requests.UpdateAndCreateTopic, 1, codec.Field{Name: "topic", Value: "T"}))
	return h.ResponseCode() == codec.ResponseNoPermission
}

// resources are what an Envoy uses.
type resources struct {
	goroutines, threads, files int
	heap, goHeap, rss          int64
}

// afterDrain waits until nothing of old listeners is left, and gives what Envoy uses then.
func (x *installation) afterDrain() (r resources) {
	x.Helper()
	const listeners, chains = "listener_manager.total_listeners_draining", "listener_manager.total_filter_chains_draining"
	for limit := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		all, err := x.Stats(x.limit(time.Minute), listeners, chains)
		if err != nil {
			x.Fatal(err)
		}
		if all[listeners]+all[chains] == 0 {
			break
		}
		if time.Now().After(limit) {
			x.Fatalf("still draining: %v", all)
		}
	}
	time.Sleep(3 * time.Second) // configs end a little later, and the figures of the runtime are a second old
	pid := strconv.Itoa(x.Envoy().Pid())
	threads, err := os.ReadDir("/proc/" + pid + "/task")
	if err != nil {
		x.Fatal(err)
	}
	used, err := usage.Of(x.Envoy().Pid())
	if err != nil {
		x.Fatal(err)
	}
	all, err := x.Stats(x.limit(time.Minute), "server.memory_allocated")
	if err != nil {
		x.Fatal(err)
	}
	return resources{
		goroutines: int(x.stat("go_goroutines")), threads: len(threads), files: x.files(),
		heap: int64(all["server.memory_allocated"]), goHeap: x.stat("go_heap_bytes"), rss: int64(used.RSS),
	}
}
