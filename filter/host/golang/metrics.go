// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// metrics leads the stats of network filters to Envoy. Their ABI has no metrics, but that of HTTP filters
// has; so the plugin is an HTTP plugin too, and each config that names it opens a door for the whole
// process. Any number of them may be open, from before or after the network filters' configs; the
// newest is used, and when none is, what has been counted waits for the next one.
type metrics struct {
	host    *host.Host
	envoy   metricsAPI
	unheard atomic.Bool // there are stats, but no door; to be said once
	waiting atomic.Bool // some sink has samples for Envoy's histograms

	mu    sync.Mutex // guards all sinks and doors; held during calls of Envoy's functions
	sinks map[string]*sink

	// A thread that calls one of Envoy's functions may become the last to hold the config and destroy it,
	// which ends in close, inside that call. Hence this lock, never held during such a call.
	openMu sync.Mutex
	open   []*door // never changed in place; oldest first
}

// door is a config of the HTTP plugin. Envoy's part of it is freed when nobody can use it any more.
type door struct {
	config unsafe.Pointer
	ids    map[*sink][]uint32 // Envoy's ids of a sink's stats, by row
}

func newMetrics(h *host.Host, envoy metricsAPI) *metrics {
	return &metrics{host: h, envoy: envoy, sinks: make(map[string]*sink)}
}

// opened takes a new config of the HTTP plugin, on an Envoy thread.
func (m *metrics) opened(config unsafe.Pointer) *door {
	d := &door{config: config, ids: make(map[*sink][]uint32)}
	runtime.AddCleanup(d, m.envoy.finalize, config)
	m.mu.Lock()
	defer m.mu.Unlock()
	// With another door open Envoy has these stats already, as moved so far.
	first := len(m.doors()) == 0
	for _, s := range m.sinks {
		s.define(d, first)
	}
	m.openMu.Lock()
	m.open = append(slices.Clone(m.open), d)
	m.openMu.Unlock()
	m.unheard.Store(false)
	for _, s := range m.sinks {
		for row := range s.total {
			s.move(row)
		}
	}
	m.waiting.Store(true)
	return d
}

// closed ends the use of a door. Its stats are Envoy's to keep or forget.
func (m *metrics) closed(d *door) {
	m.openMu.Lock()
	defer m.openMu.Unlock()
	m.open = slices.DeleteFunc(slices.Clone(m.open), func(other *door) bool { return other == d })
}

func (m *metrics) doors() []*door {
	m.openMu.Lock()
	defer m.openMu.Unlock()
	return m.open
}

// sink gives the sink of a config, on an Envoy thread. Configs with one stat_prefix share what both have, as Envoy
// has one set of stats for them.
func (m *metrics) sink(statPrefix string, table []stats.Def) stats.Sink {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sinks[statPrefix]
	if s == nil {
		s = newSink(m, statPrefix)
		m.sinks[statPrefix] = s
		if len(m.sinks) == 1 {
			m.unheard.Store(len(m.doors()) == 0)
		}
	}
	t := s.of(table)
	for _, d := range m.doors() {
		s.define(d, false)
	}
	return t
}

// warnOnce says that nothing hears the stats. Listeners take connections when all that Envoy started
// with have been read, so a connection is the time to ask.
func (m *metrics) warnOnce() {
	if m.unheard.CompareAndSwap(true, false) {
		m.host.LogWarning("no metrics: no listener names the HTTP plugin %q, see docs/GOLANG_FILTER.md", StatsPluginName)
	}
}

// maxRecords bounds how many samples one event of a connection hands over, and so how long it waits.
const maxRecords = 1000

// record hands samples to Envoy's histograms. To be called in events that Envoy raises: histograms
// use storage of its threads. Cheap when there is nothing to do, or somebody is at it.
func (m *metrics) record() {
	if !m.waiting.Load() || !m.mu.TryLock() {
		return
	}
	defer m.mu.Unlock()
	left := maxRecords
	for _, s := range m.sinks {
		s.record(&left)
	}
	m.waiting.Store(left == 0)
}
