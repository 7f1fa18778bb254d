// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// Source counts what the connections of one client address have taken of each total.
type Source struct {
	connections atomic.Int64
	pending     atomic.Int64
	memory      atomic.Int64
	files       atomic.Int64 // in Files.sources, over all configs

	network netip.Prefix
	members int // connections; guarded by sources.mu
}

// sources has a [Source] for each client address that has a connection. The zero value is empty.
type sources struct {
	mu        sync.Mutex
	byNetwork map[netip.Prefix]*Source
}

// join returns the source of a client, which the caller leaves once, and whether it is a new one.
func (s *sources) join(network netip.Prefix) (from *Source, isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from = s.byNetwork[network]
	if from == nil {
		if s.byNetwork == nil {
			s.byNetwork = make(map[netip.Prefix]*Source)
		}
		from, isNew = &Source{network: network}, true
		s.byNetwork[network] = from
	}
	from.members++
	return from, isNew
}

// leave drops a source with its last connection, and reports whether this was it.
func (s *sources) leave(from *Source) (isLast bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.members--; from.members > 0 {
		return false
	}
	delete(s.byNetwork, from.network)
	return true
}

// size returns the number of client addresses.
func (s *sources) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byNetwork)
}

// ipv6SourceBits is the length of the IPv6 network that counts as one client: whoever has a host has at least a /64.
const ipv6SourceBits = 64

// networkOf returns the addresses that count as one client. All clients without an IP address are one.
func networkOf(remote string) netip.Prefix {
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
