// SPDX-License-Identifier: Apache-2.0

// Command interop runs a matrix of RocketMQ's features, clients and ways through the proxy, with real brokers and
// real clients, and holds every outcome against the table in expect.go. `make interop`.
//
// There is one world per mode: without a proxy ("direct", so that a client's own failures show), with an address per
// broker, with one address for all. In it each client is one process that runs its scenarios, several at once, and
// prints what became of each (test/java/interop and test/interop/goclient). The process is watched: but for the
// scenarios that use addresses stored in messages, it may have no connection to a broker or name server.
//
// A full run writes docs/COMPATIBILITY.md. The exit status is 0 only if nothing came out unexpected.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// allModes in the order of the columns.
var allModes = []world.Mode{world.NoProxy, world.PerBroker, world.Unified}

// modeName is what users read.
func modeName(m world.Mode) string {
	if m == world.NoProxy {
		return "direct"
	}
	return string(m)
}

type options struct {
	modes     []world.Mode
	clients   []*client
	scenarios []string // empty: all
	moduleDir string
	jvms      int
	keep      bool
}

// full tells whether the run covers the whole matrix, and may be written down.
func (o options) full() bool {
	return len(o.modes) == len(allModes) && len(o.clients) == len(allClients) && len(o.scenarios) == 0
}

func main() {
	o, err := parse()
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failures, err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
	if failures > 0 {
		os.Exit(1)
	}
}

func parse() (options, error) {
	o := options{}
	modes := flag.String("modes", "direct,per-broker,unified", "ways to the brokers, separated by commas")
	clients := flag.String("clients", "", "clients by id, separated by commas; all if empty: "+strings.Join(clientIDs(), ","))
	scenarios := flag.String("scenarios", "", "scenarios by id, separated by commas; all if empty")
	flag.StringVar(&o.moduleDir, "module-dir", "", "folder of the filter's two .so files (out)")
	flag.IntVar(&o.jvms, "jvms", 2, "Java clients at a time")
	flag.BoolVar(&o.keep, "keep", false, "leave the worlds' folders, with all logs")
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("unexpected %q", flag.Args())
	}
	for name := range strings.SplitSeq(*modes, ",") {
		i := slices.IndexFunc(allModes, func(m world.Mode) bool { return modeName(m) == name })
		if i < 0 {
			return o, fmt.Errorf("mode %q is unknown", name)
		}
		o.modes = append(o.modes, allModes[i])
	}
	for id := range strings.SplitSeq(*clients, ",") {
		i := slices.IndexFunc(allClients, func(c *client) bool { return c.id == id })
		switch {
		case *clients == "":
			o.clients = allClients
		case i < 0:
			return o, fmt.Errorf("client %q is unknown: want some of %s", id, strings.Join(clientIDs(), ","))
		default:
			o.clients = append(o.clients, allClients[i])
		}
	}
	if *scenarios != "" {
		o.scenarios = strings.Split(*scenarios, ",")
		for _, s := range o.scenarios {
			if !slices.ContainsFunc(allScenarios, func(have scenario) bool { return have.id == s }) {
				return o, fmt.Errorf("scenario %q is unknown", s)
			}
		}
	}
	return o, nil
}

// run does all modes and returns how many outcomes were unexpected.
func run(ctx context.Context, o options) (int, error) {
	begin := time.Now()
	if err := fetch(ctx, o.clients); err != nil {
		return 0, err
	}
	results := newResults()
	for _, mode := range o.modes {
		if err := runMode(ctx, o, mode, results); err != nil {
			return 0, fmt.Errorf("%s: %w", modeName(mode), err)
		}
	}
	sum := results.sum()
	if o.full() {
		if err := writeMarkdown(results, o); err != nil {
			return 0, err
		}
	}
	printFailures(os.Stdout, results)
	fmt.Printf("interop: %d impossible, %s\n", sum.impossible, time.Since(begin).Round(time.Second))
	fmt.Printf("interop: %d works, %d refused as documented, %d FAIL\n", sum.works, sum.refused, sum.fail)
	return sum.fail, nil
}
