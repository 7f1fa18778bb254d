// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// moduleDir lets the tests run with another build of the filter than the one in out/.
var moduleDir = flag.String("module-dir", "", "folder of the filter's two .so files (out)")

// installation is a running RocketMQ with an Envoy in front of it, and what a test notes about it.
type installation struct {
	*testing.T
	*world.World
	number     int // of the next client, for names
	javaFlags  []string
	nameServer string        // what clients are given
	statPrefix string        // of the filter's stats
	account    world.Account // of clients
	namePrefix string        // begins the names of topics and groups
}

// named is a topic or group of this installation, or of this way of it.
func (x *installation) named(name string) string { return x.namePrefix + name }

// install starts RocketMQ and Envoy. At the end of the test Envoy's log must be free of errors, no
// gauge may be left above zero, and everything is stopped.
func install(t *testing.T, o world.Options) *installation {
	t.Helper()
	if err := repo.Fetch(t.Context(), o.EnvoyVersion, o.Parts()...); err != nil {
		t.Fatal(err)
	}
	o.ModuleDir = *moduleDir
	w, err := world.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	x := &installation{T: t, World: w, nameServer: w.ProxyAddr, statPrefix: "rocketmq.demo."}
	t.Cleanup(func() {
		if t.Failed() {
			var logs strings.Builder
			_ = w.WriteLogs(&logs, 15)
			t.Log(logs.String())
		}
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
		lines, err := w.EnvoyErrors()
		if err != nil {
			t.Error(err)
		}
		for _, line := range lines {
			t.Errorf("Envoy's log: %s", line)
		}
	})
	return x
}

// on makes x report to a subtest.
func (x *installation) on(t *testing.T) *installation {
	sub := *x
	sub.T, sub.number = t, x.number+100*int(time.Now().UnixNano()%1e6)
	return &sub
}

// by makes x report to a subtest and its clients go this way.
func (x *installation) by(t *testing.T, w world.Way) *installation {
	sub := x.on(t)
	sub.nameServer, sub.statPrefix = w.NameServer, w.StatPrefix
	return sub
}

// limit bounds a step of a test; generous, since CI machines are slow at times.
func (x *installation) limit(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	x.Cleanup(cancel)
	return ctx
}

func (x *installation) start(class string, ledger *world.Ledger, args ...string) *world.Java {
	x.Helper()
	x.number++
	o := world.JavaOptions{Name: fmt.Sprintf("%s-%d", strings.ToLower(class), x.number), Class: "workload." + class, Args: []string{"--namesrv", x.nameServer}, Flags: x.javaFlags}
	if x.account != (world.Account{}) {
		o.Args = append(o.Args, "--access-key", x.account.AccessKey, "--secret-key", x.account.SecretKey)
	}
	o.Args = append(o.Args, args...)
	switch class {
	case "Producer":
		o.Records = ledger.Acknowledged
		o.Args = append(o.Args, "--acked", "/dev/fd/3")
	case "Consumer":
		o.Records = ledger.Delivered
		o.Args = append(o.Args, "--records", "/dev/fd/3")
	}
	j, err := x.StartJava(o)
	if err != nil {
		x.Fatal(err)
	}
	return j
}

// group starts the members of a consumer group and waits until they have shared out all queues.
func (x *installation) group(ledger *world.Ledger, topic, name string, members int, args ...string) []*world.Java {
	x.Helper()
	var group []*world.Java
	for range members {
		group = append(group, x.start("Consumer", ledger, append([]string{"--topic", topic, "--group", name}, args...)...))
	}
	x.settle(group)
	return group
}

func (x *installation) settle(group []*world.Java) {
	x.Helper()
	if err := world.AwaitGroup(x.limit(2*time.Minute), group, allQueues, 2*time.Second); err != nil {
		x.Fatal(err)
	}
}

// finish has clients end in good order and gives their last events.
func (x *installation) finish(clients ...*world.Java) (ends []world.Event) {
	x.Helper()
	for _, j := range clients {
		end, err := j.Finish(x.limit(2 * time.Minute))
		if err != nil {
			x.Fatal(err)
		}
		if end.Corrupt != 0 {
			x.Errorf("%s got %d messages with other bytes than were sent", j.Name, end.Corrupt)
		}
		ends = append(ends, end)
	}
	return ends
}

