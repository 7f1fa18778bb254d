// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// fakeStats are Envoy's stats as its Golang HTTP filter gives access to them, with what would end a real
// Envoy noted as an offence: what is for its threads only on another, a config used after its memory.
type fakeStats struct {
	mu       sync.Mutex
	kinds    map[string]stats.Kind
	values   map[string]int64
	samples  map[string]map[uint64]uint64
	names    map[uint32]string
	freed    map[unsafe.Pointer]bool
	offences []string

	inEvent atomic.Bool
	// onIncrement is called inside increment.
	onIncrement func()
}

// fakeConfig is Envoy's part of a config.
type fakeConfig struct {
	gone atomic.Bool // the part that Envoy holds by itself
	_    [64]byte    // no other object shares its memory
}

func newFakeStats() *fakeStats {
	return &fakeStats{
		kinds:   map[string]stats.Kind{},
		values:  map[string]int64{},
		samples: map[string]map[uint64]uint64{},
		names:   map[uint32]string{},
		freed:   map[unsafe.Pointer]bool{},
	}
}

// event runs what Envoy calls on one of its threads.
func (f *fakeStats) event(do func()) {
	f.inEvent.Store(true)
	defer f.inEvent.Store(false)
	do()
}

func (f *fakeStats) use(config unsafe.Pointer, what string, needsThread bool) (ok bool) {
	if f.freed[config] {
		f.offences = append(f.offences, what+" after free")
		return false
	}
	if needsThread && !f.inEvent.Load() {
		f.offences = append(f.offences, what+" on a thread that is not Envoy's")
	}
	return !(*fakeConfig)(config).gone.Load()
}

func (f *fakeStats) define(config unsafe.Pointer, kind stats.Kind, name string) (uint32, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.use(config, "define", true) {
		return 0, false
	}
	if before, known := f.kinds[name]; known && before != kind {
		f.offences = append(f.offences, "two kinds of "+name)
	}
	id := uint32(len(f.names)+1)<<2 | uint32(kind)
	f.names[id], f.kinds[name] = strings.Clone(name), kind
	return id, true
}

func (f *fakeStats) increment(config unsafe.Pointer, id uint32, offset int64) bool {
	if f.onIncrement != nil {
		f.onIncrement()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.use(config, "increment", false) {
		return false
	}
	if name := f.names[id]; f.kinds[name] == stats.Gauge || offset > 0 {
		f.values[name] += offset
	}
	return true
}

func (f *fakeStats) value(config unsafe.Pointer, id uint32) (uint64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.use(config, "value", false) {
		return 0, false
	}
	return uint64(f.values[f.names[id]]), true
}

func (f *fakeStats) record(config unsafe.Pointer, id uint32, value uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.use(config, "record", true) {
		return false
	}
	name := f.names[id]
	if f.samples[name] == nil {
		f.samples[name] = map[uint64]uint64{}
	}
	f.samples[name][value]++
	return true
}

func (f *fakeStats) finalize(config unsafe.Pointer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.freed[config] {
		f.offences = append(f.offences, "freed twice")
	}
	f.freed[config] = true
}

// forget is what Envoy does with the stats of a listener that is gone.
func (f *fakeStats) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.values)
}

// metricsTest is a process in an Envoy.
type metricsTest struct {
	*testing.T
	*fakeStats
	*plugin
	log []string // of the plugin
}

func newMetricsTest(t *testing.T) *metricsTest {
	f := newFakeStats()
	x := &metricsTest{T: t, fakeStats: f}
	x.plugin = newPlugin(func(_ host.Level, line string) { x.log = append(x.log, line) }, f)
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.offences) > 0 {
			t.Errorf("offences: %q", f.offences)
		}
	})
	return x
}

// open has Envoy read a config of the HTTP plugin.
func (x *metricsTest) open() (config *fakeConfig, d *door) {
	config = &fakeConfig{}
	x.event(func() { d = x.metrics.opened(unsafe.Pointer(config)) })
	return config, d
}

