// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"

// way is how a client gets to the brokers.
type way string

const (
	direct    way = "direct"
	perBroker way = "per-broker"
	unified   way = "unified"
)

// allWays in the order of the marks.
var allWays = []way{direct, perBroker, unified}

// nameServer is what this way's clients are given.
func (wy way) nameServer(w *world.World) string {
	switch wy {
	case perBroker:
		return w.ProxyAddr
	case unified:
		return w.UnifiedAddr
	default:
		return w.NameServer
	}
}

// brokers are the addresses of the brokers as a user types them.
func (wy way) brokers(w *world.World) []string {
	var all []string
	for _, b := range w.Brokers {
		switch wy {
		case perBroker:
			all = append(all, b.ProxyAddr)
		case unified:
			all = append(all, w.UnifiedAddr)
		default:
			all = append(all, b.Addr)
		}
	}
	return all
}
