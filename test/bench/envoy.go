// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// path is a variant at work.
type path struct {
	variant    variant
	stub       *stubProcess
	addr       netip.AddrPort // where requests for the broker go
	nameServer netip.AddrPort // and those for a name server
	envoy      *process       // nil if direct
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
	envoy, err := b.startEnvoy(ctx, strings.ReplaceAll(fmt.Sprintf("envoy-%s-%d", v, config.load.Port()), " ", "-"), config, modules, concurrency)
	if err != nil {
		return nil, err
	}
	return &path{variant: v, stub: stub, addr: config.load, nameServer: config.nameServer, envoy: envoy, admin: config.admin}, nil
}

// startEnvoy starts an Envoy and waits until it is ready. modules is the folder of the .so files, if the config has ours.
func (b *benchmark) startEnvoy(ctx context.Context, name string, config envoyConfig, modules string, concurrency int) (*process, error) {
	file := filepath.Join(b.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(config.yaml), 0o644); err != nil {
		return nil, err
	}
	var env []string
	if modules != "" {
		env = []string{"ENVOY_DYNAMIC_MODULES_SEARCH_PATH=" + modules}
	}
	envoy, err := start(b.dir, name, env, nil, nil,
		b.envoy, "-c", file, "--concurrency", strconv.Itoa(concurrency), "--disable-hot-restart", "-l", "warning")
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		if body, err := get(ctx, config.admin, "/ready"); err == nil && strings.TrimSpace(body) == "LIVE" && listens(config.load) {
			return envoy, nil
		}
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case !envoy.running():
			err = envoy.failure(fmt.Errorf("ended at once: %w", envoy.err))
		case time.Now().After(deadline):
			err = envoy.failure(fmt.Errorf("not ready after 30 s"))
		}
		if err != nil {
			envoy.stop()
			return nil, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stop ends the path's Envoy, if there is one.
func (p *path) stop() {
	if p.envoy != nil {
		p.envoy.stop()
	}
}

func listens(addr netip.AddrPort) bool {
	conn, err := net.DialTimeout("tcp", addr.String(), time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// get asks Envoy's admin interface, on a connection of its own.
func get(ctx context.Context, admin netip.AddrPort, what string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin.String()+what, nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// seen is how many requests our filter has counted.
func (p *path) seen(ctx context.Context) (int64, error) {
	body, err := get(ctx, p.admin, "/stats?usedonly")
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
