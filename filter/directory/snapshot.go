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
	brokers     map[string]broker
	nameServers []string
	// resolved is what host names among the brokers' addresses (host:port) stand for (ip:port); "" for
	// one that could not be resolved.
	resolved map[string]string
	// unusable are brokers whose address is neither ip:port nor a name that could ever be resolved.
	unusable []body.Address
}

// broker is the addresses (ip:port) of one broker name.
type broker struct {
	cluster string // of the last that named it
	byID    map[int64]string
	leastID int64
	seen    time.Time // when a name server or a route last named it
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
	target := body.Address{Addr: address}.HostPort()
	if resolved, ok := s.resolved[target]; ok {
		target = resolved
	}
	for name, b := range s.brokers {
		for id, known := range b.byID {
			if known == target {
				return body.Address{Cluster: b.cluster, BrokerName: name, BrokerID: id, Addr: address}, b.leastID, true
			}
		}
	}
	return body.Address{Addr: address}, 0, false
}

// vipChannelDistance is how far below its own port a broker listens for the VIP channel.
const vipChannelDistance = 2

// Known tells whether a broker or a name server is at ip:port, the brokers' VIP channels included.
func (s *Snapshot) Known(address string) bool {
	if slices.Contains(s.nameServers, address) {
		return true
	}
	for _, b := range s.brokers {
		for _, known := range b.byID {
			if known == address || vipChannel(known) == address {
				return true
			}
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

// NameServers are the name servers as ip:port, the one that answered last in front. Empty until
// their host names have been resolved.
func (s *Snapshot) NameServers() []string { return s.nameServers }

// isNews tells whether a route answer says anything new of the brokers in it.
func (s *Snapshot) isNews(seen []body.Address) bool {
	for name, b := range byName(seen, time.Time{}) {
		if !maps.Equal(s.brokers[name].byID, b.byID) {
			return true
		}
	}
	return false
}

// withLearned is s with what a route answer said of the brokers in it, and how many it has no room for.
func (s *Snapshot) withLearned(seen []body.Address, now time.Time, most int) (next *Snapshot, beyond int) {
	next = &Snapshot{}
	*next = *s
	next.brokers = maps.Clone(s.brokers)
	if next.brokers == nil {
		next.brokers = make(map[string]broker)
	}
	return next, add(next.brokers, byName(seen, now), most)
}

// add puts brokers into a table of at most `most` names, and gives the number of those that had no room.
func add(table, brokers map[string]broker, most int) (beyond int) {
	for name, b := range brokers {
		if _, known := table[name]; known || len(table) < most {
			table[name] = b
		} else {
			beyond++
		}
	}
	return beyond
}

// refreshed is the brokers with all that a source knows, and how many there is no room for. What it does not name any
// more is kept for a while; what is known already goes first.
func (s *Snapshot) refreshed(seen []body.Address, now time.Time, forgetAfter time.Duration, most int) (brokers map[string]broker, beyond int) {
	named := byName(seen, now)
	brokers = make(map[string]broker, min(len(named), most))
	for name, b := range s.brokers {
		if again, ok := named[name]; ok {
			brokers[name] = again
		} else if now.Sub(b.seen) < forgetAfter {
			brokers[name] = b
		}
	}
	return brokers, add(brokers, named, most)
}

func byName(seen []body.Address, now time.Time) map[string]broker {
	brokers := make(map[string]broker)
	for _, a := range seen {
		b, ok := brokers[a.BrokerName]
		if !ok {
			b = broker{cluster: a.Cluster, byID: make(map[int64]string, 1), leastID: a.BrokerID, seen: now}
		}
		b.byID[a.BrokerID] = a.Addr
		b.leastID = min(b.leastID, a.BrokerID)
		brokers[a.BrokerName] = b
	}
	return brokers
}
