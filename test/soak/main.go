// SPDX-License-Identifier: Apache-2.0

// Command soak runs the proxy for a long time under a load that rises and falls, and watches what a leak would make
// grow. `make soak DURATION=2h`.
//
// One RocketMQ of two brokers, one Envoy with per-broker and unified listeners, pairs of Java producers and consumers
// each way (one after the other, ordered, in transactions), and connections that come and go: some ask, some leave with
// their question open, some break off in the middle of a frame or reset.
//
// It writes samples.csv while it runs, and soak.json, soak.svg and verdict.txt at its end, into -out. The last line
// begins with "soak:"; the exit status is 0 only if it says "0 violations". Violations, each with a line "not ok:", are:
// a figure of Envoy that has grown more than its bound after the warm-up, by the line that fits its samples best; lost,
// doubled or disordered messages; a wrong answer to a visitor; a line of level error in Envoy's log; a gauge that is not
// back at 0 when everybody has gone.
package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/command"
)

type options struct {
	command.Tested
	duration time.Duration
	wave     time.Duration
	interval time.Duration
	rate     int
	visits   float64
	out      string
	seed     uint64
}

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.DurationVar(&o.duration, "duration", 10*time.Minute, "how long the load lasts")
	f.DurationVar(&o.wave, "wave", 0, "time from one lowest load to the next; 0: an eighth of the duration")
	f.DurationVar(&o.interval, "interval", 5*time.Second, "between two samples")
	f.IntVar(&o.rate, "rate", 10, "messages per second of each of the six producers, at the top of the wave")
	f.Float64Var(&o.visits, "visits", 4, "short connections per second, on average")
	f.StringVar(&o.out, "out", "out/soak", "folder for the results")
	o.Flags(f)
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the visitors' choices")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.wave == 0 {
		o.wave = (o.duration / 8).Round(time.Second)
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.wave < time.Second || o.duration < 3*o.wave || o.interval <= 0 || o.rate < 1 || o.visits < 0:
		return o, errors.New("want a wave of at least 1s, a duration of at least three waves, an interval and a rate above 0, and visits not below it")
	}
	return o, nil
}

func main() { command.Main("soak", parseOptions, soak) }
