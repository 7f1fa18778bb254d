// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"slices"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// way is one of the ways to the same brokers that tests put side by side (world.SideBySide).
type way struct {
	name       string
	nameServer string // what clients are given
	statPrefix string // empty: no proxy
}

func (x *installation) ways() []way {
	return []way{
		{"direct", x.NameServer, ""},
		{string(world.PerBroker), x.ProxyAddr, "rocketmq.demo."},
		{string(world.Unified), x.UnifiedAddr, "rocketmq.unified."},
	}
}

func (x *installation) proxiedWays() []way {
	return slices.DeleteFunc(x.ways(), func(w way) bool { return !w.proxied() })
}

func (w way) proxied() bool { return w.statPrefix != "" }

// broker is where this way's clients send what is meant for a broker.
func (w way) broker(b *world.Broker) string {
	switch w.name {
	case string(world.PerBroker):
		return b.ProxyAddr
	case string(world.Unified):
		return w.nameServer
	default:
		return b.Addr
	}
}

// by makes x report to a subtest and its clients go this way.
func (x *installation) by(t *testing.T, w way) *installation {
	sub := x.on(t)
	sub.nameServer, sub.statPrefix = w.nameServer, w.statPrefix
	return sub
}
