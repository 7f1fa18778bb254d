// SPDX-License-Identifier: Apache-2.0

// Run shows the proxy at work and checks that it works: a real RocketMQ of two brokers, a real Envoy with the
// filter before it, a Java producer and a group of two Java push consumers whose only address is Envoy's.
//
//	go run ./test/run [flags]       behind `make run`
//
// Ctrl-C ends a run as -duration does; a second one ends it at once. A broker or name server that
// ends meanwhile (try kill -9 with the pids that are printed) is started again after 3 s.
//
// The last line begins with "sent" and the exit status is 0 only if every acknowledged message was consumed exactly
// once, both brokers had their share, no client ever was connected to a broker or name server, and Envoy's log
// has no line of level error. If not, lines that begin with "not ok" say what; status 1. Status 130: interrupted
// before there was anything to check.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/command"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

type options struct {
	command.Tested
	mode        string
	duration    time.Duration
	rate        int
	threads     int
	size        int
	queues      int
	concurrency int
	config      string
	keep        bool
}

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	f.StringVar(&o.mode, "mode", string(world.PerBroker), "addressing: per-broker, unified, or no-proxy to compare with")
	f.Func("duration", "how long to send, as 20s or 5m (default: until Ctrl-C)", func(s string) (err error) {
		if o.duration, err = time.ParseDuration(s); err != nil {
			err = errors.New("want a duration as 20s or 5m")
		}
		return err
	})
	f.IntVar(&o.rate, "rate", 500, "messages per second; 0 = as fast as answers come")
	f.IntVar(&o.threads, "threads", 8, "threads of the producer")
	f.IntVar(&o.size, "size", 300, "bytes of a message's body")
	f.IntVar(&o.queues, "queues", 4, "queues of the topic on each broker")
	f.IntVar(&o.concurrency, "concurrency", 2, "worker threads of Envoy")
	o.Flags(f)
	f.StringVar(&o.config, "config", "", "Envoy config to use instead of envoy-config/<mode>.yaml; the ports of those files are replaced in it")
	f.BoolVar(&o.keep, "keep", false, "keep stores and logs, and say where they are")
	errs := []error{f.Parse(args)}
	if f.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", f.Arg(0)))
	}
	if o.duration < 0 || o.rate < 0 || o.threads < 1 || o.size < 1 || o.queues < 1 || o.concurrency < 1 {
		errs = append(errs, errors.New("duration and rate must not be negative; threads, size, queues and concurrency at least 1"))
	}
	return o, errors.Join(errs...)
}

func main() { command.Main("run", parseOptions, run) }

const topic, warmupTopic, group = "RunTopic", "RunWarmup", "run-group"

// run does it all and prints the summary. It returns a failure unless everything holds, and an error if there was nothing
// to sum up.
func run(ctx context.Context, o options) (failures int, err error) {
	if err := repo.Fetch(ctx, o.EnvoyVersion); err != nil {
		return 0, err
	}
	fmt.Printf("starting RocketMQ %s (2 brokers) and Envoy %s, mode %s ...\n", versions.RocketMQ[0], o.EnvoyVersion, o.mode)
	begin := time.Now()
	w, err := world.Start(ctx, world.Options{
		Mode: world.Mode(o.mode), Config: o.config, EnvoyVersion: o.EnvoyVersion, ModuleDir: o.ModuleDir, Concurrency: o.concurrency,
		Topics: map[string]int{topic: o.queues, warmupTopic: 1}, Keep: o.keep,
	})
	if err != nil {
		return 0, err
	}
	defer func() {
		if failures > 0 || err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "\nthe ends of the logs:")
			_ = w.WriteLogs(os.Stderr, 12)
		}
		if o.keep {
			fmt.Printf("stores and logs are kept in %s\n", w.Dir)
		}
		err = errors.Join(err, w.Stop())
	}()
	fmt.Printf("started in %.1f s; starting two consumers and a producer ...\n", time.Since(begin).Seconds())
	s, err := startClients(w, o)
	if err != nil {
		return 0, err
	}
	if err := s.awaitStable(ctx); err != nil {
		return 0, err
	}
	s.printHeader(o)
	if err := s.send(ctx, o.duration); err != nil {
		return 0, err
	}
	if !s.finish() {
		failures++
	}
	return failures, nil
}

// session is a run from the moment when all processes are there.
type session struct {
	world     *world.World
	mode      world.Mode
	queues    int
	producer  *world.Java
	consumers []*world.Java
	ledger    world.Ledger
	watch     *world.Watch
	ticks     chan world.Event
	problems  []string
}

func startClients(w *world.World, o options) (*session, error) {
	s := &session{world: w, mode: world.Mode(o.mode), queues: o.queues * len(w.Brokers), ticks: make(chan world.Event, 16)}
	for i := 1; i <= 2; i++ {
		c, err := w.StartJava(world.JavaOptions{
			Name: fmt.Sprintf("consumer-%d", i), Class: "workload.Consumer", Records: s.ledger.Delivered,
			Args: []string{"--namesrv", w.ProxyAddr, "--topic", topic, "--group", group, "--records", "/dev/fd/3"},
		})
		if err != nil {
			return nil, err
		}
		s.consumers = append(s.consumers, c)
	}
	var err error
	s.producer, err = w.StartJava(world.JavaOptions{
		Name: "producer", Class: "workload.Producer", Records: s.ledger.Acknowledged,
		Args: []string{
			"--namesrv", w.ProxyAddr, "--topic", topic, "--rate", strconv.Itoa(o.rate), "--threads", strconv.Itoa(o.threads),
			"--size", strconv.Itoa(o.size), "--acked", "/dev/fd/3",
			"--warmup", warmupTopic, "--wait-go", "yes",
		},
		OnEvent: func(e world.Event) {
			if e.Kind == "tick" {
				select {
				case s.ticks <- e:
				default: // nobody reads: the run is over
				}
			}
		},
	})
	s.watch = w.WatchClients(append([]*world.Java{s.producer}, s.consumers...)...)
	return s, err
}

// awaitStable waits until the group has shared out all queues and stayed so for 3 s.
func (s *session) awaitStable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if _, err := s.producer.Await(ctx, "ready", nil); err != nil {
		return err
	}
	return world.AwaitGroup(ctx, s.consumers, s.queues, 3*time.Second)
}

func (s *session) printHeader(o options) {
	w := s.world
	fmt.Printf("\nthe group is stable: %d queues, two consumers\n", s.queues)
	fmt.Printf("clients know only   %s\n", w.ProxyAddr)
	if p := w.Envoy(); p != nil {
		fmt.Printf("Envoy               pid %d, %s, admin http://%s\n", p.Pid(), filepath.Join(w.Dir, "envoy.yaml"), w.Admin)
		fmt.Printf("stats to look at    curl -s 'http://%s/stats?filter=^rocketmq.demo.'\n", w.Admin)
	}
	fmt.Printf("name server         pid %d, %s\n", w.NameServerProcess().Pid(), w.NameServer)
	for _, b := range w.Brokers {
		fmt.Printf("%-19s pid %d, %s\n", b.Name, b.Process().Pid(), b.Addr)
	}
	until := "Ctrl-C"
	if o.duration > 0 {
		until = o.duration.String()
	}
	fmt.Printf("sending until       %s\n\n", until)
}