// produce runs a producer of `count` messages to its end; every send must succeed.
func (x *installation) produce(ledger *world.Ledger, topic string, firstID, count int, args ...string) {
	x.Helper()
	p := x.start("Producer", ledger, append([]string{"--topic", topic, "--first-id", strconv.Itoa(firstID), "--count", strconv.Itoa(count)}, args...)...)
	end, err := p.Await(x.limit(2*time.Minute), "end", nil)
	if err != nil {
		x.Fatal(err)
	}
	if end.Failed != 0 {
		x.Errorf("%d sends failed, the last with %s", end.Failed, end.Error)
	}
	x.finish(p)
}

// drained waits until everything acknowledged has been delivered.
func (x *installation) drained(ledger *world.Ledger, within time.Duration) world.Sums {
	x.Helper()
	for limit := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		sums := ledger.Sums()
		if sums.Lost() == 0 {
			return sums
		}
		if time.Now().After(limit) {
			x.Errorf("%d acknowledged messages were not delivered within %v, the first with ids %v", sums.Lost(), within, ledger.Lost(10))
			return sums
		}
	}
}

// stat reads one of the filter's counters or gauges.
func (x *installation) stat(name string) int64 {
	x.Helper()
	all, err := x.Stats(x.limit(30*time.Second), x.statPrefix+name)
	if err != nil {
		x.Fatal(err)
	}
	value, ok := all[x.statPrefix+name]
	if !ok {
		x.Fatalf("Envoy has no stat %s%s", x.statPrefix, name)
	}
	return int64(value)
}

// awaitStat waits until a stat has a value: stats reach Envoy about once a second.
func (x *installation) awaitStat(name string, want int64) {
	x.Helper()
	x.await(name, fmt.Sprint(want), func(got int64) bool { return got == want })
}

// awaitAtLeast waits until a stat has a value or a greater one.
func (x *installation) awaitAtLeast(name string, want int64) {
	x.Helper()
	x.await(name, fmt.Sprintf("at least %d", want), func(got int64) bool { return got >= want })
}

func (x *installation) await(name, want string, ok func(int64) bool) {
	x.Helper()
	var got int64
	for range 100 {
		if got = x.stat(name); ok(got) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.Errorf("stat %s is %d, want %s", name, got, want)
}

// idle demands that every gauge is back at zero when no client is left.
func (x *installation) idle() {
	x.Helper()
	for _, gauge := range []string{"request_active", "send_message_v1_active", "send_message_v2_active", "get_topic_route_active", "downstream_active", "upstream_active", "directory_stale"} {
		x.awaitStat(gauge, 0)
	}
	for _, fault := range []string{"panic", "response_unexpected", "response_decoding_error", "route_unreadable"} {
		x.awaitStat(fault, 0)
	}
}

// root is the repository's.
func root(t *testing.T) string {
	t.Helper()
	dir, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// modules returns the folder that Envoys load the filter from.
func modules(t *testing.T) string {
	t.Helper()
	if *moduleDir != "" {
		return *moduleDir
	}
	dir, err := repo.Modules()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// startEnvoy starts an Envoy that must be ready within 30 s, and end without an error at the end of the test.
func startEnvoy(t *testing.T, o envoy.Options) *envoy.Envoy {
	t.Helper()
	if err := repo.Fetch(t.Context(), o.Version, "envoy"); err != nil {
		t.Fatal(err)
	}
	if o.ModuleDir == "" {
		o.ModuleDir = modules(t)
	}
	e, err := envoy.Launch(o)
	if err != nil {
		t.Fatal(err)
	}
	endWithTest(t, e.Process)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := e.AwaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return e
}

// endWithTest stops a process at the end of the test, which fails if that did not end well, and then shows its log.
func endWithTest(t *testing.T, p *process.Process) {
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if err := p.Err(); err != nil && !p.Killed() {
			t.Errorf("%s ended with %v", p.Name, err)
		}
		if t.Failed() {
			t.Logf("%s's log:\n%s", p.Name, process.Tail(p.LogFile, 60))
		}
	})
}