// close has Envoy let go of it.
func (x *metricsTest) close(config *fakeConfig, d *door) {
	config.gone.Store(true)
	x.metrics.closed(d)
}

// filter has Envoy read a config of the network filter.
func (x *metricsTest) filter(statPrefix string, own ...stats.Def) (s stats.Sink) {
	x.event(func() { s = x.metrics.sink(statPrefix, append(slices.Clone(stats.Table), own...)) })
	return s
}

func (x *metricsTest) want(name string, want int64) {
	x.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if got := x.values["rocketmq."+name]; got != want {
		x.Errorf("%s is %d, want %d", name, got, want)
	}
}

func TestEveryStatGetsItsNameAndKind(t *testing.T) {
	x := newMetricsTest(t)
	x.open()
	x.filter("demo")
	for _, def := range stats.Table {
		if kind, ok := x.kinds["rocketmq.demo."+def.Name]; !ok || kind != def.Kind {
			t.Errorf("%s: defined %v as %v, want %v", def.Name, ok, kind, def.Kind)
		}
	}
	if len(x.kinds) != len(stats.Table) {
		t.Errorf("%d stats, want %d", len(x.kinds), len(stats.Table))
	}
}

func TestTheOrderOfConfigsDoesNotMatter(t *testing.T) {
	for _, first := range []string{"network filter", "HTTP plugin"} {
		t.Run(first+" first", func(t *testing.T) {
			x := newMetricsTest(t)
			if first == "HTTP plugin" {
				x.open()
			}
			a, b := x.filter("a"), x.filter("b")
			a.Add(stats.Request, 3)
			a.Add(stats.DownstreamActive, 5)
			a.Add(stats.DownstreamActive, -1)
			b.Add(stats.Request, 1)
			if first != "HTTP plugin" {
				x.want("a.request", 0)
				x.open()
			}
			x.want("a.request", 3)
			x.want("a.downstream_active", 4)
			x.want("b.request", 1)
			late := x.filter("late")
			late.Add(stats.Panic, 1)
			x.want("late.panic", 1)
		})
	}
}

func TestConfigsWithOnePrefixAreOneSetOfStats(t *testing.T) {
	x := newMetricsTest(t)
	a, b := x.filter("demo"), x.filter("demo")
	a.Add(stats.DownstreamActive, 2)
	b.Add(stats.DownstreamActive, 3)
	x.open()
	a.Add(stats.DownstreamActive, -2)
	x.want("demo.downstream_active", 3)
}

func TestConfigsOfOnePrefixMayHaveStatsOfTheirOwn(t *testing.T) {
	x := newMetricsTest(t)
	own := func(name string) stats.Def { return stats.Def{Kind: stats.Counter, Name: name} }
	first := stats.ID(len(stats.Table))
	a := x.filter("demo", own("x"), own("y"))
	a.Add(first+1, 5)
	x.open()
	x.want("demo.y", 5)
	b := x.filter("demo", own("y"), own("z")) // a reload, with other rows
	a.Add(first, 1)
	a.Add(first+1, 1)
	b.Add(first, 1)
	b.Add(first+1, 3)
	b.Add(stats.Request, 2)
	for name, want := range map[string]int64{"x": 1, "y": 7, "z": 3, "request": 2} {
		x.want("demo."+name, want)
	}
	x.open()
	b.Add(first+1, 1)
	x.want("demo.z", 4)
	x.want("demo.y", 7)
}

func TestNothingIsUsedOfAConfigThatIsGone(t *testing.T) {
	for _, forgotten := range []bool{true, false} {
		t.Run(fmt.Sprintf("Envoy has forgotten its stats %v", forgotten), func(t *testing.T) {
			x := newMetricsTest(t)
			s := x.filter("demo")
			config, d := x.open()
			s.Add(stats.DownstreamActive, 5)
			s.Add(stats.Request, 5)
			x.close(config, d)
			if forgotten {
				x.forget()
			}
			s.Add(stats.DownstreamActive, -2)
			s.Add(stats.Request, 1)
			x.open()
			x.want("demo.downstream_active", 3)
			x.want("demo.request", 6)
		})
	}
}

