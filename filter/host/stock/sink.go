// SPDX-License-Identifier: Apache-2.0

package stock

import (
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// sink hands the stats of a config to Envoy.
type sink struct {
	functions
	stats unsafe.Pointer // the host's
	ids   []uint32       // by stats.ID
}

// newSink defines the stats of the config that Envoy is reading.
func (p *plugin) newSink(of unsafe.Pointer, statPrefix string, defs []stats.Def) stats.Sink {
	s := &sink{functions: p.functions, stats: of, ids: make([]uint32, len(defs))}
	for i, def := range defs {
		name := statPrefix + "." + def.Name
		id, ok := s.defineStat(of, def.Kind, name)
		if !ok {
			p.LogError("Envoy does not take the stat %q", name)
			id = noStat
		}
		s.ids[i] = id
	}
	return s
}

// noStat is an ID that the host ignores.
const noStat = ^uint32(0)

// Add implements stats.Sink.
func (s *sink) Add(id stats.ID, delta int64) { s.addToStat(s.stats, s.ids[id], delta) }

// Record implements stats.Sink.
func (s *sink) Record(id stats.ID, value, count uint64) {
	s.recordStat(s.stats, s.ids[id], value, count)
}
