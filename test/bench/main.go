// SPDX-License-Identifier: Apache-2.0

// Bench measures what the proxy costs, in parts that can be chosen (-parts):
//
//   - synthetic: requests per second, latency, and Envoy's CPU time per request, beside those of Envoy's tcp_proxy, which
//     understands nothing, and of no proxy at all;
//
//   - real: Java clients and RocketMQ brokers, beside direct connections, tcp_proxy and RocketMQ Proxy;
//
//   - scale: what is flat, and what is not, from little to much: connections, topics, brokers, waiting requests, routes;
//
//   - micro: allocations of a session, and what stats cost it.
//
//     go run ./test/bench [flags]       behind `make bench`
//
// In synthetic and scale a load generator (package load) speaks to a stub broker (package stub), each a process of its
// own, along four paths: direct, tcp_proxy, per-broker (envoy-config/per-broker.yaml) and unified
// (envoy-config/unified.yaml). Each proxied path has an Envoy of its own; all of them live through the whole part, and
// the paths take turns: every round measures each once, in an order that changes from round to round. So whatever else
// happens on the machine meets them alike, and ratios are taken within a round.
//
// It prints tables as it goes, writes out/bench/<date>.json and .md, which have everything, and, unless only pieces of parts are
// measured (-quick), their sections of docs/PERFORMANCE.md, and ends with a line for each target: MET or MISSED.
// Exit status 0: measured. 1: something went wrong, a single wrong answer included. 2: bad flags. 3: refused, because
// the machine is busy. 130: interrupted. (go run itself ends with 1 for all but 0.) Whatever it started is gone when
// it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

func run() int {
	// The children are this very program.
	child := map[string]func(args []string) error{"stub": stubMain, "load": loadMain, "crowd": crowdMain}
	args := os.Args[1:]
	if len(args) > 0 && child[args[0]] != nil {
		if err := child[args[0]](args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	opt, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		return 2
	}
	err = bench(ctx, opt)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "bench: interrupted")
		return 130
	case errors.Is(err, errBusy):
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		return 3
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		return 1
	}
	return 0
}
