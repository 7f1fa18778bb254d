// SPDX-License-Identifier: Apache-2.0

// Chaos breaks one thing after the other under a RocketMQ of two brokers and an Envoy with per-broker and unified listeners,
// while real Java clients send and consume: one after the other, in order, in transactions, and beside them a pair that
// goes directly, to compare with. `make chaos`, or `make chaos QUICK=1` for less than five minutes.
//
// After each fault everything that was acknowledged must have been consumed, ordered messages in their order; on no
// connection, of clients to Envoy and of anybody to a broker, may an answer have come that was not asked for there; Envoy's
// log may have no line of level error; and sends may have failed only where the fault explains it. How soon each way is
// there again is noted beside the direct clients', and not judged. At the end, when everybody has gone, every gauge must be 0.
//
// The faults come in an order, and hit brokers, that follow from the seed, which is printed. The last line is
// "chaos: N faults, N violations"; the exit status is 0 only without violations.
package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/command"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/fault"
)

type options struct {
	command.Tested
	faults   []fault.Fault
	shuffle  bool
	seed     uint64
	rate     int
	interval time.Duration
	out      string
	keep     bool
}

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	quick := f.Bool("quick", false, "only the most telling faults")
	names := f.String("faults", "", "faults by name, separated by commas, in this order; list says which there are (default: all, in an order by the seed)")
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all choices")
	f.IntVar(&o.rate, "rate", 20, "messages per second of each producer")
	f.DurationVar(&o.interval, "interval", 3*time.Second, "how often clients ask for routes, say that they live and share out queues: short, so that what takes long is not their waiting; 0: as by default")
	f.StringVar(&o.out, "out", "out/chaos", "folder for chaos.md, the table of times")
	o.Flags(f)
	f.BoolVar(&o.keep, "keep", false, "leave the folder with all logs")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rate < 1 {
		return o, fmt.Errorf("unexpected arguments %q, or a rate below 1", f.Args())
	}
	switch {
	case *names == "list":
		for _, each := range fault.All {
			fmt.Println(each.Name)
		}
		return o, flag.ErrHelp
	case *names != "":
		var err error
		o.faults, err = fault.Named(strings.Split(*names, ",")...)
		return o, err
	}
	o.faults = slices.DeleteFunc(slices.Clone(fault.All), func(each fault.Fault) bool { return *quick && !each.Quick })
	o.shuffle = true
	return o, nil
}

func main() { command.Main("chaos", parseOptions, chaos) }
