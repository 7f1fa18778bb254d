// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/bench/crowd"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/bench/load"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/frame"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/stub"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/usage"
)

// The children talk JSON, a line at a time: the stub tells its addresses first and then its counts, once for each
// line it reads; a crowd that it is there, and then that its requests are answered; the load generator tells
// what it measured.

// stubAddresses is the stub's first line.
type stubAddresses struct {
	Broker     netip.AddrPort `json:"broker"`
	NameServer netip.AddrPort `json:"name_server"`
}

// stubMain is the stub's process. It ends with its stdin, too.
func stubMain(args []string) error {
	f := flag.NewFlagSet("stub", flag.ExitOnError)
	pull := f.Int("pull-body", pullBody, "bytes of messages in an answer to a pull")
	brokers := f.Int("brokers", 1, "brokers in answers about routes")
	_ = f.Parse(args)
	server, err := stub.Listen(stub.Options{PullBody: *pull, Brokers: *brokers})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(stubAddresses{server.Broker, server.NameServer}); err != nil {
		return err
	}
	go func() {
		defer cancel()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			if out.Encode(server.Counts()) != nil {
				return
			}
		}
	}()
	return server.Serve(ctx)
}

// partner is a child that answers each line with one of JSON.
type partner struct {
	*process.Process
	ask   io.WriteCloser
	lines *json.Decoder
}

// start starts a child, with its log in dir.
func start(dir, name string, stdin io.Reader, stdout io.Writer, argv ...string) (*process.Process, error) {
	return process.Start(process.Command{Name: name, LogFile: filepath.Join(dir, name+".log"), Argv: argv, Stdin: stdin, Stdout: stdout})
}

// startPartner starts this program as another of its kinds and reads its first line into `first`.
func startPartner(self, dir string, first any, argv ...string) (*partner, error) {
	// Pipes of our own: those of package exec would have it wait for their end.
	fromUs, ask, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, toUs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p, err := start(dir, argv[0], fromUs, toUs, append([]string{self}, argv...)...)
	_, _ = fromUs.Close(), toUs.Close() // the child's ends: when it ends, reading shall find that
	if err != nil {
		return nil, err
	}
	partner := &partner{Process: p, ask: ask, lines: json.NewDecoder(answers)}
	if err := partner.lines.Decode(first); err != nil {
		return nil, errors.Join(p.Failure(err), p.Stop())
	}
	return partner, nil
}

// answer asks for the next line.
func (p *partner) answer(line any) error {
	_, err := io.WriteString(p.ask, "\n")
	if err == nil {
		err = p.lines.Decode(line)
	}
	if err != nil {
		return errors.Join(p.Failure(err), p.Stop())
	}
	return nil
}

// stubProcess is the stub, seen from the harness.
type stubProcess struct {
	*partner
	addresses stubAddresses
}

func startStub(self, dir string, brokers int) (*stubProcess, error) {
	var s stubProcess
	var err error
	s.partner, err = startPartner(self, dir, &s.addresses, "stub", "-brokers", strconv.Itoa(brokers))
	return &s, err
}

func (s *stubProcess) counts() (c stub.Counts, err error) {
	err = s.answer(&c)
	return c, err
}

// crowdMain is the process of a crowd. Its first line says that all are connected and have sent a heartbeat; for each
// line that it reads it makes the requests once, and answers with their number. It ends with its stdin.
func crowdMain(args []string) error {
	f := flag.NewFlagSet("crowd", flag.ExitOnError)
	addr := f.String("addr", "", "ip:port to connect to")
	connections := f.Int("connections", 1, "connections")
	topics := f.Int("topics", 0, "ask for the routes of so many topics; 0: a heartbeat from each connection")
	_ = f.Parse(args)
	to, err := netip.ParseAddrPort(*addr)
	if err != nil {
		return err
	}
	heartbeat, err := frame.GoldenTemplate("HEART_BEAT.request", nil)
	if err != nil {
		return err
	}
	n, request := *connections, heartbeat.Append
	if *topics > 0 {
		n, request = *topics, appendRouteRequest
	}
	c, err := crowd.Open(to, *connections, heartbeat.Append)
	if err != nil {
		return err
	}
	defer c.Close()
	out := json.NewEncoder(os.Stdout)
	err = out.Encode(c.Size())
	for lines := bufio.NewScanner(os.Stdin); err == nil && lines.Scan(); {
		if err = c.Ask(n, request); err == nil {
			err = out.Encode(n)
		}
	}
	return err
}

