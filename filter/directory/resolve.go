// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/refresher"
)

const (
	// maxAddresses bounds what is kept of the addresses of one host name.
	maxAddresses = 16
	// maxLookups bounds the host names that are resolved at once.
	maxLookups = 16
)

// resolveAll resolves host:port addresses, each in the time of ctx, and returns the addresses or the error of each.
func (d *Directory) resolveAll(ctx context.Context, hosts []string) (addresses [][]string, failures []error) {
	addresses, failures = make([][]string, len(hosts)), make([]error, len(hosts))
	var lookups sync.WaitGroup
	free := make(chan struct{}, maxLookups)
	for i, host := range hosts {
		free <- struct{}{}
		lookups.Go(func() {
			failures[i] = refresher.Recovered(func() (err error) {
				addresses[i], err = d.source.Resolve(ctx, host)
				return err
			})
			<-free
		})
	}
	lookups.Wait()
	return addresses, failures
}

// resolveHosts finds out what the host names among the brokers' addresses stand for now. The address that was dialled
// first stays the first while the name has it. A name that cannot be resolved now keeps what it stood for before, and one
// of the proxy stays a name: whatever it stands for, nothing may be sent there.
func (d *Directory) resolveHosts(ctx context.Context, before *Snapshot, answers []answer) (resolved map[string][]string) {
	ctx, cancel := context.WithTimeout(ctx, nameServerTimeout) // for all together
	defer cancel()
	resolved = make(map[string][]string)
	var hosts []string
	for _, host := range before.hostNames(answers) {
		if d.reach.Advertised(host) {
			resolved[host] = []string{host}
		} else {
			hosts = append(hosts, host)
		}
	}
	addresses, failures := d.resolveAll(ctx, hosts)
	for i, host := range hosts {
		if resolved[host] = addresses[i]; failures[i] != nil {
			resolved[host] = before.resolved[host]
		} else if first := before.dialled(host); first != "" {
			toFront(addresses[i], first)
		}
	}
	return resolved
}

// hostNames returns the host names (host:port) among the addresses that the sources have said, some answers included.
func (s *Snapshot) hostNames(answers []answer) (hosts []string) {
	add := func(hostPort string) {
		if !isIPPort(hostPort) {
			hosts = append(hosts, hostPort)
		}
	}
	for _, a := range answers {
		for _, b := range a.brokers {
			add(b.HostPort())
		}
	}
	addAll := func(words map[string]word) {
		for _, w := range words {
			for _, hostPort := range w.byID {
				add(hostPort)
			}
		}
	}
	for _, l := range s.lists {
		addAll(l.words)
	}
	addAll(s.routes)
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// unresolved returns the brokers of the lists whose address is neither ip:port nor a host name that could ever be
// resolved, in the order of their names and ids.
func (s *Snapshot) unresolved() (unusable []body.Address) {
	for name := range s.names() {
		w, ok := s.listed(name)
		if !ok {
			continue
		}
		for id, hostPort := range w.byID {
			if s.dialled(hostPort) == "" {
				unusable = append(unusable, body.Address{Cluster: w.cluster, BrokerName: name, BrokerID: id, Addr: hostPort})
			}
		}
	}
	slices.SortFunc(unusable, func(a, b body.Address) int {
		return cmp.Or(cmp.Compare(a.BrokerName, b.BrokerName), cmp.Compare(a.BrokerID, b.BrokerID))
	})
	return unusable
}

// isUntried reports whether a host name of a route has never been looked up.
func (s *Snapshot) isUntried(w word) bool {
	for _, hostPort := range w.byID {
		if _, tried := s.resolved[hostPort]; !tried && !isIPPort(hostPort) {
			return true
		}
	}
	return false
}

// hasSuccessor reports whether another address can be dialled in place of one that comes first.
func (s *Snapshot) hasSuccessor(address string) bool {
	if isFirstOfSeveral(s.nameServers, address) {
		return true
	}
	for _, addresses := range s.resolved {
		if isFirstOfSeveral(addresses, address) {
			return true
		}
	}
	return false
}

// withoutFirst is s where an address is the last of each list that it was the first of.
func (s *Snapshot) withoutFirst(address string) *Snapshot {
	next := s.copied()
	toEnd := func(list []string) []string {
		if !isFirstOfSeveral(list, address) {
			return list
		}
		return append(slices.Clone(list[1:]), address)
	}
	next.nameServers = toEnd(s.nameServers)
	next.resolved = make(map[string][]string, len(s.resolved))
	for host, addresses := range s.resolved {
		next.resolved[host] = toEnd(addresses)
	}
	next.believeAll()
	return next
}

// SameHost reports whether two addresses (ip:port) are equal, or one host name of a broker stands for both.
func (s *Snapshot) SameHost(a, b string) bool {
	if a == b {
		return true
	}
	for _, addresses := range s.resolved {
		if slices.Contains(addresses, a) && slices.Contains(addresses, b) {
			return true
		}
	}
	return false
}

func isFirstOfSeveral(list []string, address string) bool { return len(list) > 1 && list[0] == address }

// toFront moves an element to the front of a list that has it; the others keep their order.
func toFront(list []string, first string) {
	if i := slices.Index(list, first); i > 0 {
		copy(list[1:i+1], list[:i])
		list[0] = first
	}
}

func isIPPort(address string) bool {
	_, err := netip.ParseAddrPort(address)
	return err == nil
}

// resolve turns host:port into all that it stands for, as ip:port, by the system's resolver: IPv4 first, and always in the
// same order.
func resolve(ctx context.Context, address string) ([]string, error) {
	if isIPPort(address) {
		return []string{address}, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	return sorted(found, port), nil
}

// sorted returns addresses with a port, each once, as many as are kept.
func sorted(found []netip.Addr, port string) (addresses []string) {
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare) // which has IPv4 first
	found = slices.Compact(found)
	for _, a := range found[:min(len(found), maxAddresses)] {
		addresses = append(addresses, net.JoinHostPort(a.String(), port))
	}
	return addresses
}
