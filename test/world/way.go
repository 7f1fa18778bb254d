// SPDX-License-Identifier: Apache-2.0

package world

import "slices"

// Way is one of the ways to the same brokers that SideBySide puts beside each other.
type Way struct {
	Name       string
	NameServer string // what clients are given
	StatPrefix string // of the filter's stats; empty: no proxy
}

// Proxied tells whether the way leads through Envoy.
func (w Way) Proxied() bool { return w.StatPrefix != "" }

// Broker is where this way's clients send what is meant for a broker.
func (w Way) Broker(b *Broker) string {
	switch w.Name {
	case string(PerBroker):
		return b.ProxyAddr
	case string(Unified):
		return w.NameServer
	default:
		return b.Addr
	}
}

// Ways are those of a World that is SideBySide: directly, and through Envoy either way.
func (w *World) Ways() []Way {
	return []Way{
		{"direct", w.NameServer, ""},
		{string(PerBroker), w.ProxyAddr, "rocketmq.demo."},
		{string(Unified), w.UnifiedAddr, "rocketmq.unified."},
	}
}

// ProxiedWays are those through Envoy.
func (w *World) ProxiedWays() []Way {
	return slices.DeleteFunc(w.Ways(), func(way Way) bool { return !way.Proxied() })
}
