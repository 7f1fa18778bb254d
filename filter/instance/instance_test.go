// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

type fakeSink struct {
	mu     sync.Mutex
	values map[stats.ID]int64
}

func (s *fakeSink) Add(id stats.ID, delta int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[id] += delta
}
func (*fakeSink) Record(stats.ID, uint64, uint64) {}

func (s *fakeSink) value(id stats.ID) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[id]
}

// host returns a host whose configs all flush to the sink.
func (s *fakeSink) host() Host {
	return Host{NewSink: func(string, []stats.Def) stats.Sink { return s }}
}

// config has a name server that refuses connections.
func config(interval time.Duration) *apiv1.Config {
	return &apiv1.Config{
		StatPrefix: "t",
		Clusters:   []apiv1.ClusterConfig{{Name: "c", NameServers: []string{"127.0.0.1:1"}, RefreshInterval: interval}},
		Addressing: apiv1.AddressingConfig{Mode: apiv1.UnifiedMode},
		Limits:     apiv1.LimitsConfig{MaxFrameBytes: 1 << 20, MaxHeaderBytes: 1 << 16},
	}
}

func TestConfigsOfOneClusterShareItsDirectory(t *testing.T) {
	a, b := Start(config(time.Minute), Host{}), Start(config(time.Minute), Host{})
	other := Start(config(time.Hour), Host{})
	defer other.Close()
	if a.Clusters.First() != b.Clusters.First() || a.Clusters.First() == other.Clusters.First() {
		t.Error("want one directory for equal clusters, and another for a different one")
	}
	a.Close()
	again := Start(config(time.Minute), Host{})
	if again.Clusters.First() != b.Clusters.First() {
		t.Error("the directory went with the first of its configs")
	}
	b.Close()
	again.Close()
	again.Close() // a second time does nothing
	if last := Start(config(time.Minute), Host{}); last.Clusters.First() == b.Clusters.First() {
		t.Error("a directory that has stopped is used again")
	} else {
		last.Close()
	}
}

func TestStatsReachTheSinkWhileAConfigLivesAndOnceMoreAtItsEnd(t *testing.T) {
	sink := &fakeSink{values: map[stats.ID]int64{}}
	x := Start(config(time.Minute), sink.host())
	x.Stats.Recorder().Inc(stats.Request)
	for limit := time.Now().Add(10 * time.Second); sink.value(stats.DirectoryStale) != 1 || sink.value(stats.Request) != 1; {
		if time.Now().After(limit) {
			t.Fatalf("directory_stale is %d, request is %d", sink.value(stats.DirectoryStale), sink.value(stats.Request))
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.Stats.Recorder().Inc(stats.Request)
	x.Close()
	if sink.value(stats.Request) != 2 || sink.value(stats.DirectoryStale) != 0 || sink.value(stats.DirectoryRefreshFailure) == 0 {
		t.Errorf("after the end: %v", sink.values)
	}
}

func TestRulesTopicsAndGroupsHaveStatsBehindTheTable(t *testing.T) {
	c := config(time.Minute)
	c.Policy.Rules = []apiv1.RuleConfig{{Name: "first"}, {Name: "second"}}
	c.Breakdown = &apiv1.BreakdownConfig{Topics: []string{"t"}}
	path := filepath.Join(t.TempDir(), "log")
	c.RequestLog = &apiv1.RequestLogConfig{Path: path, OneIn: 1, MaxFileBytes: 1 << 20, MaxFiles: 1}
	x := Start(c, Host{})
	for _, o := range x.Observers {
		o.Ended(&session.Record{Code: requests.GetRouteInfoByTopic, Topic: "t", Recorder: x.Stats.Recorder()})
	}
	x.Close()
	if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "\n") != 1 {
		t.Errorf("the log is %q, %v", text, err)
	}
	if len(x.Observers) != 2 || !x.CountsMessages {
		t.Errorf("%d observers, counts messages %v", len(x.Observers), x.CountsMessages)
	}
	names := map[string]stats.ID{}
	for id, def := range x.Stats.Defs() {
		names[def.Name] = stats.ID(id)
	}
	if got := x.Stats.Value(names["topic.t.requests"]); got != 1 {
		t.Errorf("topic.t.request is %d", got)
	}
	if names["policy.rule.first"] != stats.ID(len(stats.Table)) || len(names) != len(stats.Table)+2+15 {
		t.Errorf("%d stats, the first of the config's own at %d", len(names), names["policy.rule.first"])
	}
}

func TestOfConfigsOfOnePrefixOneShowsTheProcess(t *testing.T) {
	runtime.GC() // before the first one nothing is known to be in use
	show := func(x *Instance) {
		x.runtime.show()
		x.Stats.Flush(x.sink)
	}
	// Each has a sink of its own, as the module undoes what a config has added to a gauge when it ends.
	ofA, ofB := &fakeSink{values: map[stats.ID]int64{}}, &fakeSink{values: map[stats.ID]int64{}}
	a := Start(config(time.Minute), ofA.host())
	show(a)
	b := Start(config(time.Minute), ofB.host())
	show(b)
	for _, m := range runtimeMetrics {
		if ofA.value(m.id) == 0 || ofB.value(m.id) != 0 {
			t.Errorf("%s: the first config shows %d, the second %d", m.name, ofA.value(m.id), ofB.value(m.id))
		}
	}
	a.Close()
	show(b)
	for _, m := range runtimeMetrics {
		if ofA.value(m.id) != 0 || ofB.value(m.id) == 0 {
			t.Errorf("%s: the config that has ended shows %d, the other %d", m.name, ofA.value(m.id), ofB.value(m.id))
		}
	}
	b.Close()
	for _, m := range runtimeMetrics {
		if got := ofB.value(m.id); got != 0 {
			t.Errorf("after the last config %s is %d", m.name, got)
		}
	}
}
