// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/usage"
)

// ladder is one thing that there is little or much of.
type ladder struct {
	Name      string // "topics"
	target    bool   // measured with -quick, too
	Title     string // for tables
	levels    []int  // how much of it, ascending
	variants  []variant
	workloads []workload // what is measured at each level
	edits     func(level int, v variant) []edit
	brokers   func(level int) int // nil: one
	held      func(level int) int // long polls on each of the load's connections; nil: none
	prepare   func(*ground) error // nil: nothing to do
}

// scaleCell is the load at each level.
var scaleCell = cell{16, 1}

var ladders = []ladder{
	{
		Name: "connections", target: true, Title: "idle connections beside those of the load",
		levels: []int{1, 100, 1000, maxConnections()}, variants: []variant{tcpProxy, perBroker, unified}, workloads: []workload{send300},
		edits: func(_ int, v variant) []edit {
			if v == tcpProxy {
				return nil
			}
			return []edit{{"stat_prefix: demo\n", "stat_prefix: demo\n              limits: {max_source_percent: 100}\n"}} // all come from here
		},
		prepare: (*ground).idleConnections,
	},
	{
		Name: "topics", target: true, Title: "topics whose routes clients have asked for",
		levels: []int{10, 1000, 100_000}, variants: []variant{perBroker, unified}, workloads: []workload{send300, routes},
		prepare: (*ground).topics,
	},
	{
		Name: "brokers", Title: "brokers in a route",
		levels: []int{2, 100, 1000}, variants: []variant{perBroker, unified}, workloads: []workload{send300, routes},
		brokers: func(level int) int { return level },
		edits: func(level int, v variant) []edit {
			all := []edit{{nameServersLine, nameServersLine + "\n                refresh_interval: 1s"}}
			if v == perBroker {
				// Addresses for all; listeners for those that are not there are not needed.
				all = append(all, edit{"per_broker:\n", fmt.Sprintf("per_broker:\n"+
					"                  template: {advertised_host: 127.0.0.1, advertised_base_port: 50000, listener_base_port: 50000, numbers: %d}\n", level)})
			}
			return all
		},
		prepare: (*ground).refreshes,
	},
	{
		Name: "pending", Title: "long polls that wait on the load's connections",
		levels: []int{1, 1000, 100_000}, variants: []variant{perBroker, unified}, workloads: []workload{send300},
		held: func(level int) int { return level / scaleCell.Connections },
	},
	{
		Name: "routes", Title: "routes in route_config (prefixes, none of which fits)",
		levels: []int{1, 1000}, variants: []variant{unified}, workloads: []workload{send300},
		edits: func(level int, _ variant) []edit {
			var text strings.Builder
			text.WriteString("stat_prefix: demo\n                route_config:\n                  routes:\n")
			for i := range level {
				fmt.Fprintf(&text, "                  - {match: {topic: {prefix: team-%d-}}, route: {cluster: other}}\n", i)
			}
			return []edit{
				{"stat_prefix: demo\n", text.String()},
				// The stub answers on its broker's port, too.
				{nameServersLine, nameServersLine + "\n              - name: other\n                " + `name_servers: ["127.0.0.1:10911"]`},
			}
		},
	},
}

// maxConnections is 10,000, or as many as the filter lets in (docs/LIMITS.md) beside the load: two files for each, of three
// quarters.
func maxConnections() int {
	const wanted, load = 10_000, 100
	return min(wanted, int(openFiles())*3/4/2-load)
}

// openFiles is how many each of our children may open. Go raises its own limit, but not that of children unless told.
var openFiles = sync.OnceValue(func() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024 // what is usual
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	return limit.Cur
})

const nameServersLine = `name_servers: ["127.0.0.1:9876"]`

// ground is a path at one level of a ladder.
type ground struct {
	*path
	b     *benchmark
	level int
	crowd *partner // nil: none

	figures scaleFigures
}

// scaleFigures are found once, before the load. Zero: not measured.
type scaleFigures struct {
	RSS       float64 `json:"rss_mb"`                       // 10^6 bytes, of Envoy
	Heartbeat float64 `json:"heartbeat_cpu_us,omitempty"`   // Envoy's CPU for one
	Idle      float64 `json:"idle_cpu_cores,omitempty"`     // of Envoy while nobody asks for anything
	Learn     float64 `json:"first_route_cpu_us,omitempty"` // Envoy's CPU for the route of a topic not known before
	Refresh   float64 `json:"refresh_cpu_us,omitempty"`     // Envoy's CPU for one refresh, the second with nothing else included
}

// scaleRow is a path at one level.
type scaleRow struct {
	Ladder  string  `json:"ladder"`
	Level   int     `json:"level"`
	Variant variant `json:"variant"`
	scaleFigures
	Loads []scaleLoad `json:"loads"`
}

// scaleLoad is what a workload costs there.
type scaleLoad struct {
	Workload string `json:"workload"`
	CPU      spread `json:"cpu_us_per_request"`
	Growth   spread `json:"cpu_to_least_level"` // in the same round
	P99      spread `json:"p99_us"`
}

