// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net/netip"
	"slices"
)

// nat64 is the prefix under which translators have IPv4 addresses in IPv6 (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// nowhere are networks in which no host is.
var nowhere = prefixes("0.0.0.0/8", "::/128", "224.0.0.0/4", "ff00::/8", "255.255.255.255/32")

// special are networks where no broker is unless the operator names them, or a part of them: link-local addresses, and
// those where clouds serve instance metadata. Some give credentials to whoever can connect.
var special = prefixes(
	"169.254.0.0/16", "fe80::/10",
	"fd00:ec2::/32",      // Amazon EC2, IPv6
	"fd20:ce::254/128",   // Google Compute Engine, IPv6
	"100.100.100.200/32", // Alibaba Cloud
	"168.63.129.16/32",   // Microsoft Azure
	"192.0.0.192/32",     // Oracle Cloud
)

func prefixes(all ...string) (parsed []netip.Prefix) {
	for _, each := range all {
		parsed = append(parsed, netip.MustParsePrefix(each))
	}
	return parsed
}

// inNetworks reports whether a broker may be at an address, which is plain.
func (r *Rules) inNetworks(a netip.Addr) bool {
	if r.isForbidden(a) {
		return false
	}
	if nat64.Contains(a) {
		b := a.As16()
		if r.isForbidden(netip.AddrFrom4([4]byte(b[12:]))) {
			return false
		}
	}
	return len(r.Networks) == 0 || slices.ContainsFunc(r.Networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isForbidden reports whether an address is in a network where no broker may be, whatever else Networks have in them: a
// special one is named on purpose only by itself or a part of it.
func (r *Rules) isForbidden(a netip.Addr) bool {
	contains := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(nowhere, contains) {
		return true
	}
	i := slices.IndexFunc(special, contains)
	return i >= 0 && !slices.ContainsFunc(r.Networks, func(p netip.Prefix) bool {
		return p.Contains(a) && p.Bits() >= special[i].Bits()
	})
}
