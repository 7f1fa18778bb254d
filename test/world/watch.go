// SPDX-License-Identifier: Apache-2.0

package world

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Watch looks at the TCP connections of client processes again and again, to show that none ever reaches a broker
// or a name server except through the proxy. A connection that opens and closes between two looks (some 100 ms
// apart) is missed; RocketMQ's clients keep theirs open for two minutes.
type Watch struct {
	forbidden map[uint16]bool // name server, brokers
	proxy     map[uint16]bool // Envoy's listeners
	pids      []int
	stop      chan struct{}
	stopped   sync.WaitGroup

	mu     sync.Mutex
	report WatchReport
	seen   map[string]bool
}

// WatchReport is what a Watch saw.
type WatchReport struct {
	// Looks at which every process could be read.
	Looks int
	// Direct are the distinct connections to a forbidden port, as text.
	Direct []string
	// ViaProxy is the greatest number of connections to Envoy's listeners that one look found: not 0, if the
	// clients did anything.
	ViaProxy int
	// Failures are looks that failed, because a process had ended.
	Failures int
}

// WatchClients begins to watch the clients; Stop ends it.
func (w *World) WatchClients(clients ...*Java) *Watch {
	watch := &Watch{
		forbidden: map[uint16]bool{}, proxy: map[uint16]bool{}, stop: make(chan struct{}), seen: map[string]bool{},
	}
	for _, p := range w.ServerPorts() {
		watch.forbidden[uint16(p)] = true
	}
	for _, p := range w.ProxyPorts() {
		watch.proxy[uint16(p)] = true
	}
	for _, c := range clients {
		watch.pids = append(watch.pids, c.Pid())
	}
	watch.stopped.Go(func() {
		for {
			watch.look()
			select {
			case <-watch.stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return watch
}

func (w *Watch) look() {
	var direct []string
	viaProxy := 0
	for _, pid := range w.pids {
		conns, err := Connections(pid)
		if err != nil {
			w.mu.Lock()
			w.report.Failures++
			w.mu.Unlock()
			return
		}
		for _, c := range conns {
			switch {
			case c.State == Listening:
			case w.forbidden[c.Remote.Port()]:
				direct = append(direct, fmt.Sprintf("process %d: %s → %s", pid, c.Local, c.Remote))
			case w.proxy[c.Remote.Port()]:
				viaProxy++
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Looks++
	w.report.ViaProxy = max(w.report.ViaProxy, viaProxy)
	for _, d := range direct {
		if !w.seen[d] {
			w.seen[d] = true
			w.report.Direct = append(w.report.Direct, d)
		}
	}
}

// Report returns what was seen so far.
func (w *Watch) Report() WatchReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.report
	r.Direct = slices.Clone(r.Direct)
	return r
}

// Stop ends the watch and returns what it saw. To be called once.
func (w *Watch) Stop() WatchReport {
	close(w.stop)
	w.stopped.Wait()
	return w.Report()
}

func (r WatchReport) String() string {
	s := fmt.Sprintf("%d direct connections in %d looks, up to %d through the proxy", len(r.Direct), r.Looks, r.ViaProxy)
	if len(r.Direct) > 0 {
		s += ": " + strings.Join(r.Direct, "; ")
	}
	return s
}
