// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// programLimit is how long one client may take for all its scenarios.
const programLimit = 4 * time.Minute

// program is one client at work in one world, one way.
type program struct {
	world     *world.World
	account   world.Account
	client    *client
	way       way
	results   *results
	scenarios []scenario
	prefix    string // begins the names of everything that it uses
	got       map[string]bool
}

func (p *program) add(ctx context.Context, s scenario, o outcome) {
	p.got[s.id] = true
	want := expect(s, p.client, p.way)
	if want.nothingStored {
		n, err := p.world.Stored(ctx, p.prefix+"-"+s.id)
		switch {
		case err != nil:
			o.Detail = err.Error()
		case n > 0:
			o.Outcome, o.Detail = "works", fmt.Sprintf("%d messages were stored", n)
		}
	}
	p.results.add(cell{s.id, p.client.id, p.way}, o, want)
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
	for _, s := range p.scenarios {
		switch {
		case s.id == onProxy && p.way == direct:
			p.add(ctx, s, outcome{Outcome: lacking})
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
			p.add(ctx, s, o)
		}
	})
	if err != nil {
		return err
	}
	watch := p.world.WatchClients(j)
	if len(last) > 0 {
		_, err = j.Await(ctx, "phase", nil)
		report := watch.Stop()
		p.addWatch(ctx, all, report)
		if err == nil {
			err = j.Go()
		}
	}
	if err == nil {
		_, err = j.Await(ctx, "end", nil)
	}
	if len(last) == 0 {
		p.addWatch(ctx, all, watch.Stop())
	}
	if stopErr := j.Stop(); err == nil {
		err = stopErr
	}
	if err := whole.Err(); err != nil {
		return err // interrupted: what is missing means nothing
	}
	silent := "the client did not say"
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), "\n") // the rest is its log
		silent += ": " + why
	}
	for id, s := range all {
		if !p.got[id] && id != onProxy {
			p.add(ctx, s, outcome{Outcome: "failed", Detail: silent})
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

func (p *program) addWatch(ctx context.Context, all map[string]scenario, report world.WatchReport) {
	s, ok := all[onProxy]
	if !ok || p.got[onProxy] {
		return
	}
	o := outcome{Outcome: "works", Detail: report.String()}
	if len(report.Direct) > 0 || report.ViaProxy == 0 {
		o.Outcome = "failed"
	}
	p.add(ctx, s, o)
}

func (p *program) start(first, last []string, onEvent func(world.Event)) (*world.Java, error) {
	args := []string{
		"--namesrv", p.way.nameServer(p.world), "--prefix", p.prefix,
		"--scenarios", strings.Join(first, ","), "--last", strings.Join(last, ","),
		"--access-key", p.account.AccessKey, "--secret-key", p.account.SecretKey,
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
	if p.client.python != "" {
		root, err := repo.Root()
		if err != nil {
			return nil, err
		}
		path, err := p.client.pythonPath()
		if err != nil {
			return nil, err
		}
		main := filepath.Join(root, "test", "interop", "pyclient", "main.py")
		// The C++ client writes its log below its home.
		return p.world.StartProgram(name, append([]string{"env", "PYTHONPATH=" + path, "HOME=" + p.world.Dir, "python3", main}, args...), onEvent)
	}
	classPath, err := p.client.classPath()
	if err != nil {
		return nil, err
	}
	flags := p.client.flags
	threads := "6"
	if p.client.admin {
		flags = append(slices.Clone(flags), "-Dinterop.brokers="+strings.Join(p.way.brokers(p.world), ","))
		threads = "1" // mqadmin prints to System.out
	}
	return p.world.StartJava(world.JavaOptions{
		Name: name, Class: "interop.Main", ClassPath: classPath, Flags: flags,
		Args: append(args, "--threads", threads), OnEvent: onEvent,
	})
}
