// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// maxArrived bounds the local addresses of connections that are remembered.
const maxArrived = 1024

// Own knows by which addresses this process can be reached. A nil Own knows none. All methods may be called from any
// thread.
type Own struct {
	look func() (sockets []Socket, hosts []netip.Addr)
	// isLocal reports whether the kernel delivers what is sent to an address on this host; nil: for `hosts` only.
	isLocal func(netip.Addr) bool

	mu         sync.Mutex // guards the replacement of what follows
	view       atomic.Pointer[view]
	advertised atomic.Pointer[[]*advertiser]
}

// advertiser reports whether a config gives clients an address of the proxy.
type advertiser struct{ has func(address string) bool }

// view is what was known at one moment. It is immutable.
type view struct {
	sockets map[uint16][]Socket // that listen, by port
	hosts   map[netip.Addr]bool // addresses of this host
	isLocal func(netip.Addr) bool
	// arrived are the local addresses of connections to the filter, and whether a listener of this process is there:
	// where a listener filter restores the destination of redirected connections, it may be that of a broker.
	arrived map[netip.AddrPort]bool
}

// Process are the addresses of this process.
var Process = &Own{look: kernel, isLocal: routesHere}

// NewOwn makes an Own that learns from `look` which sockets of the process listen and which addresses the host has.
func NewOwn(look func() (sockets []Socket, hosts []netip.Addr)) *Own {
	return &Own{look: look}
}

// Arrived takes in the local address of a connection to the filter. The first connection to an address of this host
// looks at the sockets of the process.
func (o *Own) Arrived(local netip.AddrPort) {
	if o == nil || !local.IsValid() || o.view.Load().knows(plain(local)) {
		return
	}
	o.refresh(plain(local))
}

// Refresh looks at the sockets of the process again: listeners come and go with Envoy's config.
func (o *Own) Refresh() {
	if o != nil {
		o.refresh()
	}
}

// refresh replaces the view by what is so now; `arrived` is new.
func (o *Own) refresh(arrived ...netip.AddrPort) {
	o.mu.Lock()
	defer o.mu.Unlock()
	sockets, hosts := o.look()
	next := &view{isLocal: o.isLocal, sockets: make(map[uint16][]Socket), hosts: make(map[netip.Addr]bool), arrived: make(map[netip.AddrPort]bool)}
	for _, s := range sockets {
		next.sockets[s.Address.Port()] = append(next.sockets[s.Address.Port()], s)
		if bound := s.Address.Addr(); !bound.IsUnspecified() {
			next.hosts[bound] = true // whether an interface has it or not
		}
	}
	for _, host := range hosts {
		next.hosts[host] = true
	}
	if last := o.view.Load(); last != nil {
		arrived = slices.AppendSeq(arrived, maps.Keys(last.arrived))
	}
	for _, local := range arrived[:min(len(arrived), maxArrived)] {
		next.arrived[local] = next.listens(local)
	}
	o.view.Store(next)
}

// knows reports whether a look at the sockets would say nothing new of the local address of a connection.
func (v *view) knows(local netip.AddrPort) bool {
	if v == nil {
		return false
	}
	_, known := v.arrived[local]
	return known || !v.isHost(local.Addr()) || len(v.arrived) >= maxArrived
}

// isHost reports whether an address is this host's: one of an interface, or one that the kernel takes for its own by a
// route, as those of load balancers may be, or by an interface that got it since the last look.
func (v *view) isHost(a netip.Addr) bool {
	return a.IsLoopback() || v.hosts[a] || v.isLocal != nil && v.isLocal(a)
}

// listens reports whether a socket of this process takes connections to an address.
func (v *view) listens(a netip.AddrPort) bool {
	return slices.ContainsFunc(v.sockets[a.Port()], func(s Socket) bool { return v.takes(s, a) })
}

// serves reports whether a socket on which connections have come to the filter takes those to an address.
func (v *view) serves(a netip.AddrPort) bool {
	return slices.ContainsFunc(v.sockets[a.Port()], func(s Socket) bool {
		if !v.takes(s, a) {
			return false
		}
		for local, listens := range v.arrived {
			if listens && local.Port() == a.Port() && v.takes(s, local) {
				return true
			}
		}
		return false
	})
}

// takes reports whether a socket takes connections to an address with its port.
func (v *view) takes(s Socket, a netip.AddrPort) bool {
	bound := s.Address.Addr()
	switch {
	case !bound.IsUnspecified():
		return bound == a.Addr()
	case !v.isHost(a.Addr()):
		return false
	case a.Addr().Is4():
		return bound.Is4() || !s.V6Only
	}
	return bound.Is6()
}

func (o *Own) listens(a netip.AddrPort) bool {
	if o == nil {
		return false
	}
	v := o.view.Load()
	return v != nil && v.listens(a)
}

func (o *Own) serves(a netip.AddrPort) bool {
	if o == nil {
		return false
	}
	v := o.view.Load()
	return v != nil && v.serves(a)
}

// Advertise adds what a config gives clients as addresses (host:port) of the proxy, until `withdraw` is called.
func (o *Own) Advertise(has func(address string) bool) (withdraw func()) {
	a := &advertiser{has}
	o.mu.Lock()
	defer o.mu.Unlock()
	all := append(slices.Clone(o.advertisers()), a)
	o.advertised.Store(&all)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		rest := slices.DeleteFunc(slices.Clone(o.advertisers()), func(each *advertiser) bool { return each == a })
		o.advertised.Store(&rest)
	}
}

func (o *Own) advertisers() []*advertiser {
	if all := o.advertised.Load(); all != nil {
		return *all
	}
	return nil
}

// isAdvertised reports whether a config of this process gives clients host:port as an address of the proxy.
func (o *Own) isAdvertised(address string) bool {
	if o == nil {
		return false
	}
	address = strings.ToLower(address)
	return slices.ContainsFunc(o.advertisers(), func(a *advertiser) bool { return a.has(address) })
}
