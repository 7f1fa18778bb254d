// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/bench/load"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/usage"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{9, 1, 2}, spread{2, 1, 9}},
		{[]float64{4, 1, 3, 2}, spread{2.5, 1, 4}},
	} {
		before := slices.Clone(c.values)
		if got := spreadOf(c.values); got != c.want || !slices.Equal(c.values, before) {
			t.Errorf("spread of %v is %+v, want %+v", before, got, c.want)
		}
	}
}

// second makes a measurement of one second.
func second(answers int64, p99, cpu time.Duration) measurement {
	return measurement{
		Total: answers, Answers: answers, AnswerBytes: answers * 500, Window: time.Second,
		P50: p99 / 2, P99: p99, P999: p99 * 2,
		Envoy: &usage.Usage{CPU: cpu, Switches: uint64(answers) / 2, RSS: 70e6},
		Stub:  usage.Usage{CPU: time.Second / 4}, Load: usage.Usage{CPU: time.Second / 2}, Others: time.Second / 8,
	}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	variants := []variant{perBroker, tcpProxy}
	const ms = time.Millisecond
	// The machine slows down from round to round; ours is 10 % behind in two rounds, and 50 % in one.
	rows := summarize(point{Concurrency: 1, Workload: "w", cell: cell{16, 1}}, variants, [][]measurement{
		{second(9_000, 2*ms, 900*ms), second(10_000, ms, 1000*ms)},
		{second(4_000, 3*ms, 800*ms), second(8_000, ms, 800*ms)},
		{second(1_800, 2*ms, 360*ms), second(2_000, 2*ms, 200*ms)},
	})
	near := func(what string, got, want spread) {
		t.Helper()
		for _, pair := range [][2]float64{{got.Median, want.Median}, {got.Min, want.Min}, {got.Max, want.Max}} {
			if math.Abs(pair[0]-pair[1]) > 1e-9 {
				t.Errorf("%s: %+v, want %+v", what, got, want)
				return
			}
		}
	}
	ours, yardstick := rows[0], rows[1]
	near("requests per second", ours.Rate, spread{4_000, 1_800, 9_000})
	near("ratio of requests per second", ours.Ratios.Rate, spread{0.9, 0.5, 0.9})
	near("ratio of p99", ours.Ratios.P99, spread{2, 1, 3})
	near("CPU", ours.Envoy.CPU, spread{200, 100, 200})
	near("ratio of CPU", *ours.Ratios.CPU, spread{2, 1, 2})
	near("ratio of the yardstick", *yardstick.Ratios.CPU, spread{1, 1, 1})
	near("switches", ours.Envoy.Switches, spread{0.5, 0.5, 0.5})
	near("RSS", ours.Envoy.RSS, spread{70, 70, 70})
	near("stub", ours.Harness.Stub, spread{0.25, 0.25, 0.25})
	near("bandwidth", yardstick.Bandwidth, spread{4, 1, 5})
	if len(ours.Rounds) != 3 || ours.Rounds[1].Answers != 4_000 || ours.Variant != perBroker || ours.Connections != 16 {
		t.Errorf("row %+v", ours)
	}
}

func TestDirectHasNoEnvoyAndNoYardstickMeansNoRatios(t *testing.T) {
	m := second(100, time.Millisecond, 0)
	m.Envoy = nil
	rows := summarize(point{Workload: "w"}, []variant{direct}, [][]measurement{{m}})
	if rows[0].Envoy != nil || rows[0].Ratios != nil {
		t.Errorf("row %+v", rows[0])
	}
	r := syntheticReport{Rows: rows}
	if text := r.markdown(); !strings.Contains(text, "| 0×0 | direct | 100 [100-100] | 500 | 1000 | 2000 | – |") {
		t.Error(text)
	}
	rows = summarize(point{}, []variant{direct, tcpProxy}, [][]measurement{{m, second(50, time.Millisecond, 1)}})
	if q := rows[0].Ratios; q == nil || q.CPU != nil || q.Rate.Median != 2 {
		t.Errorf("ratios %+v", q)
	}
}

func TestEveryPathComesFirstAndLast(t *testing.T) {
	const paths = 4
	first, last := map[int]bool{}, map[int]bool{}
	for i := range 2 * paths {
		all := order(i, paths)
		first[all[0]], last[all[paths-1]] = true, true
		slices.Sort(all)
		if !slices.Equal(all, []int{0, 1, 2, 3}) {
			t.Errorf("round %d: %v", i, all)
		}
	}
	if len(first) != paths || len(last) != paths {
		t.Errorf("first %v, last %v", first, last)
	}
}

