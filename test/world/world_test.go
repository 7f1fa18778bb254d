// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

func testContext(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// startWorld starts a World that ends with the test; after a failure the logs' ends are in the test's output.
func startWorld(t *testing.T, opt Options) *World {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a RocketMQ")
	}
	if err := repo.Fetch(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	w, err := Start(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %.1f s", time.Since(begin).Seconds())
	t.Cleanup(func() {
		if t.Failed() {
			_ = w.WriteLogs(t.Output(), 30)
		}
		begin := time.Now()
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
		t.Logf("stopped in %.1f s", time.Since(begin).Seconds())
		if _, err := os.Stat(w.Dir); err == nil {
			t.Errorf("%s is still there", w.Dir)
		}
	})
	return w
}

func startConsumer(t *testing.T, w *World, name, mode string, ledger *Ledger) *Java {
	t.Helper()
	j, err := w.StartJava(JavaOptions{
		Name: name, Class: "workload.Consumer", Records: ledger.Delivered,
		Args: []string{"--namesrv", w.ProxyAddr, "--topic", "T", "--group", "G", "--mode", mode, "--records", "/dev/fd/3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func startProducer(t *testing.T, w *World, name string, ledger *Ledger, args ...string) *Java {
	t.Helper()
	args = append([]string{"--namesrv", w.ProxyAddr, "--topic", "T", "--acked", "/dev/fd/3"}, args...)
	j, err := w.StartJava(JavaOptions{Name: name, Class: "workload.Producer", Records: ledger.Acknowledged, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// awaitConsumed waits until the ledger has everything.
func awaitConsumed(t *testing.T, ledger *Ledger, limit time.Duration) {
	t.Helper()
	for end := time.Now().Add(limit); ledger.Sums().Lost() > 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if s := ledger.Sums(); s.Lost() != 0 || s.Bad != 0 {
		t.Errorf("%v, %d bad, lost %v", s, s.Bad, ledger.Lost(10))
	}
}

// Each way of sending, consumed by a group of two, without a proxy: what the tests of the proxy build on.
func TestWorkloadIsWholeWithoutProxy(t *testing.T) {
	w := startWorld(t, Options{Mode: NoProxy, Topics: map[string]int{"T": 4, "W": 1}})
	ctx := testContext(t, 2*time.Minute)
	var ledger Ledger
	begin := time.Now()
	members := []*Java{startConsumer(t, w, "consumer-1", "orderly", &ledger), startConsumer(t, w, "consumer-2", "orderly", &ledger)}
	if err := AwaitGroup(ctx, members, 8, time.Second); err != nil {
		t.Fatal(err)
	}
	t.Logf("group stable after %.1f s", time.Since(begin).Seconds())
	const count = 300
	var producers []*Java
	modes := []string{"sync", "async", "oneway", "batch", "orderly", "transaction"}
	for i, mode := range modes {
		args := []string{
			"--mode", mode, "--group", "P-" + mode, "--threads", "3", "--warmup", "W", "--send-timeout", "20000",
			"--count", strconv.Itoa(count), "--first-id", strconv.Itoa(i * count),
		}
		if mode == "transaction" {
			args = append(args, "--rollback-every", "10", "--unknown-every", "77")
		}
		producers = append(producers, startProducer(t, w, "producer-"+mode, &ledger, args...))
	}
	want := int64(0)
	for i, p := range producers {
		end, err := p.Await(ctx, "end", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s", modes[i], end.Raw)
		sent := int64(count)
		if modes[i] == "transaction" {
			sent -= count / 10
		}
		if end.Sent != sent || end.Failed != 0 || end.TotalSent != end.Sent || end.P50 <= 0 || end.P99 < end.P50 {
			t.Errorf("%s: got %s, want sent %d, failed 0", modes[i], end.Raw, sent)
		}
		want += sent
	}
	awaitConsumed(t, &ledger, 30*time.Second)
	if s := ledger.Sums(); s.Sent != want || s.Duplicated != 0 || s.Unacknowledged != 0 {
		t.Errorf("%v, %d unacknowledged; want sent %d; repeats: %q", s, s.Unacknowledged, want, ledger.Repeats())
	}
	for _, m := range members {
		end, err := m.Finish(ctx)
		if err != nil || end.Corrupt != 0 || end.Violations != 0 {
			t.Errorf("%s: %v %s", m.Name, err, end.Raw)
		}
	}
}

// plainEnvoy is a proxy that knows nothing of RocketMQ: its clients get the brokers' real addresses.
func plainEnvoy(t *testing.T) string {
	file := t.TempDir() + "/plain.yaml"
	yaml := `
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 19876}}
    filter_chains:
    - filters:
      - name: tcp_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: plain
          cluster: name_servers
  clusters:
  - name: name_servers
    load_assignment:
      cluster_name: name_servers
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9876}}}}]}]
`
	if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// The watch must be able to fail: clients behind a plain tcp_proxy do leave it.
func TestWatchSeesClientsThatLeaveTheProxy(t *testing.T) {
	w := startWorld(t, Options{Config: plainEnvoy(t), Topics: map[string]int{"T": 2}})
	ctx := testContext(t, time.Minute)
	var ledger Ledger
	p := startProducer(t, w, "producer", &ledger, "--rate", "200")
	watch := w.WatchClients(p)
	if _, err := p.Await(ctx, "tick", func(e Event) bool { return e.TotalSent > 300 }); err != nil {
		t.Fatal(err)
	}
	r := watch.Stop()
	t.Log(r)
	if r.Looks < 5 || len(r.Direct) < 2 || r.ViaProxy == 0 {
		t.Errorf("got %v; want connections to both brokers and to the proxy", r)
	}
	stats, err := w.Stats(ctx, "tcp.plain.")
	if err != nil || stats["tcp.plain.downstream_cx_total"] == 0 {
		t.Errorf("stats %v, %v", stats, err)
	}
	if bad, err := w.EnvoyErrors(); err != nil || len(bad) > 0 {
		t.Errorf("Envoy's log: %q, %v", bad, err)
	}
	if _, err := p.Finish(ctx); err != nil {
		t.Error(err)
	}
}

// What was acknowledged survives kill -9 of a broker, and everything can be started again where it was.
func TestPartsCanBeKilledAndStartedAgain(t *testing.T) {
	w := startWorld(t, Options{Mode: NoProxy, Topics: map[string]int{"T": 4}})
	ctx := testContext(t, 2*time.Minute)
	var ledger Ledger
	c := startConsumer(t, w, "consumer", "concurrent", &ledger)
	if err := AwaitGroup(ctx, []*Java{c}, 8, time.Second); err != nil {
		t.Fatal(err)
	}
	p := startProducer(t, w, "producer", &ledger, "--rate", "200")
	if _, err := p.Await(ctx, "tick", func(e Event) bool { return e.TotalSent > 100 }); err != nil {
		t.Fatal(err)
	}
	w.Brokers[0].Kill()
	w.KillNameServer()
	if err := w.StartNameServer(ctx); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := w.Brokers[0].Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("broker back after %.1f s", time.Since(begin).Seconds())
	if err := w.Brokers[1].Register(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Brokers[1].Start(ctx); err == nil {
		t.Error("a broker that runs was started again")
	}
	now, _ := p.Latest("tick")
	if _, err := p.Await(ctx, "tick", func(e Event) bool { return e.TotalSent > now.TotalSent+400 && e.PerBroker["broker-a"] > 0 }); err != nil {
		t.Fatal(err)
	}
	end, err := p.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	awaitConsumed(t, &ledger, 40*time.Second)
	t.Logf("%s; %v", end.Raw, ledger.Sums())
}

// A producer that is killed has told all that was acknowledged, and a failure is reported with its cause.
func TestClientsReportTheirEnd(t *testing.T) {
	w := startWorld(t, Options{Mode: NoProxy, Brokers: []string{"broker-a"}, Topics: map[string]int{"T": 4}})
	ctx := testContext(t, time.Minute)
	var ledger Ledger
	p := startProducer(t, w, "producer", &ledger, "--wait-go", "yes")
	if _, err := p.Await(ctx, "ready", nil); err != nil {
		t.Fatal(err)
	}
	if s := ledger.Sums(); s.Sent != 0 {
		t.Errorf("%v before the word", s)
	}
	if err := p.Go(); err != nil {
		t.Fatal(err)
	}
	tick, err := p.Await(ctx, "tick", func(e Event) bool { return e.TotalSent > 0 })
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if s := ledger.Sums(); s.Sent < tick.TotalSent {
		t.Errorf("%v, but the producer had told of %d", s, tick.TotalSent)
	}
	if _, err := p.Await(ctx, "end", nil); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got error %v, want one that says killed", err)
	}
	wrong := startProducer(t, w, "wrong", &ledger, "--mode", "nonsense")
	if _, err := wrong.Await(ctx, "ready", nil); err == nil || !strings.Contains(err.Error(), "--mode nonsense is unknown") {
		t.Errorf("got error %v, want the program's own", err)
	}
}

// Nothing is left of a World whose owner was killed.
func TestKilledOwnerLeavesNothing(t *testing.T) {
	if dir := os.Getenv("WORLD_TEST_OWNER"); dir != "" {
		w, err := Start(t.Context(), Options{Config: dir + "/plain.yaml", Brokers: []string{"broker-a"}})
		if err != nil {
			t.Fatal(err)
		}
		pids := []string{strconv.Itoa(w.Envoy().Pid()), strconv.Itoa(w.NameServerProcess().Pid()), strconv.Itoa(w.Brokers[0].Process().Pid())}
		if err := os.WriteFile(dir+"/tmp", []byte(w.Dir+" "+strings.Join(pids, " ")), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(dir+"/tmp", dir+"/owner"); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	if testing.Short() {
		t.Skip("starts a RocketMQ")
	}
	if err := repo.Fetch(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(plainEnvoy(t))
	owner := exec.Command(os.Args[0], "-test.run=^TestKilledOwnerLeavesNothing$")
	owner.Env = append(os.Environ(), "WORLD_TEST_OWNER="+dir)
	owner.Stdout, owner.Stderr = t.Output(), t.Output()
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = owner.Wait() // it is killed: an error is sure
		close(ended)
	}()
	var fields []string
	err := process.Await(testContext(t, startLimit), nil, "the owner has a World", func() (bool, error) {
		select {
		case <-ended:
			return true, nil
		default:
		}
		b, err := os.ReadFile(dir + "/owner")
		fields = strings.Fields(string(b))
		return err == nil, err
	})
	if err := owner.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-ended
	if err != nil || len(fields) != 4 {
		t.Fatalf("owner: %v, %v", fields, err)
	}
	err = process.Await(testContext(t, 5*time.Second), nil, "the processes are gone", func() (bool, error) {
		for _, pid := range fields[1:] {
			if _, err := os.Stat("/proc/" + pid); err == nil {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		t.Error(err)
	}
	mine, err := makeDir() // as the next Start does
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(mine)
	if _, err := os.Stat(fields[0]); err == nil {
		t.Errorf("%s is still there", fields[0])
	}
}