func TestAnotherConfigTakesOverWithoutCountingTwice(t *testing.T) {
	x := newMetricsTest(t)
	s := x.filter("demo")
	oldConfig, old := x.open()
	s.Add(stats.Request, 5)
	newConfig, newer := x.open() // an update of the listener: both live for a while
	s.Add(stats.Request, 1)
	x.want("demo.request", 6)
	late := x.filter("late")
	x.close(newConfig, newer) // the update was rejected
	s.Add(stats.Request, 1)
	late.Add(stats.Request, 1)
	x.want("demo.request", 7)
	x.want("late.request", 1)
	x.open()
	x.close(oldConfig, old)
	s.Add(stats.Request, 1)
	x.want("demo.request", 8)
	x.want("late.request", 1)
}

func TestWhatOthersHaveAddedToAStatStays(t *testing.T) {
	x := newMetricsTest(t)
	s := x.filter("demo")
	x.open()
	s.Add(stats.DownstreamActive, 2)
	x.values["rocketmq.demo.downstream_active"] += 10 // Envoy's own, at a hot restart
	x.open()
	s.Add(stats.DownstreamActive, -1)
	x.want("demo.downstream_active", 11)
}

func TestAConfigMayBeGoneBeforeWeAreTold(t *testing.T) {
	x := newMetricsTest(t)
	s := x.filter("demo")
	oldConfig, old := x.open()
	newConfig, _ := x.open()
	newConfig.gone.Store(true)
	s.Add(stats.Request, 1)
	x.want("demo.request", 1) // by the older one
	oldConfig.gone.Store(true)
	s.Add(stats.Request, 1)
	s.Record(stats.RequestTimeMs, 1, 1)
	x.event(x.metrics.record)
	x.want("demo.request", 1)
	x.metrics.closed(old)
	x.open()
	x.want("demo.request", 2)
	x.event(x.metrics.record)
	if got := x.samples["rocketmq.demo.request_time_ms"][1]; got != 1 {
		t.Errorf("%d samples", got)
	}
}

func TestAConfigMayEndInsideOurCall(t *testing.T) {
	x := newMetricsTest(t)
	s := x.filter("demo")
	config, d := x.open()
	x.onIncrement = func() { // this thread was the last to hold it
		x.close(config, d)
		x.onIncrement = nil
	}
	s.Add(stats.Request, 1)
	x.open()
	x.want("demo.request", 1)
}

func TestMemoryOfAConfigIsFreedOnceNobodyCanUseIt(t *testing.T) {
	x := newMetricsTest(t)
	s := x.filter("demo")
	config, d := x.open()
	freed := func() bool {
		runtime.GC()
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.freed[unsafe.Pointer(config)]
	}
	for range 3 {
		if s.Add(stats.Request, 1); freed() {
			t.Fatal("freed while open")
		}
	}
	x.close(config, d)
	d = nil
	for limit := time.Now().Add(10 * time.Second); !freed(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("never freed")
		}
	}
	s.Add(stats.Request, 1)
	_ = d
}

func TestSamplesWaitForAnEvent(t *testing.T) {
	x := newMetricsTest(t)
	s := x.filter("demo")
	recorded := func() (n uint64) {
		for _, count := range x.samples["rocketmq.demo.request_time_ms"] {
			n += count
		}
		return n
	}
	s.Record(stats.RequestTimeMs, 7, 3)
	x.event(x.metrics.record)
	x.open()
	s.Record(stats.RequestTimeMs, 7, 1)
	s.Record(stats.RequestTimeMs, 9, 1)
	s.Record(stats.LongPollTimeMs, 15_000, 1)
	if recorded() != 0 {
		t.Error("recorded outside of an event")
	}
	x.event(x.metrics.record)
	if got := x.samples["rocketmq.demo.request_time_ms"]; got[7] != 4 || got[9] != 1 {
		t.Errorf("got %v", got)
	}
	if got := x.samples["rocketmq.demo.long_poll_time_ms"]; got[15_000] != 1 {
		t.Errorf("got %v", got)
	}
	s.Record(stats.RequestTimeMs, 8, 2*maxRecords+1)
	for _, want := range []uint64{5 + maxRecords, 5 + 2*maxRecords, 5 + 2*maxRecords + 1, 5 + 2*maxRecords + 1} {
		x.event(x.metrics.record)
		if got := recorded(); got != want {
			t.Errorf("%d samples, want %d: an event takes %d at most", got, want, maxRecords)
		}
	}
}