func TestUseWithinAWindow(t *testing.T) {
	at := func(machine, self, stub, envoy time.Duration) edge {
		return edge{machine: machine, used: []usage.Usage{{CPU: self}, {CPU: stub}, {CPU: envoy, Switches: uint64(envoy), RSS: uint64(envoy)}}}
	}
	r := &load.Result{Total: 10, Answers: 8, Window: 100}
	m, err := combine(r, [2]edge{at(1000, 10, 20, 30), at(1500, 110, 140, 230)})
	if err != nil {
		t.Fatal(err)
	}
	if m.Load.CPU != 100 || m.Stub.CPU != 120 || *m.Envoy != (usage.Usage{CPU: 200, Switches: 200, RSS: 230}) || m.Others != 80 {
		t.Errorf("got %+v, Envoy %+v", m, m.Envoy)
	}
	if _, err := combine(&load.Result{}, [2]edge{}); err == nil {
		t.Error("a window without an answer is no error")
	}
}

func TestConfigsGetTheirPorts(t *testing.T) {
	stub := stubAddresses{netip.MustParseAddrPort("127.0.0.1:40001"), netip.MustParseAddrPort("127.0.0.1:40002")}
	for v, want := range map[variant]struct {
		load uint16
		has  []string
	}{
		tcpProxy:  {50003, []string{"port_value: 40001", "port_value: 50001", "port_value: 50003"}},
		perBroker: {50003, []string{"127.0.0.1:40002", "listener_port: 50003", `"127.0.0.1:50003"`, "port_value: 50001"}},
		unified:   {50002, []string{"127.0.0.1:40002", "port_value: 50002", "port_value: 50001"}},
	} {
		next := 50000
		config, err := v.config("../..", stub, func() (int, error) { next++; return next, nil })
		if err != nil {
			t.Fatal(err)
		}
		if config.load.Port() != want.load || config.admin.Port() != 50001 {
			t.Errorf("%s: ports %+v", v, config)
		}
		for _, text := range want.has {
			if !strings.Contains(config.yaml, text) {
				t.Errorf("%s: config has no %q", v, text)
			}
		}
	}
	next := 50000
	two, err := tcpProxy.config("../..", stub, func() (int, error) { next++; return next, nil }, secondBroker(netip.MustParseAddrPort("127.0.0.1:40003"))...)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"port_value: 40003", "port_value: 50004", "cluster: other", "name: other", "port_value: 40001", "port_value: 50003"} {
		if got, want := strings.Count(two.yaml, text), 1; got < want {
			t.Errorf("config of two brokers has no %q:\n%s", text, two.yaml)
		}
	}
	if two.load.Port() != 50003 || two.other.Port() != 50004 {
		t.Errorf("ports %+v", two)
	}
	if _, err := replacePorts("port 19876 and 1.987", map[int]int{9876: 1}, []int{9876}); err == nil {
		t.Error("a part of a number is taken for a port")
	}
}

func TestFilterRequests(t *testing.T) {
	const stats = "cluster.x.request: 1\nrocketmq.demo.request_active: 2\nrocketmq.demo.request: 4711\nrocketmq.demo.request_code.request: 3\n"
	if got := filterRequests(stats); got != 4711 {
		t.Errorf("got %d", got)
	}
	if got := filterRequests(""); got != 0 {
		t.Errorf("got %d", got)
	}
}

