// SPDX-License-Identifier: Apache-2.0

package directory

import (
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
}

// broker is the addresses (ip:port) of one broker name.
type broker struct {
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

// BrokerNames are all known broker names, sorted.
func (s *Snapshot) BrokerNames() []string {
	return slices.Sorted(maps.Keys(s.brokers))
}

// NameServers are the name servers as ip:port, the one that answered last in front. Empty until
// their host names have been resolved.
func (s *Snapshot) NameServers() []string { return s.nameServers }

// withLearned is s with what a route answer said of the brokers in it; s itself when that is
// nothing new.
func (s *Snapshot) withLearned(seen []body.Address, now time.Time) *Snapshot {
	learned := byName(seen, now)
	changed := false
	for name, b := range learned {
		if !maps.Equal(s.brokers[name].byID, b.byID) {
			changed = true
		}
	}
	if !changed {
		return s
	}
	next := *s
	next.brokers = maps.Clone(s.brokers)
	if next.brokers == nil {
		next.brokers = make(map[string]broker, len(learned))
	}
	maps.Copy(next.brokers, learned)
	return &next
}

// refreshed is s with all that a source knows. What it does not name any more is kept for a while.
func (s *Snapshot) refreshed(seen []body.Address, now time.Time, forgetAfter time.Duration) map[string]broker {
	brokers := byName(seen, now)
	for name, b := range s.brokers {
		if _, named := brokers[name]; !named && now.Sub(b.seen) < forgetAfter {
			brokers[name] = b
		}
	}
	return brokers
}

func byName(seen []body.Address, now time.Time) map[string]broker {
	brokers := make(map[string]broker)
	for _, a := range seen {
		b, ok := brokers[a.BrokerName]
		if !ok {
			b = broker{byID: make(map[int64]string, 1), leastID: a.BrokerID, seen: now}
		}
		b.byID[a.BrokerID] = a.Addr
		b.leastID = min(b.leastID, a.BrokerID)
		brokers[a.BrokerName] = b
	}
	return brokers
}
