// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const (
	queuesPerBroker = 2
	// programLimit is how long one client may take for all its scenarios.
	programLimit = 4 * time.Minute
	// goDelay leaves the machine to the first JVMs, whose start is hard work.
	goDelay = 15 * time.Second
)

// brokerConfig is what the scenarios need of the brokers.
var brokerConfig = map[string]string{
	"messageDelayLevel":   "1s 2s 2s 2s 3s 3s 4s 4s 5s 5s 6s 6s 7s 7s 8s 8s 9s 9s",
	"timerWheelEnable":    "true",
	"recallMessageEnable": "true",
}

// runMode runs all clients in a world of their own: mqadmin alone at the end, since it changes the cluster.
func runMode(ctx context.Context, o options, mode world.Mode, r *results) error {
	w, err := world.Start(ctx, world.Options{Mode: mode, ModuleDir: o.moduleDir, BrokerConfig: brokerConfig, EditConfig: withVIPChannel, Keep: o.keep})
	if err != nil {
		return err
	}
	defer func() {
		if err := w.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "interop:", err)
		}
	}()
	if o.keep {
		fmt.Printf("%s: logs in %s\n", modeName(mode), w.Dir)
	}
	for _, c := range o.clients {
		if err := makeTopics(ctx, w, c, c.prefix(), o.scenarios); err != nil {
			return err
		}
	}
	jvms := make(chan struct{}, o.jvms)
	var group sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	launch := func(c *client, prefix string, scenarios []string) {
		p := &program{world: w, client: c, mode: mode, results: r, wanted: scenarios, prefix: prefix, got: map[string]bool{}}
		if err := p.run(ctx); err != nil {
			mu.Lock()
			errs = append(errs, fmt.Errorf("%s: %w", c.id, err))
			mu.Unlock()
		}
	}
	for _, c := range o.clients {
		if c.admin {
			continue
		}
		group.Go(func() {
			if c.java != "" {
				jvms <- struct{}{}
				defer func() { <-jvms }()
			} else {
				time.Sleep(goDelay)
			}
			launch(c, c.prefix(), o.scenarios)
		})
	}
	group.Wait()
	for _, c := range o.clients {
		if c.admin {
			launch(c, c.prefix(), o.scenarios)
		}
	}
	// Whatever came out wrong is tried once more, on a machine that is less busy now. The report says so.
	for _, c := range o.clients {
		if again := r.failed(c, mode); len(again) > 0 && ctx.Err() == nil {
			prefix := "again-" + c.prefix()
			if err := makeTopics(ctx, w, c, prefix, again); err != nil {
				return err
			}
			launch(c, prefix, again)
		}
	}
	bad, err := w.EnvoyErrors()
	if err != nil {
		errs = append(errs, err)
	}
	if len(bad) > 0 {
		errs = append(errs, fmt.Errorf("errors in Envoy's log: %s", strings.Join(bad, "\n")))
	}
	return errors.Join(errs...)
}

// prefix begins the names of everything that a client uses.
func (c *client) prefix() string { return strings.NewReplacer(".", "", "-binary", "b").Replace(c.id) }

// makeTopics makes what the scenarios of a client find.
func makeTopics(ctx context.Context, w *world.World, c *client, prefix string, scenarios []string) error {
	var both, one []string
	for _, s := range c.scenarios(scenarios) {
		topic := prefix + "-" + s.id
		switch {
		case s.noTopic:
		case s.id == "one-broker-topic":
			one = append(one, topic)
		case s.id == "namespace":
			both = append(both, "tenant%"+topic)
		default:
			both = append(both, topic)
		}
	}
	if c.admin {
		both = append(both, prefix+"-fixture")
	}
	for i, b := range w.Brokers {
		topics := both
		if i == 0 {
			topics = append(slices.Clone(both), one...)
		}
		if len(topics) == 0 {
			continue
		}
		if err := b.CreateTopics(ctx, queuesPerBroker, topics...); err != nil {
			return err
		}
	}
	return nil
}

// program is one client at work in one world.
type program struct {
	world   *world.World
	client  *client
	mode    world.Mode
	results *results
	wanted  []string
	prefix  string
	got     map[string]bool
}

func (p *program) expect(s scenario) expectation { return expect(s, p.client, p.mode) }

