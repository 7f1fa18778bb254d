// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/refresher"
)

const (
	// nameServerTimeout bounds one exchange with one name server; DNS has as much.
	nameServerTimeout = 3 * time.Second
	// latecomers is how long a refresh waits for other name servers when one has answered.
	latecomers = time.Second
)

// refresh asks all name servers for their cluster lists. What was known stays if none answers.
func (d *Directory) refresh(ctx context.Context) error {
	d.reach.Refresh()
	servers, failures := d.resolveServers(ctx)
	answers, more := d.ask(ctx, servers)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failures = append(failures, more...)
	if len(answers) == 0 {
		d.update(func(s *Snapshot) *Snapshot {
			next := s.copied()
			next.unanswered = true
			if len(servers) > 0 {
				next.nameServers = inOrder(servers, s.nameServers, func(string) bool { return true })
			}
			next.believeAll()
			return next
		})
		return errors.Join(failures...)
	}
	return d.takeIn(ctx, servers, answers)
}

// takeIn makes the next snapshot of the answers of name servers.
func (d *Directory) takeIn(ctx context.Context, servers []string, answers []answer) error {
	now := time.Now()
	resolved := d.resolveHosts(ctx, d.snapshot.Load(), answers)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	answered := func(server string) bool {
		return slices.ContainsFunc(answers, func(a answer) bool { return a.server == server })
	}
	d.update(func(s *Snapshot) *Snapshot {
		next, dropped := s.withListsOf(answers, now, d.forgetAfter, d.bounds.Brokers)
		d.beyond.Add(int64(dropped))
		next.nameServers = inOrder(servers, s.nameServers, answered)
		next.resolved = resolved
		next.believeAll()
		next.unusable = next.unresolved()
		return next
	})
	return nil
}

// resolveServers returns the name servers as ip:port, in the order of the config and of the addresses of each host name.
func (d *Directory) resolveServers(ctx context.Context) (servers []string, failures []error) {
	ctx, cancel := context.WithTimeout(ctx, nameServerTimeout)
	defer cancel()
	addresses, errs := d.resolveAll(ctx, d.servers)
	for i, configured := range d.servers {
		if errs[i] != nil {
			failures = append(failures, fmt.Errorf("name server %s: %w", configured, errs[i]))
		}
		for _, address := range addresses[i] {
			if !slices.Contains(servers, address) {
				servers = append(servers, address)
			}
		}
	}
	return servers, failures
}

// ask asks all name servers at once. When one has answered, it waits a little for the others, and no longer.
func (d *Directory) ask(ctx context.Context, servers []string) (answers []answer, failures []error) {
	ctx, cancel := context.WithTimeout(ctx, nameServerTimeout)
	defer cancel()
	type outcome struct {
		answer
		err error
	}
	outcomes := make(chan outcome, len(servers))
	for _, server := range servers {
		go func() {
			var brokers []body.Address
			err := refresher.Recovered(func() (err error) {
				brokers, err = d.askOne(ctx, server)
				return err
			})
			outcomes <- outcome{answer{server, brokers}, err}
		}()
	}
	for range servers {
		o := <-outcomes
		if o.err != nil {
			failures = append(failures, fmt.Errorf("name server %s: %w", o.server, o.err))
			continue
		}
		if answers = append(answers, o.answer); len(answers) == 1 {
			defer time.AfterFunc(latecomers, cancel).Stop()
		}
	}
	return answers, failures
}

// errSelf is what comes of a name server whose address is the proxy's.
var errSelf = errors.New("this is the proxy itself")

// askOne asks one name server for all brokers.
func (d *Directory) askOne(ctx context.Context, address string) ([]body.Address, error) {
	if d.reach.NameServer(address) != reach.Allowed {
		return nil, errSelf
	}
	return d.source.Brokers(ctx, address)
}

// inOrder returns the servers that have answered, the one in front that came first in an order before, and then the others.
func inOrder(servers, before []string, answered func(string) bool) []string {
	var order, others []string
	for _, server := range servers {
		if answered(server) {
			order = append(order, server)
		} else {
			others = append(others, server)
		}
	}
	for _, server := range before {
		if slices.Contains(order, server) {
			toFront(order, server)
			break
		}
	}
	return append(order, others...)
}
