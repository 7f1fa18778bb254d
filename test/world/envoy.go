// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
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

// StartEnvoy starts Envoy, also after StopEnvoy or KillEnvoy, and waits until it is ready and listens. The
// config is rendered anew.
func (w *World) StartEnvoy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if p := w.Envoy(); p != nil && p.Running() {
		return fmt.Errorf("envoy %w", errAlreadyRunning)
	}
	w.epoch = 0
	p, err := w.spawnEnvoy()
	if err != nil {
		return err
	}
	return w.awaitEnvoy(ctx, p)
}

// awaitEnvoy makes a process the World's Envoy, and waits until it is ready and listens.
func (w *World) awaitEnvoy(ctx context.Context, p *Process) error {
	w.mu.Lock()
	w.envoy = p
	w.mu.Unlock()
	epoch := fmt.Sprintf(`"restart_epoch": %d`, w.epoch)
	return waitUntil(ctx, p, "Envoy is ready", func() (bool, error) {
		body, err := w.admin(ctx, "/server_info")
		// The one before may answer during a hot restart.
		if err != nil || !strings.Contains(body, `"state": "LIVE"`) || w.epoch > 0 && !strings.Contains(body, epoch) {
			return false, err
		}
		return dials(w.ProxyAddr)
	})
}

func (w *World) spawnEnvoy() (*Process, error) {
	yaml, err := w.EnvoyConfig()
	if err != nil {
		return nil, err
	}
	if w.opt.ListenersFile {
		if yaml, err = w.moveListeners(yaml); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(w.Dir, "envoy.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
		return nil, err
	}
	restart := []string{"--disable-hot-restart"}
	if w.opt.HotRestart {
		restart = []string{"--base-id", strconv.Itoa(w.baseID()), "--restart-epoch", strconv.Itoa(w.epoch)}
	}
	argv := append([]string{w.paths.envoy, "-c", file, "-l", w.opt.LogLevel, "--concurrency", strconv.Itoa(w.opt.Concurrency)}, restart...)
	return w.spawn(command{
		name: "envoy",
		// And nothing else: what users need not set, tests must not set either.
		env:  append([]string{"ENVOY_DYNAMIC_MODULES_SEARCH_PATH=" + w.opt.ModuleDir}, w.opt.EnvoyEnv...),
		argv: append(argv, w.opt.EnvoyArgs...),
	})
}

// Envoy is Envoy's running or last process; nil if it was never started.
func (w *World) Envoy() *Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.envoy
}

// KillEnvoy ends Envoy with SIGKILL.
func (w *World) KillEnvoy() { w.Envoy().Kill() }

// StopEnvoy ends Envoy in good order.
func (w *World) StopEnvoy() error { return w.Envoy().Stop() }

// Stats reads Envoy's counters and gauges whose names begin with one of the prefixes, all if there is none.
// Those that never moved are included.
func (w *World) Stats(ctx context.Context, prefixes ...string) (map[string]uint64, error) {
	body, err := w.admin(ctx, "/stats")
	if err != nil {
		return nil, err
	}
	stats := make(map[string]uint64)
	for line := range strings.Lines(body) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		n, err := strconv.ParseUint(value, 10, 64)
		if !ok || err != nil || !hasPrefix(name, prefixes) {
			continue // histograms and text readouts
		}
		stats[name] = n
	}
	return stats, nil
}

// Histograms reads Envoy's histograms as /stats prints them, name → text, chosen like Stats.
func (w *World) Histograms(ctx context.Context, prefixes ...string) (map[string]string, error) {
	body, err := w.admin(ctx, "/stats?type=Histograms")
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && hasPrefix(name, prefixes) {
			all[name] = value
		}
	}
	return all, nil
}

func hasPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

// admin makes a GET request to Envoy's admin endpoint, on a connection of its own.
func (w *World) admin(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.Admin+path, nil)
	if err != nil {
		return "", err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK && path != "/ready" {
		err = fmt.Errorf("admin %s: %s", path, resp.Status)
	}
	return string(body), err
}

// EnvoyErrors returns the lines of Envoy's log, since its first start, that report an error or worse, and what
// the Go runtime prints when it gives up.
func (w *World) EnvoyErrors() ([]string, error) {
	p := w.Envoy()
	if p == nil {
		return nil, nil
	}
	f, err := os.Open(p.LogFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var bad []string
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if isErrorLine(line) {
			bad = append(bad, strings.TrimSpace(line))
		}
		if errors.Is(err, io.EOF) {
			return bad, nil
		}
		if err != nil {
			return bad, err
		}
	}
}

func isErrorLine(line string) bool {
	for _, mark := range []string{"][error][", "][critical]["} { // [time][thread][level][component]
		if strings.Contains(line, mark) {
			return true
		}
	}
	for _, start := range []string{"panic: ", "fatal error: ", "SIG", "==ERROR", "==WARNING"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}