// climb measures one ladder. The Envoys of all levels live at the same time and take turns.
func (b *benchmark) climb(ctx context.Context, l ladder) ([]scaleRow, error) {
	var grounds []*ground
	defer func() {
		for _, g := range grounds {
			g.leave()
		}
	}()
	for _, level := range l.levels {
		for _, v := range l.variants {
			g := &ground{b: b, level: level}
			grounds = append(grounds, g)
			if err := g.enter(ctx, l, v); err != nil {
				return nil, fmt.Errorf("%d %s, %s: %w", level, l.Name, v, err)
			}
		}
	}
	loads := make([][][]measurement, len(l.workloads)) // by workload, round, ground
	rounds := b.opt.fewer(scaleRounds)
	for range rounds {
		for w := range l.workloads {
			loads[w] = append(loads[w], make([]measurement, len(grounds)))
		}
	}
	for i := range rounds {
		for w, work := range l.workloads {
			for _, k := range order(i, len(grounds)) {
				g, held, warmUp := grounds[k], 0, scaleWarmUp
				if l.held != nil {
					held = l.held(g.level)
					warmUp += time.Duration(held*scaleCell.Connections) * perHeld
				}
				var err error
				if loads[w][i][k], err = b.measure(ctx, g.path, work, scaleCell, held, warmUp, scaleWindow); err != nil {
					return nil, fmt.Errorf("%d %s: %w", g.level, l.Name, err)
				}
			}
		}
	}
	var rows []scaleRow
	for k, g := range grounds {
		r := scaleRow{Ladder: l.Name, Level: g.level, Variant: g.variant, scaleFigures: g.figures}
		for w, work := range l.workloads {
			over := func(f func(round []measurement) float64) spread {
				var values []float64
				for _, round := range loads[w] {
					values = append(values, f(round))
				}
				return spreadOf(values)
			}
			r.Loads = append(r.Loads, scaleLoad{
				Workload: work.Title,
				CPU:      over(func(round []measurement) float64 { return cpu(round[k]) }),
				Growth:   over(func(round []measurement) float64 { return cpu(round[k]) / cpu(round[k%len(l.variants)]) }),
				P99:      over(func(round []measurement) float64 { return p99(round[k]) }),
			})
		}
		rows = append(rows, r)
	}
	return rows, nil
}

const (
	scaleRounds = 4
	scaleWarmUp = 200 * time.Millisecond
	scaleWindow = 600 * time.Millisecond
	perHeld     = 20 * time.Microsecond // in which a long poll has gone through
	settle      = 1500 * time.Millisecond
)

// enter starts stub and path and brings them to their level.
func (g *ground) enter(ctx context.Context, l ladder, v variant) error {
	brokers := 1
	if l.brokers != nil {
		brokers = l.brokers(g.level)
	}
	stub, err := startStub(g.b.self, g.b.dir, brokers)
	if err != nil {
		return err
	}
	g.path = &path{stub: stub} // for leave
	var edits []edit
	if l.edits != nil {
		edits = l.edits(g.level, v)
	}
	p, err := g.b.startPath(ctx, v, stub, 1, edits...)
	if err != nil {
		return err
	}
	g.path = p
	if l.prepare != nil {
		if err := l.prepare(g); err != nil {
			return p.envoy.Failure(err)
		}
	}
	if g.figures.RSS == 0 {
		time.Sleep(settle)
		g.figures.RSS, err = g.rss()
	}
	return err
}

// leave ends what enter began, as far as it came.
func (g *ground) leave() {
	if g.crowd != nil {
		_ = g.crowd.Stop()
	}
	if g.path != nil {
		g.stop()
		_ = g.stub.Stop()
	}
}

// rss is Envoy's resident memory in units of 10^6 bytes.
func (g *ground) rss() (float64, error) {
	u, err := usage.Of(g.envoy.Pid())
	return float64(u.RSS) / 1e6, err
}

// spent is the CPU that Envoy uses while f works, in microseconds.
func (g *ground) spent(f func() error) (float64, error) {
	before, err := usage.Of(g.envoy.Pid())
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := usage.Of(g.envoy.Pid())
	return micros(after.Since(before).CPU), err
}

// aftermath is when the proxy has done what a connection and a heartbeat leave to be done: looking at what is past
// its deadline, 2.5 s later at most.
const aftermath = 3500 * time.Millisecond

// idleConnections opens as many connections as the level says. Each is a client's that has registered.
func (g *ground) idleConnections() (err error) {
	var n int
	g.crowd, err = startPartner(g.b.self, g.b.dir, &n, "crowd", "-addr", g.addr.String(), "-connections", strconv.Itoa(g.level))
	if err != nil {
		return err
	}
	time.Sleep(aftermath)
	if g.figures.RSS, err = g.rss(); err != nil {
		return err
	}
	idle, err := g.spent(func() error { time.Sleep(time.Second); return nil })
	if err != nil {
		return err
	}
	g.figures.Idle = idle / 1e6
	all, err := g.spent(func() error {
		defer time.Sleep(aftermath)
		return g.crowd.answer(&n)
	})
	g.figures.Heartbeat = all / float64(g.level)
	return err
}

// topics asks for the routes of as many topics as the level says.
func (g *ground) topics() error {
	const clients = "16"
	var n int
	asking, err := startPartner(g.b.self, g.b.dir, &n, "crowd",
		"-addr", g.nameServer.String(), "-connections", clients, "-topics", strconv.Itoa(g.level))
	if err != nil {
		return err
	}
	defer asking.Stop()
	all, err := g.spent(func() error { return asking.answer(&n) })
	g.figures.Learn = all / float64(g.level)
	return err
}

// refreshes measures those of the directory, of which there is one a second.
func (g *ground) refreshes() error {
	const seconds = 3
	all, err := g.spent(func() error { time.Sleep(seconds * time.Second); return nil })
	g.figures.Refresh = all / seconds
	return err
}
