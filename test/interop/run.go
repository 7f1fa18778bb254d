// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const queuesPerBroker = 2

// job is a client's scenarios of a setting, one way.
type job struct {
	client    *client
	way       way
	scenarios []scenario
	again     bool
}

// prefix begins the names of everything that a job uses. Every way has names of its own, since all share brokers.
func (j job) prefix() string {
	name := strings.NewReplacer(".", "", "-binary", "b").Replace(j.client.id) + "-" + string(j.way[:1])
	if j.again {
		return "again-" + name
	}
	return name
}

// jobs are those of a setting.
func (o options) jobs(s *setting) (all []job) {
	for _, wy := range o.ways {
		for _, c := range o.clients {
			if mine := c.scenarios(s, o.scenarios); len(mine) > 0 {
				all = append(all, job{client: c, way: wy, scenarios: mine})
			}
		}
	}
	return all
}

// runSetting runs all clients all ways in one world: mqadmin alone at the end, since it changes the cluster.
func runSetting(ctx context.Context, o options, s *setting, r *results) error {
	jobs := o.jobs(s)
	if len(jobs) == 0 {
		return nil
	}
	w, err := world.Start(ctx, s.options(o))
	if err != nil {
		return err
	}
	defer func() {
		if err := w.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "interop:", err)
		}
	}()
	if o.keep {
		fmt.Printf("%s: logs in %s\n", s.id, w.Dir)
	}
	if err := makeTopics(ctx, w, s, jobs); err != nil {
		return err
	}
	var account world.Account
	if s.acl != world.NoACL {
		account = world.Application
	}
	var mu sync.Mutex
	var errs []error
	launch := func(j job) {
		p := &program{
			world: w, account: account, client: j.client, way: j.way, results: r, scenarios: j.scenarios, prefix: j.prefix(), got: map[string]bool{},
		}
		if err := p.run(ctx); err != nil {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("%s, %s: %w", j.client.id, j.way, err))
		}
	}
	// So many of each kind at a time: JVMs are hard work at their start, and Go clients mostly wait.
	jvms, others := make(chan struct{}, o.jvms), make(chan struct{}, o.jvms)
	var group sync.WaitGroup
	for _, j := range jobs {
		if j.client.admin {
			continue
		}
		group.Go(func() {
			places := others
			if j.client.java != "" {
				places = jvms
			}
			places <- struct{}{}
			defer func() { <-places }()
			launch(j)
		})
	}
	group.Wait()
	for _, j := range jobs {
		if j.client.admin {
			launch(j)
		}
	}
	// Whatever came out wrong is tried once more, on a machine that is less busy now. The report says so.
	for _, j := range jobs {
		j.again = true
		j.scenarios = slices.DeleteFunc(slices.Clone(j.scenarios), func(s scenario) bool { return s.id == onProxy || !r.isWrong(cell{s.id, j.client.id, j.way}) })
		if len(j.scenarios) == 0 || ctx.Err() != nil {
			continue
		}
		if err := makeTopics(ctx, w, s, []job{j}); err != nil {
			return err
		}
		launch(j)
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

// makeTopics makes what the scenarios of jobs find.
func makeTopics(ctx context.Context, w *world.World, s *setting, jobs []job) error {
	var both, one []string
	for _, j := range jobs {
		prefix := j.prefix()
		for _, s := range j.scenarios {
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
		if j.client.admin {
			both = append(both, prefix+"-fixture")
		}
	}
	if s.acl == world.ACL1 { // of a release that makes topics only one at a time
		for _, topic := range both {
			if err := w.CreateTopic(ctx, topic, queuesPerBroker); err != nil {
				return err
			}
		}
		return nil
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
