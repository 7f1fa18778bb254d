// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
)

// path is a variant at work.
type path struct {
	variant    variant
	stub       *stubProcess
	addr       netip.AddrPort // where requests for the broker go
	nameServer netip.AddrPort // and those for a name server
	envoy      *envoy.Envoy   // nil if direct
	admin      netip.AddrPort
	total      int64 // requests that went this way
}

// startPath starts the variant's Envoy and waits until it is ready.
func (b *benchmark) startPath(ctx context.Context, v variant, stub *stubProcess, concurrency int, edits ...edit) (*path, error) {
	if v == direct {
		return &path{variant: v, stub: stub, addr: stub.addresses.Broker, nameServer: stub.addresses.NameServer}, nil
	}
	config, err := v.config(b.root, stub.addresses, b.ports.next, edits...)
	if err != nil {
		return nil, err
	}
	modules := ""
	if v.example() != "" {
		modules = b.opt.modules
		if !v.ours() {
			modules = b.opt.baseModules
		}
	}
	e, err := b.startEnvoy(ctx, strings.ReplaceAll(fmt.Sprintf("envoy-%s-%d", v, config.load.Port()), " ", "-"), config, modules, concurrency)
	if err != nil {
		return nil, err
	}
	return &path{variant: v, stub: stub, addr: config.load, nameServer: config.nameServer, envoy: e, admin: config.admin}, nil
}

// startEnvoy starts an Envoy and waits until it is ready. modules is the folder of the .so files, if the config has ours.
func (b *benchmark) startEnvoy(ctx context.Context, name string, config envoyConfig, modules string, concurrency int) (*envoy.Envoy, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return envoy.Start(ctx, envoy.Options{
		Name: name, Dir: b.dir, Config: config.yaml, Admin: config.admin.String(), Listens: []string{config.load.String()},
		Version: b.opt.envoyVersion, ModuleDir: modules, Concurrency: concurrency,
	})
}

// stop ends the path's Envoy, if there is one.
func (p *path) stop() {
	if p.envoy != nil {
		_ = p.envoy.Stop()
	}
}

// seen returns the number of requests that our filter has counted.
func (p *path) seen(ctx context.Context) (int64, error) {
	body, err := envoy.Get(ctx, p.admin.String(), "/stats?usedonly")
	if err != nil {
		return 0, err
	}
	return filterRequests(body), nil
}

// filterRequests finds rocketmq.<stat_prefix>.request in Envoy's stats.
func filterRequests(stats string) int64 {
	for line := range strings.Lines(stats) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if parts := strings.Split(name, "."); len(parts) == 3 && parts[0] == "rocketmq" && parts[2] == "request" {
			n, _ := strconv.ParseInt(value, 10, 64)
			return n
		}
	}
	return 0
}

// check compares what our filter counted with what was sent: it must have been on the path.
func (p *path) check(ctx context.Context) error {
	if p.variant.example() == "" {
		return nil
	}
	var seen int64
	for range 40 { // the filter hands its counts to Envoy now and then
		var err error
		if seen, err = p.seen(ctx); err != nil {
			return err
		}
		if seen == p.total {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s: the filter has counted %d requests of %d", p.variant, seen, p.total)
}