// appendRouteRequest asks for the route of topic i.
func appendRouteRequest(dst []byte, i int32) []byte {
	request := codec.Command{
		Code: int32(requests.GetRouteInfoByTopic), Opaque: i, Version: 479,
		Fields: []codec.Field{{Name: "topic", Value: fmt.Sprintf("topic-of-a-usual-length-%d", i)}},
	}
	return request.Append(dst)
}

// measurement is what one run of the load generator found. Times are in nanoseconds.
type measurement struct {
	Total       int64         `json:"total"`   // requests answered, warm-up included
	Answers     int64         `json:"answers"` // within the window
	AnswerBytes int64         `json:"answer_bytes"`
	Window      time.Duration `json:"window_ns"`

	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`

	// What was used within the window.
	Envoy *usage.Usage `json:"envoy,omitempty"` // none on the direct path
	Stub  usage.Usage  `json:"stub"`
	Load  usage.Usage  `json:"load"`
	// Others is the processor time of everything else on the machine, roughly: /proc/stat counts in units of 10 ms.
	Others time.Duration `json:"others_ns"`
}

// loadMain is the load generator's process.
func loadMain(args []string) error {
	f := flag.NewFlagSet("load", flag.ExitOnError)
	addr := f.String("addr", "", "ip:port to send to")
	envoy := f.Int("envoy", 0, "pid of the Envoy to watch, if any")
	stubPid := f.Int("stub", 0, "pid of the stub")
	requests := f.String("requests", "", "recorded requests, each with a colon and the bytes of its body; 0 leaves the recorded one")
	var opt load.Options
	f.IntVar(&opt.Connections, "connections", 1, "connections")
	f.IntVar(&opt.InFlight, "in-flight", 1, "requests on each")
	f.IntVar(&opt.HeldEach, "held", 0, "long polls without an answer on each")
	f.DurationVar(&opt.WarmUp, "warmup", 0, "time before the window")
	f.DurationVar(&opt.Window, "window", time.Second, "measured time")
	_ = f.Parse(args)
	var err error
	if opt.Addr, err = netip.ParseAddrPort(*addr); err != nil {
		return err
	}
	for text := range strings.SplitSeq(*requests, ",") {
		r, err := parseRequest(text)
		if err != nil {
			return err
		}
		var filling []byte
		if r.Body > 0 {
			filling = bytes.Repeat([]byte{'b'}, r.Body)
		}
		template, err := frame.GoldenTemplate(r.Name, filling)
		if err != nil {
			return err
		}
		opt.Requests = append(opt.Requests, template)
	}
	if opt.Hold, err = frame.GoldenTemplate("LITE_PULL_MESSAGE.request", nil); err != nil {
		return err
	}
	pids := []int{os.Getpid(), *stubPid}
	if *envoy != 0 {
		pids = append(pids, *envoy)
	}
	var edges [2]edge
	var sampled sync.WaitGroup
	sampled.Add(len(edges))
	opt.Edge = func(i int) {
		defer sampled.Done()
		edges[i] = sample(pids)
	}
	result, err := load.Run(opt)
	if err != nil {
		return err
	}
	sampled.Wait()
	m, err := combine(result, edges)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

// edge is what everybody had used when the window opened or closed.
type edge struct {
	used    []usage.Usage // of each pid
	machine time.Duration
	err     error
}

func sample(pids []int) (e edge) {
	// Envoy is the last, so that the edges of its window are equally late.
	if e.machine, e.err = usage.Machine(); e.err != nil {
		return e
	}
	for _, pid := range pids {
		u, err := usage.Of(pid)
		if err != nil {
			e.err = fmt.Errorf("process %d: %w", pid, err)
			return e
		}
		e.used = append(e.used, u)
	}
	return e
}

func combine(r *load.Result, edges [2]edge) (measurement, error) {
	m := measurement{
		Total: r.Total, Answers: r.Answers, AnswerBytes: r.AnswerBytes, Window: r.Window,
		P50:  r.Latency.Quantile(0.50),
		P99:  r.Latency.Quantile(0.99),
		P999: r.Latency.Quantile(0.999),
		Max:  r.Latency.Max(),
	}
	for _, e := range edges {
		if e.err != nil {
			return m, e.err
		}
	}
	if m.Answers == 0 {
		return m, fmt.Errorf("no answer within %s", m.Window)
	}
	var used []usage.Usage
	m.Others = edges[1].machine - edges[0].machine
	for i, u := range edges[1].used {
		u = u.Since(edges[0].used[i])
		m.Others -= u.CPU
		used = append(used, u)
	}
	m.Others = max(m.Others, 0)
	m.Load, m.Stub = used[0], used[1]
	if len(used) > 2 {
		m.Envoy = &used[2]
	}
	return m, nil
}