func TestOptions(t *testing.T) {
	usual, err := parseOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(usual.cells) != 6 || len(usual.workloads) != 2 || usual.rounds != 5 || len(usual.parts) != 4 || usual.quick || usual.force || usual.partial {
		t.Errorf("%+v", usual)
	}
	full, err := parseOptions([]string{"-full"})
	if err != nil || len(full.cells) != 8 || len(full.workloads) != 4 || !slices.Equal(full.concurrency, []int{1, 2}) || full.partial {
		t.Errorf("%+v, %v", full, err)
	}
	slow, err := parseOptions([]string{"-quick=0"})
	if err != nil || slow.quick || slow.partial || slow.rounds != 5 {
		t.Errorf("%+v, %v", slow, err)
	}
	quick, err := parseOptions([]string{"-quick=1", "-parts=scale,micro"})
	if err != nil {
		t.Fatal(err)
	}
	if len(quick.parts) != 2 || quick.parts[0].name != "scale" || quick.rounds != 3 || len(quick.variants) != 3 || !quick.partial ||
		quick.command != "go run ./test/bench -quick=1 -parts=scale,micro" {
		t.Errorf("%+v", quick)
	}
	chosen, err := parseOptions([]string{"-quick", "-cells", "2x3", "-rounds", "7", "-concurrency", "1,2", "-base-modules", "x"})
	if err != nil || !slices.Equal(chosen.cells, []cell{{2, 3}}) || chosen.rounds != 7 || !slices.Equal(chosen.concurrency, []int{1, 2}) ||
		!slices.Equal(chosen.variants, []variant{tcpProxy, perBroker, unified, basePerBroker, baseUnified}) {
		t.Errorf("%+v, %v", chosen, err)
	}
	for _, bad := range [][]string{
		{"-cells", "16"}, {"-cells", "0x1"}, {"-variants", "tls"}, {"-workloads", "x"}, {"-rounds", "0"}, {"-concurrency", "-1"}, {"-parts", "x"}, {"more"},
	} {
		if _, err := parseOptions(bad); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func TestScaleVerdicts(t *testing.T) {
	at := func(level int, v variant, rss, growth float64) scaleRow {
		return scaleRow{Ladder: "connections", Level: level, Variant: v, scaleFigures: scaleFigures{RSS: rss}, Loads: []scaleLoad{{Growth: spread{growth, growth, growth}}}}
	}
	r := &scaleReport{Rows: []scaleRow{
		at(1, tcpProxy, 60, 1), at(1, perBroker, 80, 1), at(1, unified, 86, 1),
		at(1001, tcpProxy, 70.24, 1), at(1001, perBroker, 97.408, 1.05), at(1001, unified, 107, 1.2),
	}}
	var got bytes.Buffer
	printVerdicts(&got, r.verdicts())
	want := `target memory of plugin and host, per-broker: measured 20.0 MB goal ≤ 25 MB MET
target memory of plugin and host, unified: measured 26.0 MB goal ≤ 25 MB MISSED
target memory of an idle connection above tcp_proxy's, per-broker, 1001 of them: measured 7.0 KiB goal ≤ 8 KiB MET
target CPU per request with 1001 connections to that with 1, per-broker: measured 1.05 [1.05-1.05] goal ≤ 1.10 MET
target memory of an idle connection above tcp_proxy's, unified, 1001 of them: measured 10.5 KiB goal ≤ 8 KiB MISSED
target CPU per request with 1001 connections to that with 1, unified: measured 1.20 [1.20-1.20] goal ≤ 1.10 MISSED
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestRealVerdicts(t *testing.T) {
	at := func(v variant, rate, cpu, p50, endToEnd float64) realRow {
		return realRow{Variant: v, P50: spread{Median: p50}, EndToEndP50: endToEnd, Rounds: []realMeasurement{{Rate: rate, CPU: cpu}}}
	}
	r := &realReport{Rows: []realRow{
		at(direct, 4000, 0, 300, 500), at(rocketmqProxy, 2000, 100, 700, 1300), at(perBroker, 3900, 20, 350, 500), at(unified, 3000, 30, 420, 800),
	}}
	var got bytes.Buffer
	printVerdicts(&got, r.verdicts())
	want := `target messages/s to RocketMQ Proxy's, per-broker: measured 1.95 [1.95-1.95], of direct 0.97 [0.97-0.97] goal ≥ 3.00, or ≥ 0.95 of direct MET
target CPU per message to RocketMQ Proxy's, per-broker: measured 0.20 [0.20-0.20] goal ≤ 0.20 MET
target added latency (send RT, p50) to RocketMQ Proxy's, per-broker: measured 50 µs of 400 µs goal ≤ 0.25 MET
target added latency (end to end, p50) to RocketMQ Proxy's, per-broker: measured 0 µs of 800 µs goal ≤ 0.25 MET
target messages/s to RocketMQ Proxy's, unified: measured 1.50 [1.50-1.50], of direct 0.75 [0.75-0.75] goal ≥ 3.00, or ≥ 0.95 of direct MISSED
target CPU per message to RocketMQ Proxy's, unified: measured 0.30 [0.30-0.30] goal ≤ 0.20 MISSED
target added latency (send RT, p50) to RocketMQ Proxy's, unified: measured 120 µs of 400 µs goal ≤ 0.25 MISSED
target added latency (end to end, p50) to RocketMQ Proxy's, unified: measured 300 µs of 800 µs goal ≤ 0.25 MISSED
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestMicroBenchmarksAreRead(t *testing.T) {
	found, err := parseExchanges(`goos: linux
BenchmarkExchange/chained/send/16-2         	   72043	     16628 ns/op	      1039 ns/request	       0 B/op	       0 allocs/op
BenchmarkExchange/unified/pull/1     	  500000	      2400 ns/op	      2400 ns/request	      27 B/op	       1 allocs/op
PASS
`)
	want := map[string]microResult{"chained/send/16": {1039, 0}, "unified/pull/1": {2400, 1}}
	if err != nil || !maps.Equal(found, want) {
		t.Errorf("got %v, %v; want %v", found, err, want)
	}
	if _, err := parseExchanges("PASS"); err == nil {
		t.Error("nothing is no error")
	}
}

func TestMicroVerdicts(t *testing.T) {
	exactly := func(v float64) spread { return spread{v, v, v} }
	r := &microReport{
		Rows: []microRow{
			{Name: "chained/send/1", Time: exactly(500), WithoutStats: exactly(400)},
			{Name: "unified/send/16", Time: exactly(500), WithoutStats: exactly(400), Allocations: 1},
		},
		envoy: map[string]float64{"unified/send/16": 2100},
	}
	var got bytes.Buffer
	printVerdicts(&got, r.verdicts())
	want := `target allocations of frames that pass, chained/send/1: measured 0 goal 0 MET
target allocations of frames that pass, unified/send/16: measured 1 goal 0 MISSED
target CPU per request with stats to that without, unified/send/16: measured 1.050 goal ≤ 1.02 MISSED
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestMethodsAreEmptied(t *testing.T) {
	got, err := emptyMethods([]byte("package p\n\ntype T struct{ n int }\n\nfunc (t *T) Inc() { t.n++ }\n\nfunc (t *T) N() int { return t.n }\n\nfunc F() { println() }\n"), "T")
	want := "package p\n\ntype T struct{ n int }\n\nfunc (t *T) Inc() {}\n\nfunc (t *T) N() int { return t.n }\n\nfunc F() { println() }\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := emptyMethods([]byte("package p"), "T"); err == nil {
		t.Error("nothing to empty is no error")
	}
}

func TestAPageKeepsThePartsThatWereNotMeasured(t *testing.T) {
	real := &realReport{Rows: []realRow{{Variant: unified, Rate: spread{Median: 4711}}}}
	first := (&report{Command: "one", Parts: map[string]finding{"real": real}}).page("")
	if !strings.Contains(first, "## Many connections, topics, brokers\n\nNot measured yet.") || !strings.Contains(first, "`one`") {
		t.Fatal(first)
	}
	second := (&report{Command: "two", Parts: map[string]finding{"scale": &scaleReport{}, "micro": &microReport{}}}).page(first)
	for text, want := range map[string]int{
		"`one`": 1, "`two`": 1, "## Real brokers and clients": 1, "## Many connections, topics, brokers": 1, "Not measured yet.": 1, "4711": 1,
	} {
		if got := strings.Count(second, text); got != want {
			t.Errorf("%q occurs %d times, want %d, in\n%s", text, got, want, second)
		}
	}
}

func TestAMatrixHasWhatWasMeasured(t *testing.T) {
	row := microRow{Name: "chained/send/1"}
	matrix := (&report{Command: "one", Parts: map[string]finding{"micro": &microReport{Rows: []microRow{row}}}}).matrix()
	for text, want := range map[string]int{"## Micro": 1, "## Scale": 0, "| command | `one` |": 1, "chained/send/1": 2} {
		if got := strings.Count(matrix, text); got != want {
			t.Errorf("%q occurs %d times, want %d, in\n%s", text, got, want, matrix)
		}
	}
}

func TestThePageOfARun(t *testing.T) {
	exactly := func(v float64) spread { return spread{v, v, v} }
	used := exactly(21)
	at := func(level int, v variant, rss, growth float64) scaleRow {
		return scaleRow{Ladder: "connections", Level: level, Variant: v, scaleFigures: scaleFigures{RSS: rss}, Loads: []scaleLoad{{Growth: exactly(growth)}}}
	}
	page := (&report{Command: "one", Parts: map[string]finding{
		"real": &realReport{Rows: []realRow{
			{Variant: direct, Rate: exactly(4912), P50: exactly(1215), P99: exactly(14335), EndToEndP50: 1919},
			{Variant: perBroker, Rate: exactly(4412), CPU: &used, P50: exactly(1375), P99: exactly(13823), EndToEndP50: 2047},
		}},
		"synthetic": &syntheticReport{Rows: []row{{
			point: point{1, send300.Title, cell{16, 1}}, Variant: perBroker, Ratios: &ratios{Rate: exactly(0.88), CPU: &used, P99: exactly(1.2)},
		}}},
		"scale": &scaleReport{Rows: []scaleRow{
			at(1, tcpProxy, 60, 1), at(1, perBroker, 80, 1), at(1, unified, 86, 1),
			at(1001, tcpProxy, 70.24, 1), at(1001, perBroker, 97.408, 1.05), at(1001, unified, 107, 1.2),
		}},
	}}).page("")
	for _, line := range []string{
		"| direct | 4912 | – | 1.2 ms | 14.3 ms | 1.9 ms |",
		"| per-broker | 4412 | 0.021 s | 1.4 ms | 13.8 ms | 2.0 ms |",
		"| sends of 300 B, 16 connections | 0.88 · 21.00 · 1.20 | – |",
		"| 1001 connections, with tcp_proxy 10.0 KiB each | 1.05, 17.0 KiB each | 1.20, 20.5 KiB each |",
		"Targets met: 3 of 6.",
	} {
		if !strings.Contains(page, line) {
			t.Errorf("the page lacks %q:\n%s", line, page)
		}
	}
}

func TestThePictureHasABarForEachProxy(t *testing.T) {
	used := spread{Median: 263}
	picture := (&realReport{Rows: []realRow{
		{Variant: direct, P50: spread{Median: 1215}}, {Variant: rocketmqProxy, CPU: &used, P50: spread{Median: 1759}},
	}}).picture()
	for _, want := range []string{">0.263 s<", ">544 µs<", ">RocketMQ Proxy<"} {
		if !strings.Contains(picture, want) {
			t.Errorf("no %s in\n%s", want, picture)
		}
	}
}

func TestTargets(t *testing.T) {
	ratio := func(rate, cpu, p99 float64) *ratios {
		return &ratios{Rate: spread{Median: rate}, CPU: &spread{Median: cpu}, P99: spread{Median: p99}}
	}
	at := func(v variant, w workload, connections, inFlight int, q *ratios) row {
		return row{point: point{Workload: w.Title, cell: cell{connections, inFlight}}, Variant: v, Ratios: q}
	}
	r := &syntheticReport{Rows: []row{
		at(tcpProxy, send300, 1, 1, ratio(1, 1, 1)), // the yardstick has none
		at(perBroker, send300, 1, 1, ratio(0.99, 1.15, 1.2)),
		at(unified, send300, 16, 16, ratio(0.95, 1.31, 1)),
		at(perBroker, pull64k, 16, 1, ratio(0.97, 1, 1)),
		at(perBroker, send300, 1, 1, nil),
	}}
	var got bytes.Buffer
	printVerdicts(&got, r.verdicts())
	want := `target throughput, per-broker, 1×1, SEND_MESSAGE_V2, body of 300 B: measured 0.99 [0.00-0.00] goal ≥ 1.00 MISSED
target CPU, per-broker, 1×1, SEND_MESSAGE_V2, body of 300 B: measured 1.15 [0.00-0.00] goal ≤ 1.15 MET
target p99, per-broker, 1×1, SEND_MESSAGE_V2, body of 300 B: measured 1.20 [0.00-0.00] goal ≤ 1.15 MISSED
target throughput, unified, 16×16, SEND_MESSAGE_V2, body of 300 B: measured 0.95 [0.00-0.00] goal ≥ 0.95 MET
target CPU, unified, 16×16, SEND_MESSAGE_V2, body of 300 B: measured 1.31 [0.00-0.00] goal ≤ 1.30 MISSED
target p99, unified, 16×16, SEND_MESSAGE_V2, body of 300 B: measured 1.00 [0.00-0.00] goal ≤ 1.15 MET
target bandwidth of 64 KiB answers, per-broker, 16×1, PULL_MESSAGE, answers with a body of 64 KiB: measured 0.97 [0.00-0.00] goal ≥ 0.97 MET
target CPU, per-broker, 16×1, PULL_MESSAGE, answers with a body of 64 KiB: measured 1.00 [0.00-0.00] goal ≤ 1.15 MET
target p99, per-broker, 16×1, PULL_MESSAGE, answers with a body of 64 KiB: measured 1.00 [0.00-0.00] goal ≤ 1.15 MET
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