func (p *program) add(s scenario, o outcome) {
	p.got[s.id] = true
	p.results.add(cell{s.id, p.client.id, p.mode}, o, p.expect(s))
}

// run starts the client, takes what it says, and notes what it did not say.
func (p *program) run(whole context.Context) error {
	if err := whole.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(whole, programLimit)
	defer cancel()
	all := map[string]scenario{}
	var first, last []string
	for _, s := range p.client.scenarios(p.wanted) {
		switch {
		case p.expect(s).skip:
			p.add(s, outcome{Outcome: "lacking"})
		case s.id == onProxy:
		case dialsStored(s, p.client):
			last = append(last, s.id)
		default:
			first = append(first, s.id)
		}
		all[s.id] = s
	}
	slices.SortStableFunc(first, func(a, b string) int { return rank(a) - rank(b) })
	if len(first)+len(last) == 0 {
		return nil
	}
	j, err := p.start(first, last, func(e world.Event) {
		if e.Kind != "scenario" {
			return
		}
		var o outcome
		if err := json.Unmarshal(e.Raw, &o); err != nil {
			o = outcome{Outcome: "failed", Detail: err.Error()}
		}
		if s, ok := all[o.Name]; ok && !p.got[s.id] {
			p.add(s, o)
		}
	})
	if err != nil {
		return err
	}
	watch := p.world.WatchClients(j)
	if len(last) > 0 {
		_, err = j.Await(ctx, "phase", nil)
		report := watch.Stop()
		p.addWatch(all, report)
		if err == nil {
			err = j.Go()
		}
	}
	if err == nil {
		_, err = j.Await(ctx, "end", nil)
	}
	if len(last) == 0 {
		p.addWatch(all, watch.Stop())
	}
	if stopErr := j.Stop(); err == nil {
		err = stopErr
	}
	if err := whole.Err(); err != nil {
		return err // interrupted: what is missing means nothing
	}
	for id, s := range all {
		if !p.got[id] && id != onProxy {
			p.add(s, outcome{Outcome: "failed", Detail: fmt.Sprintf("the client did not say (%v)", err)})
		}
	}
	return nil // what a client did not do is in the matrix
}

// rank sorts scenarios by when they should begin.
func rank(id string) int {
	if i := slices.Index(slowFirst, id); i >= 0 {
		return i
	}
	return len(slowFirst)
}

func (p *program) addWatch(all map[string]scenario, report world.WatchReport) {
	s, ok := all[onProxy]
	if !ok || p.got[onProxy] {
		return
	}
	o := outcome{Outcome: "works", Detail: report.String()}
	if len(report.Direct) > 0 || report.ViaProxy == 0 {
		o.Outcome = "failed"
	}
	p.add(s, o)
}

func (p *program) start(first, last []string, onEvent func(world.Event)) (*world.Java, error) {
	args := []string{
		"--namesrv", p.world.ProxyAddr, "--prefix", p.prefix,
		"--scenarios", strings.Join(first, ","), "--last", strings.Join(last, ","),
	}
	name := p.prefix // of the log
	if p.client.goModFile != "" {
		binary, err := p.client.goBinary()
		if err != nil {
			return nil, err
		}
		// Where it keeps the offsets of broadcasting consumers. The name has dots, so a shell could not set it.
		home := "rocketmq.client.localOffsetStoreDir=" + filepath.Join(p.world.Dir, name)
		return p.world.StartProgram(name, append([]string{"env", home, binary}, args...), onEvent)
	}
	classPath, err := p.client.classPath()
	if err != nil {
		return nil, err
	}
	flags := p.client.flags
	threads := "6"
	if p.client.admin {
		flags = append(slices.Clone(flags), "-Dinterop.brokers="+strings.Join(p.brokers(), ","))
		threads = "1" // mqadmin prints to System.out
	}
	return p.world.StartJava(world.JavaOptions{
		Name: name, Class: "interop.Main", ClassPath: classPath, Flags: flags,
		Args: append(args, "--threads", threads), OnEvent: onEvent,
	})
}

// brokers are the addresses of the brokers as a user of this mode types them.
func (p *program) brokers() []string {
	var all []string
	for _, b := range p.world.Brokers {
		switch p.mode {
		case world.PerBroker:
			all = append(all, b.ProxyAddr)
		case world.Unified:
			all = append(all, p.world.ProxyAddr)
		default:
			all = append(all, b.Addr)
		}
	}
	return all
}
