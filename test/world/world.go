// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
)

// startLimit is how long Start and each Restart may take.
const startLimit = 2 * time.Minute

// Mode is how clients are kept on the proxy: which file of envoy-config/ Envoy gets.
type Mode string

const (
	// PerBroker is envoy-config/per-broker.yaml: a listener for each broker.
	PerBroker Mode = "per-broker"
	// Unified is envoy-config/unified.yaml: one listener for everything.
	Unified Mode = "unified"
	// SideBySide is PerBroker with the listener of envoy-config/unified.yaml in the same Envoy, at UnifiedAddr and with
	// stats "rocketmq.unified.": to see what a client gets this way, that way and directly.
	SideBySide Mode = "side-by-side"
	// NoProxy starts no Envoy; ProxyAddr is the name server. For baselines.
	NoProxy Mode = "no-proxy"
)

// hasPortPerBroker tells whether Envoy has a listener for each broker.
func (m Mode) hasPortPerBroker() bool { return m == PerBroker || m == SideBySide }

// Options of a World. The zero value is two brokers behind per-broker.yaml, no topic.
type Options struct {
	Mode Mode // default PerBroker

	// Config is the Envoy config to use instead of the mode's file. The ports of the files in envoy-config/ are
	// replaced in it too; none of them has to occur.
	Config string
	// EditConfig, if set, changes the config after its ports were replaced.
	EditConfig func(w *World, yaml string) (string, error)

	EnvoyVersion string   // default repo.EnvoyVersion
	EnvoyEnv     []string // NAME=value, beside what every Envoy gets
	EnvoyArgs    []string // likewise
	// ListenersFile has Envoy read its listeners from a file, which UpdateListeners changes.
	ListenersFile bool
	// HotRestart lets HotRestartEnvoy work.
	HotRestart  bool
	LogLevel    string // of Envoy; default warning
	Concurrency int    // Envoy's worker threads; default 2
	ModuleDir   string // folder of the two .so files; default <repo>/out

	// Server is the address of a name server, and of a broker, that are there already: none is started then.
	Server netip.AddrPort

	// RocketMQVersion is the release of the name server and the brokers; default the first of versions.RocketMQ, of
	// which clients always are.
	RocketMQVersion string

	// Brokers are the names of the brokers, default broker-a and broker-b. The files in envoy-config/ have
	// listeners for the first two.
	Brokers []string
	// BrokerIP is where all brokers listen, of 127.0.0.0/8 or ::1; default 127.0.0.1, as everybody else.
	BrokerIP string
	// BrokerConfig are further lines of each broker's properties; they win over ours.
	BrokerConfig map[string]string
	// Controller has the name server elect the master among the replicas of a broker: see StartReplica.
	Controller bool
	// ACL is what the brokers demand of requests.
	ACL ACL
	// Wired are the names of brokers that everybody but the name server reaches by a Wire, which can be cut.
	Wired []string
	// WiredEnvoy has clients reach Envoy by Wires too, one for each listener.
	WiredEnvoy bool
	// Tap, if set, is called for each connection over a Wire, named after its broker or "proxy", and gives what sees the
	// bytes of either direction before they go on, each from one goroutine.
	Tap func(wire string) (toServer, toClient io.Writer)
	// Topics are made on every broker before Start returns: name → queues per broker.
	Topics map[string]int

	// Keep leaves the folder with stores and logs in place after Stop.
	Keep bool
}

// servers returns the release of the name server and the brokers.
func (o *Options) servers() string {
	switch {
	case o.ACL == ACL1:
		return versions.RocketMQACL1
	case o.RocketMQVersion != "":
		return o.RocketMQVersion
	}
	return versions.RocketMQ[0]
}

// Parts returns what Fetch must get before New.
func (o *Options) Parts() []string {
	return []string{"all", "rocketmq-" + o.servers()}
}

// World is a running installation.
type World struct {
	// Dir holds everything: configs, stores, logs.
	Dir string
	// NameServer is the real name server's address, ProxyAddr the one that clients are given.
	NameServer, ProxyAddr string
	// UnifiedAddr is the other address for clients, if the mode is SideBySide.
	UnifiedAddr string
	// Admin is the address of Envoy's admin endpoint.
	Admin string
	// Brokers by number, in the order of Options.Brokers.
	Brokers []*Broker

	opt    Options
	paths  paths
	picker *portPicker
	ports  map[int]int // port in envoy-config/ → port here

	unifiedPort    int // of UnifiedAddr
	controllerPort int
	proxyWires     []*Wire
	epoch          int         // of Envoy's hot restarts
	guarded        atomic.Bool // GuardNameServer was called

	mu         sync.Mutex // guards the fields below
	nameServer *process.Process
	envoy      *process.Process
	java       []*Java
	replicas   []*Broker
}

