// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// Snapshot is what was known at one moment. It is immutable.
type Snapshot struct {
	brokers     map[string]broker // as far as the sources are believed
	nameServers []string

	lists      map[string]list // by name server
	routes     map[string]word // by broker name
	unanswered bool            // no name server has answered the last refresh

	// resolved is what host names among the brokers' addresses (host:port) stand for (ip:port), the one to dial first;
	// empty for one that could never be resolved.
	resolved map[string][]string
	// unusable are brokers whose address is neither ip:port nor a name that could ever be resolved.
	unusable []body.Address
}

// broker is the addresses (ip:port) of one broker name, at least one.
type broker struct {
	cluster string
	byID    map[int64]string
	leastID int64
}

func (s *Snapshot) copied() *Snapshot {
	next := *s
	return &next
}

// NameServersForget is how long a broker is remembered that the name servers do not name any more. A name
// server that has just started names none until each broker has registered again, which they do every
// 30 s (BrokerConfig.registerNameServerPeriod).
const NameServersForget = 3 * time.Minute

// Address is the ip:port of one broker.
func (s *Snapshot) Address(name string, id int64) (string, bool) {
	address, ok := s.brokers[name].byID[id]
	return address, ok
}

// Master is the ip:port of a broker name's master or, when it has none now, of the slave with the
// least id, which clients fall back to in the same way.
func (s *Snapshot) Master(name string) (string, bool) {
	b, ok := s.brokers[name]
	return b.byID[b.leastID], ok
}

// ClusterName returns the name of the cluster that a broker has registered with; empty if it is not known.
func (s *Snapshot) ClusterName(broker string) string { return s.brokers[broker].cluster }

// Numbered is the ip:port of the broker with this id of the only broker name for which `matches` is true.
func (s *Snapshot) Numbered(matches func(name string) bool, id int64) (address string, ok bool) {
	for name, b := range s.brokers {
		if !matches(name) {
			continue
		}
		if ok {
			return "", false // two of them: nobody can tell which is meant
		}
		if address, ok = b.byID[id]; !ok {
			return "", false
		}
	}
	return address, ok
}

// At finds the broker that has registered an address, which may have a host name, and the least id of its name.
func (s *Snapshot) At(address string) (found body.Address, leastID int64, ok bool) {
	target := s.dialled(body.Address{Addr: address}.HostPort())
	found, leastID = body.Address{Addr: address}, 0
	for name, b := range s.brokers {
		for id, known := range b.byID {
			if known == target && (!ok || id < found.BrokerID) { // one that acts for its master has two
				found.Cluster, found.BrokerName, found.BrokerID = b.cluster, name, id
				leastID, ok = b.leastID, true
			}
		}
	}
	return found, leastID, ok
}

// vipChannelDistance is how far below its own port a broker listens for the VIP channel.
const vipChannelDistance = 2

// Known reports whether a broker or a name server is at ip:port, the brokers' VIP channels included.
func (s *Snapshot) Known(address string) bool {
	is := func(known string) bool { return known == address || vipChannel(known) == address }
	if slices.Contains(s.nameServers, address) {
		return true
	}
	for _, b := range s.brokers {
		for _, known := range b.byID {
			if is(known) {
				return true
			}
		}
	}
	for _, others := range s.resolved {
		if slices.ContainsFunc(others, is) {
			return true
		}
	}
	return false
}

func vipChannel(address string) string {
	a, err := netip.ParseAddrPort(address)
	if err != nil || a.Port() <= vipChannelDistance {
		return ""
	}
	return netip.AddrPortFrom(a.Addr(), a.Port()-vipChannelDistance).String()
}

// Unusable returns the brokers that the last refresh left out, because their address is neither ip:port nor a host name
// that could be resolved.
func (s *Snapshot) Unusable() []body.Address { return s.unusable }

// BrokerNames are all known broker names, sorted.
func (s *Snapshot) BrokerNames() []string {
	return slices.Sorted(maps.Keys(s.brokers))
}

// Addresses are those of all brokers, in no order.
func (s *Snapshot) Addresses() iter.Seq2[string, string] {
	return func(yield func(name, address string) bool) {
		for name, b := range s.brokers {
			for _, address := range b.byID {
				if !yield(name, address) {
					return
				}
			}
		}
	}
}

// NameServers are the name servers as ip:port, the one to ask first in front. Empty until their host names have been
// resolved.
func (s *Snapshot) NameServers() []string { return s.nameServers }
