// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
)

// EnvoyConfig renders the World's Envoy config: the mode's file, or Options.Config, with the ports of this
// World, then edited by Options.EditConfig.
func (w *World) EnvoyConfig() (string, error) {
	file := w.opt.Config
	var required []int
	if file == "" {
		mode := w.opt.Mode
		if mode == SideBySide {
			mode = PerBroker
		}
		file = w.example(mode)
		required = []int{exampleNameServer, exampleProxyNameServer, exampleAdmin}
		if mode == PerBroker {
			for i := range min(2, len(w.Brokers)) {
				_, proxy := exampleBroker(i)
				required = append(required, proxy)
			}
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	yaml, err := substitutePorts(string(text), w.ports, required)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	if w.opt.Mode == SideBySide {
		if yaml, err = w.withUnifiedListener(yaml); err != nil {
			return "", err
		}
	}
	// The examples say that brokers are at 127.0.0.1 and nowhere else.
	yaml = strings.ReplaceAll(yaml, `broker_networks: ["127.0.0.1/32"]`, `broker_networks: ["`+w.opt.BrokerIP+`"]`)
	if w.opt.WiredEnvoy {
		yaml = w.behindWires(yaml)
	}
	if w.opt.EditConfig != nil {
		return w.opt.EditConfig(w, yaml)
	}
	return yaml, nil
}

// behindWires has Envoy's listeners listen where Wires lead to, and a unified one tell clients where its Wire begins.
func (w *World) behindWires(yaml string) string {
	for _, port := range w.ProxyPorts() {
		at := "{address: 127.0.0.1, port_value: " + strconv.Itoa(port) + "}"
		yaml = strings.Replace(yaml, at, strings.Replace(at, "127.0.0.1", behindWire, 1), 1)
	}
	unified := w.ProxyAddr
	if w.opt.Mode == SideBySide {
		unified = w.UnifiedAddr
	}
	return strings.Replace(yaml, "unified: {}", `unified: {advertised_address: "`+unified+`"}`, 1)
}

// example is a mode's file.
func (w *World) example(mode Mode) string {
	return filepath.Join(w.paths.root, "envoy-config", string(mode)+".yaml")
}

// withUnifiedListener adds the listener of the unified mode's file to the per-broker one.
func (w *World) withUnifiedListener(yaml string) (string, error) {
	file := w.example(Unified)
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	ports := map[int]int{exampleNameServer: w.ports[exampleNameServer], exampleProxyNameServer: w.unifiedPort}
	unified, err := substitutePorts(string(text), ports, []int{exampleNameServer, exampleProxyNameServer})
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	const listeners, clusters, prefix = "  listeners:\n", "\n  clusters:\n", "stat_prefix: demo\n"
	_, listener, found := strings.Cut(unified, listeners)
	if !found || strings.Contains(listener, clusters) || !strings.Contains(listener, prefix) || strings.Count(yaml, clusters) != 1 {
		return "", fmt.Errorf("%s no longer ends with its listeners", file)
	}
	return strings.Replace(yaml, clusters, "\n"+strings.Replace(listener, prefix, "stat_prefix: unified\n", 1)+clusters, 1), nil
}

// StartEnvoy starts Envoy, also after StopEnvoy or KillEnvoy, and waits until it is ready and listens. The config is
// rendered anew.
func (w *World) StartEnvoy(ctx context.Context) error {
	if p := w.Envoy(); p != nil && p.Running() {
		return fmt.Errorf("envoy %w", errAlreadyRunning)
	}
	w.epoch = 0
	return w.launchEnvoy(ctx)
}

// launchEnvoy starts an Envoy, which is the World's from then on, and waits until it is ready and listens.
func (w *World) launchEnvoy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	yaml, err := w.EnvoyConfig()
	if err != nil {
		return err
	}
	if w.opt.ListenersFile {
		if yaml, err = w.moveListeners(yaml); err != nil {
			return err
		}
	}
	e, err := envoy.Launch(envoy.Options{
		Config: yaml, Admin: w.Admin, Listens: []string{w.ProxyAddr},
		Dir: w.Dir, Version: w.opt.EnvoyVersion, ModuleDir: w.opt.ModuleDir,
		Concurrency: w.opt.Concurrency, LogLevel: w.opt.LogLevel, Env: w.opt.EnvoyEnv, Args: w.opt.EnvoyArgs,
		HotRestart: w.opt.HotRestart, BaseID: w.baseID(), Epoch: w.epoch,
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.envoy = e.Process
	w.mu.Unlock()
	return e.AwaitReady(ctx)
}

// Envoy returns Envoy's running or last process; nil if it was never started.
func (w *World) Envoy() *process.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.envoy
}

// errAlreadyRunning is returned by Start… methods when there is nothing to start.
var errAlreadyRunning = errors.New("is already running")

// KillEnvoy ends Envoy with SIGKILL.
func (w *World) KillEnvoy() { w.Envoy().Kill() }

// StopEnvoy ends Envoy with SIGTERM.
func (w *World) StopEnvoy() error { return w.Envoy().Stop() }

// Stats returns Envoy's counters and gauges: see envoy.Stats.
func (w *World) Stats(ctx context.Context, prefixes ...string) (map[string]uint64, error) {
	return envoy.Stats(ctx, w.Admin, prefixes...)
}

// Histograms returns Envoy's histograms: see envoy.Histograms.
func (w *World) Histograms(ctx context.Context, prefixes ...string) (map[string]string, error) {
	return envoy.Histograms(ctx, w.Admin, prefixes...)
}

// EnvoyErrors returns the lines of Envoy's log, since its first start, that report an error: see envoy.Errors.
func (w *World) EnvoyErrors() ([]string, error) {
	p := w.Envoy()
	if p == nil {
		return nil, nil
	}
	return envoy.Errors(p.LogFile)
}