func TestConnectionsRecordSamplesInTheirEvents(t *testing.T) {
	x := newMetricsTest(t)
	x.open()
	s := x.filter("demo")
	envoy, _, filter := dial(t)
	connectionOf(filter).metrics = x.metrics
	filter.OnData(send(1), false)
	upstream := envoy.last()
	upstream.OnPoolReady(&fakeConnection{})
	for i, event := range []func(){
		func() { filter.OnData(send(2), false) },
		func() { upstream.OnData(answerTo(1), false) },
		func() { filter.OnEvent(api.RemoteClose) },
	} {
		s.Record(stats.RequestTimeMs, uint64(i), 1)
		x.event(event)
		if got := x.samples["rocketmq.demo.request_time_ms"][uint64(i)]; got != 1 {
			t.Errorf("event %d recorded %d samples", i, got)
		}
	}
}

func TestTheLackOfMetricsIsSaidOnceAndToTheFirstConnection(t *testing.T) {
	x := newMetricsTest(t)
	x.metrics.warnOnce() // as in a stock Envoy, where no sink is ours
	x.filter("a")
	x.open()
	x.filter("b")
	x.metrics.warnOnce()
	if len(x.log) != 0 {
		t.Errorf("logged %q", x.log)
	}
	x = newMetricsTest(t)
	x.filter("a")
	x.filter("b")
	for range 3 {
		x.metrics.warnOnce()
	}
	x.filter("c")
	x.metrics.warnOnce()
	if len(x.log) != 1 || !strings.Contains(x.log[0], StatsPluginName) {
		t.Errorf("logged %q", x.log)
	}
}

func TestNothingIsLostWhileConfigsComeAndGo(t *testing.T) {
	x := newMetricsTest(t)
	x.inEvent.Store(true)
	const adds = 2000
	var adders, events sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		s := x.metrics.sink("demo", stats.Table)
		adders.Go(func() {
			for range adds {
				s.Add(stats.Request, 1)
				s.Add(stats.DownstreamActive, 2)
				s.Add(stats.DownstreamActive, -1)
				s.Record(stats.RequestTimeMs, 1, 1)
			}
		})
	}
	events.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				x.metrics.record()
				runtime.Gosched()
			}
		}
	})
	for range 100 {
		config := &fakeConfig{}
		d := x.metrics.opened(unsafe.Pointer(config))
		runtime.Gosched()
		x.close(config, d)
	}
	adders.Wait()
	close(stop)
	events.Wait()
	x.metrics.opened(unsafe.Pointer(&fakeConfig{}))
	for x.metrics.waiting.Load() {
		x.metrics.record()
	}
	x.want("demo.request", 2*adds)
	x.want("demo.downstream_active", 2*adds)
	if got := x.samples["rocketmq.demo.request_time_ms"][1]; got != 2*adds {
		t.Errorf("%d samples", got)
	}
}

func TestAConfigThatTakesNoStatsIsNotUsed(t *testing.T) {
	x := newMetricsTest(t)
	s := x.filter("demo")
	config := &fakeConfig{}
	config.gone.Store(true)
	x.event(func() { x.metrics.opened(unsafe.Pointer(config)) })
	s.Add(stats.Request, math.MaxInt32)
	x.want("demo.request", 0)
	if len(x.log) != 1 {
		t.Errorf("logged %q", x.log)
	}
}