// Start starts a World and waits until it serves: every broker known to the name server, topics on all brokers,
// Envoy's listeners open. When it fails nothing is left, and the error ends with the log of what failed.
func Start(ctx context.Context, opt Options) (*World, error) {
	for try := 1; ; try++ {
		w, err := newWorld(opt)
		if err != nil {
			return nil, err
		}
		if err = w.start(ctx); err == nil {
			return w, nil
		}
		taken := w.portWasTaken()
		if err = errors.Join(err, w.Stop()); !taken || try == 3 || ctx.Err() != nil {
			return nil, err
		}
	}
}

// portWasTaken tells whether a child failed because someone took its port between our look and its start: then
// others are worth a try.
func (w *World) portWasTaken() bool {
	var log strings.Builder
	if err := w.WriteLogs(&log, 1000); err != nil {
		return false
	}
	return strings.Contains(log.String(), "Address already in use")
}

func newWorld(opt Options) (*World, error) {
	if opt.Mode == "" {
		opt.Mode = PerBroker
	}
	if !slices.Contains([]Mode{PerBroker, Unified, SideBySide, NoProxy}, opt.Mode) {
		return nil, fmt.Errorf("mode %q is unknown: want %s, %s, %s or %s", opt.Mode, PerBroker, Unified, SideBySide, NoProxy)
	}
	if len(opt.Brokers) == 0 {
		opt.Brokers = []string{"broker-a", "broker-b"}
	}
	if opt.BrokerIP == "" {
		opt.BrokerIP = "127.0.0.1"
	}
	if opt.EnvoyVersion == "" {
		opt.EnvoyVersion = repo.EnvoyVersion()
	}
	p, err := findPaths(opt.EnvoyVersion, opt.servers())
	if err != nil {
		return nil, err
	}
	w := &World{opt: opt, paths: p, ports: map[int]int{}}
	if err := w.choosePorts(); err != nil {
		return nil, err
	}
	if w.Dir, err = makeDir(); err != nil {
		return nil, err
	}
	if opt.Keep {
		if err := os.WriteFile(filepath.Join(w.Dir, keepFile), nil, 0o644); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *World) choosePorts() error {
	var err error
	if w.picker, err = newPortPicker(); err != nil {
		return err
	}
	wanted := []int{exampleNameServer, exampleProxyNameServer, exampleAdmin, exampleGRPC}
	for i := range w.opt.Brokers {
		_, proxy := exampleBroker(i)
		wanted = append(wanted, proxy)
	}
	for _, p := range wanted {
		if w.ports[p], err = w.picker.pick(); err != nil {
			return err
		}
	}
	if w.opt.Server.IsValid() {
		w.ports[exampleNameServer] = int(w.opt.Server.Port())
	}
	for i, name := range w.opt.Brokers {
		// A broker also takes the port two below its own (for senders) and the one above (replication).
		port, err := w.picker.pick(-2, 1)
		if err != nil {
			return err
		}
		broker, proxy := exampleBroker(i)
		w.ports[broker] = port
		w.Brokers = append(w.Brokers, &Broker{
			Name: name, Addr: net.JoinHostPort(w.opt.BrokerIP, strconv.Itoa(port)), ProxyAddr: loopback(w.ports[proxy]), world: w, folder: name, port: port,
		})
	}
	if w.opt.Controller {
		if w.controllerPort, err = w.picker.pick(); err != nil {
			return err
		}
	}
	if w.opt.Mode == SideBySide {
		if w.unifiedPort, err = w.picker.pick(); err != nil {
			return err
		}
		w.UnifiedAddr = loopback(w.unifiedPort)
	}
	w.NameServer = loopback(w.ports[exampleNameServer])
	w.Admin = loopback(w.ports[exampleAdmin])
	w.ProxyAddr = loopback(w.ports[exampleProxyNameServer])
	if w.opt.Mode == NoProxy {
		w.ProxyAddr = w.NameServer
	}
	return nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (w *World) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, b := range w.Brokers {
		if slices.Contains(w.opt.Wired, b.Name) {
			var err error
			if b.wire, err = w.newWire(b.Name, b.port); err != nil {
				return err
			}
		}
	}
	if w.opt.WiredEnvoy {
		for _, port := range w.ProxyPorts() {
			wire, err := w.newWire("proxy", port)
			if err != nil {
				return err
			}
			w.proxyWires = append(w.proxyWires, wire)
		}
	}
	if w.opt.Server.IsValid() {
		return w.StartEnvoy(ctx)
	}
	// All JVMs at once. A broker that comes before the name server is told to register again.
	tasks := []func() error{func() error { return w.StartNameServer(ctx) }}
	for _, b := range w.Brokers {
		tasks = append(tasks, func() error { return b.Start(ctx) })
	}
	if err := parallel(cancel, tasks...); err != nil {
		return err
	}
	if w.opt.ACL == ACL2 {
		for _, b := range w.Brokers {
			if err := b.createApplication(ctx); err != nil {
				return err
			}
		}
	}
	for topic, queues := range w.opt.Topics {
		if err := w.CreateTopic(ctx, topic, queues); err != nil {
			return err
		}
	}
	if w.opt.Mode == NoProxy {
		return nil
	}
	return w.StartEnvoy(ctx)
}

// newWire leads to a port of a server that listens behind it.
func (w *World) newWire(name string, port int) (*Wire, error) {
	var tap func() (toServer, toClient io.Writer)
	if w.opt.Tap != nil {
		tap = func() (toServer, toClient io.Writer) { return w.opt.Tap(name) }
	}
	return newWire(loopback(port), net.JoinHostPort(behindWire, strconv.Itoa(port)), tap)
}

// Stop ends everything, clients first, and removes the folder. It may be called more than once. The servers, which
// take up to 20 s for an orderly end, get SIGKILL at once unless their stores are to be kept.
func (w *World) Stop() error {
	w.mu.Lock()
	java, envoy, nameServer, replicas := w.java, w.envoy, w.nameServer, w.replicas
	w.java, w.envoy, w.nameServer, w.replicas = nil, nil, nil, nil
	w.mu.Unlock()
	var clients, brokers []func() error
	for _, j := range java {
		clients = append(clients, j.Stop)
	}
	replicas = append(replicas, w.Brokers...)
	for _, b := range replicas {
		brokers = append(brokers, b.Stop)
	}
	errs := []error{parallel(nil, clients...)}
	if envoy != nil {
		errs = append(errs, envoy.Stop(), w.removeSharedMemory())
	}
	if w.opt.Keep {
		errs = append(errs, parallel(nil, brokers...))
	} else {
		for _, b := range replicas {
			if p := b.Process(); p != nil {
				p.Kill()
			}
		}
	}
	if nameServer != nil {
		nameServer.Kill() // it stores nothing
	}
	for _, b := range w.Brokers {
		if b.wire != nil {
			b.wire.close()
		}
	}
	for _, wire := range w.proxyWires {
		wire.close()
	}
	if !w.opt.Keep {
		errs = append(errs, os.RemoveAll(w.Dir))
	}
	return errors.Join(errs...)
}

// WriteLogs writes the last lines of every process's log, at most n each.
func (w *World) WriteLogs(out io.Writer, n int) error {
	for _, pattern := range []string{
		"*.log",
		"*/logs/rocketmqlogs/namesrv.log",
		"*/logs/rocketmqlogs/broker.log",
		"*/logs/rocketmqlogs/remoting.log",
	} {
		files, err := filepath.Glob(filepath.Join(w.Dir, pattern))
		if err != nil {
			return err
		}
		for _, f := range files {
			text := process.Tail(f, n)
			if text == "" {
				continue
			}
			if _, err := fmt.Fprintf(out, "--- %s\n%s\n", strings.TrimPrefix(f, w.Dir+"/"), text); err != nil {
				return err
			}
		}
	}
	return nil
}

// spawn starts a child with its log in the World's folder.
func (w *World) spawn(c process.Command) (*process.Process, error) {
	c.Dir, c.LogFile = w.Dir, filepath.Join(w.Dir, c.Name+".log")
	return process.Start(c)
}

// parallel runs the tasks at once and waits for all; the first error calls cancel, which may be nil. Errors
// that only say that we cancelled are left out if there is another.
func parallel(cancel context.CancelFunc, tasks ...func() error) error {
	errs := make([]error, len(tasks))
	var wg sync.WaitGroup
	for i, task := range tasks {
		wg.Go(func() {
			errs[i] = task()
			if errs[i] != nil && cancel != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	own := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil || errors.Is(err, context.Canceled) })
	if len(own) > 0 {
		errs = own
	}
	return errors.Join(errs...)
}

// dials reports whether a TCP connection to addr opens.
func dials(addr string) (bool, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false, err
	}
	return true, c.Close()
}
