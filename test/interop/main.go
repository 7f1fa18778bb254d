// SPDX-License-Identifier: Apache-2.0

// Command interop runs a matrix of RocketMQ's features, clients and ways through the proxy, with real brokers and
// real clients, and holds every outcome against the table in expect.go. `make interop`.
//
// The ways are without a proxy ("direct", so that a client's own failures show), with an address per broker, with one
// address for all, side by side in one world; scenarios that need other brokers or listeners have a world of their own
// (setting.go). For each way each client is one process that runs its scenarios, several at once, and prints what became
// of each (test/java/interop and test/interop/goclient). The process is watched: but for the scenarios that use
// addresses stored in messages, it may have no connection to a broker or name server.
//
// A full run writes docs/COMPATIBILITY.md. With -sample it is the representative part that `make test` runs, and ends
// with "N passed, N failed". The exit status is 0 only if nothing came out unexpected.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/command"
)

type options struct {
	ways      []way
	clients   []*client
	scenarios []string // empty: all
	sample    bool
	moduleDir string
	jvms      int
	keep      bool
}

// full tells whether the run covers the whole matrix, and may be written down.
func (o options) full() bool {
	return len(o.ways) == len(allWays) && len(o.clients) == len(allClients) && len(o.scenarios) == 0
}

func main() { command.Main("interop", parseOptions, run) }

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("interop", flag.ContinueOnError)
	ways := f.String("ways", "direct,per-broker,unified", "ways to the brokers, separated by commas")
	clients := f.String("clients", strings.Join(clientIDs(), ","), "clients by id, separated by commas")
	scenarios := f.String("scenarios", "", "scenarios by id, separated by commas; all if empty")
	f.BoolVar(&o.sample, "sample", false, "the part of the matrix that make test runs, whatever the flags above say")
	f.StringVar(&o.moduleDir, "module-dir", "", "folder of the filter's two .so files (out)")
	f.IntVar(&o.jvms, "jvms", 2, "Java clients at a time")
	f.BoolVar(&o.keep, "keep", false, "leave the worlds' folders, with all logs")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected %q", f.Args())
	}
	if o.sample {
		*ways, *clients, *scenarios = "direct,per-broker,unified", strings.Join(sampleClients, ","), strings.Join(sampleScenarios, ",")
	}
	for name := range strings.SplitSeq(*ways, ",") {
		if !slices.Contains(allWays, way(name)) {
			return o, fmt.Errorf("way %q is unknown: want some of %v", name, allWays)
		}
		o.ways = append(o.ways, way(name))
	}
	for id := range strings.SplitSeq(*clients, ",") {
		i := slices.IndexFunc(allClients, func(c *client) bool { return c.id == id })
		if i < 0 {
			return o, fmt.Errorf("client %q is unknown: want some of %s", id, strings.Join(clientIDs(), ","))
		}
		o.clients = append(o.clients, allClients[i])
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

// run does all settings and returns how many outcomes were unexpected.
func run(ctx context.Context, o options) (int, error) {
	begin := time.Now()
	if err := fetch(ctx, o); err != nil {
		return 0, err
	}
	print := printResult
	if o.sample {
		print = func(result) {} // the failures come at the end
	}
	results := newResults(print)
	for _, s := range allSettings {
		if err := runSetting(ctx, o, s, results); err != nil {
			return 0, fmt.Errorf("%s: %w", s.id, err)
		}
	}
	sum := results.sum()
	if o.full() {
		if err := writeMarkdown(results, o); err != nil {
			return 0, err
		}
	}
	printFailures(os.Stdout, results)
	if o.sample {
		fmt.Printf("%d passed, %d failed\n", sum.works+sum.refused+sum.impossible, sum.fail)
		return sum.fail, nil
	}
	fmt.Printf("interop: %d impossible, %s\n", sum.impossible, time.Since(begin).Round(time.Second))
	fmt.Printf("interop: %d works, %d refused as documented, %d FAIL\n", sum.works, sum.refused, sum.fail)
	return sum.fail, nil
}
