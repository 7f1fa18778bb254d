// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// source counts what the connections of one client address have taken of each total.
type source struct {
	connections atomic.Int64
	pending     atomic.Int64
	memory      atomic.Int64
	files       atomic.Int64

	network  netip.Prefix
	sessions int // guarded by sources.mu
}

// sources has a source for each client address that has a connection. The zero value is empty.
type sources struct {
	mu        sync.Mutex
	byNetwork map[netip.Prefix]*source
}

// join returns the source of a client at `remote` ("ip:port"), which the caller leaves once.
func (s *sources) join(remote string, recorder *stats.Recorder) *source {
	network := sourceNetwork(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.byNetwork[network]
	if from == nil {
		if s.byNetwork == nil {
			s.byNetwork = make(map[netip.Prefix]*source)
		}
		from = &source{network: network}
		s.byNetwork[network] = from
		recorder.Inc(stats.SourceActive)
	}
	from.sessions++
	return from
}

// leave drops a source with its last connection.
func (s *sources) leave(from *source, recorder *stats.Recorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.sessions--; from.sessions == 0 {
		delete(s.byNetwork, from.network)
		recorder.Add(stats.SourceActive, -1)
	}
}

// ipv6SourceBits is the length of the IPv6 network that counts as one client: whoever has a host has at least a /64.
const ipv6SourceBits = 64

// sourceNetwork returns the addresses that count as one client. All clients without an IP address are one.
func sourceNetwork(remote string) netip.Prefix {
	address, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	ip := address.Addr().Unmap()
	bits := ip.BitLen()
	if ip.Is6() {
		bits = ipv6SourceBits
	}
	network, _ := ip.WithZone("").Prefix(bits) // fails for lengths that an address does not have
	return network
}
