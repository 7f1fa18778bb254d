// SPDX-License-Identifier: Apache-2.0

package reach

import "net/netip"

// Verdict says whether the proxy may connect to an address and, if not, why.
type Verdict uint8

// The verdicts.
const (
	Allowed Verdict = iota
	// Self is an address of this process, or one that clients reach the proxy by.
	Self
	// Outside is an address in none of the networks where brokers may be.
	Outside
)

// Rules judge the addresses of one RocketMQ cluster. The zero value knows no address of this process and lets brokers be
// in any network but the special ones.
type Rules struct {
	// Own are the addresses of this process; nil: none are known.
	Own *Own
	// Networks are those where brokers may be; none: any but the special ones.
	Networks []netip.Prefix
	// Configured is set where the brokers' addresses are the operator's: endpoints of Envoy's clusters.
	Configured bool
}

// Refresh has what is known of this process looked at again, for addresses that others can change. Configured ones are
// refreshed together: see Own.Refresh.
func (r *Rules) Refresh() {
	if !r.Configured {
		r.Own.Refresh()
	}
}

// Broker judges the address (ip:port) that a broker has registered, or a client has dialled. A host name is Self if clients
// are given it as the proxy's and Outside otherwise: it must be resolved first.
func (r *Rules) Broker(address string) Verdict {
	if r.Configured {
		return r.NameServer(address)
	}
	at, err := netip.ParseAddrPort(address)
	switch {
	case err != nil && r.Advertised(address):
		return Self
	case err != nil:
		return Outside
	}
	at = plain(at)
	if r.Own.listens(at) || r.Own.isAdvertised(at.String()) {
		return Self
	}
	if !r.inNetworks(at.Addr()) {
		return Outside
	}
	return Allowed
}

// NameServer judges an address that the operator has configured: it may be another listener of the same Envoy, but not
// one with this filter.
func (r *Rules) NameServer(address string) Verdict {
	if at, err := netip.ParseAddrPort(address); err == nil && r.Own.serves(plain(at)) {
		return Self
	}
	return Allowed
}

// Advertised reports whether clients are given host:port as an address of the proxy, and it can be nothing else. Inside
// and outside of a network one name may stand for a broker and for the proxy: where the operator names the brokers'
// networks, these decide on what the name resolves to.
func (r *Rules) Advertised(address string) bool {
	return len(r.Networks) == 0 && r.Own.isAdvertised(address)
}

// plain is an address without the forms that mean the same: IPv4 in IPv6, zones.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
