// SPDX-License-Identifier: Apache-2.0

// Package proxyprotocol writes what a connection begins with that is to be carried on to another address
// (HAProxy's PROXY protocol, version 2).
package proxyprotocol

import (
	"encoding/binary"
	"net/netip"
)

const (
	signature  = "\r\n\r\n\x00\r\nQUIT\n"
	proxied    = 0x21 // version 2, command PROXY
	overTCPv4  = 0x11
	overTCPv6  = 0x21
	portsBytes = 4
)

// What stands for a source that is not known, or that the family of the destination cannot express: addresses
// which nobody has (RFC 7600, RFC 6666). Envoy takes no header with an address of zeros.
var (
	nobody4 = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 0, 8}), 0)
	nobody6 = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0: 1, 15: 1}), 0)
)

// Header says that a connection of `source` wants to go to `destination`, in the family of the
// destination: Envoy connects to no IPv4 address that is written as IPv6. An invalid source is not known.
func Header(source, destination netip.AddrPort) []byte {
	b := append(make([]byte, 0, 52), signature...)
	to := destination.Addr().Unmap()
	if to.Is4() {
		if !source.Addr().Unmap().Is4() {
			source = nobody4
		}
		from := source.Addr().Unmap()
		b = append(b, proxied, overTCPv4)
		b = binary.BigEndian.AppendUint16(b, 2*4+portsBytes)
		b = append(append(b, from.AsSlice()...), to.AsSlice()...)
	} else {
		if !source.IsValid() {
			source = nobody6
		}
		from, to := source.Addr().As16(), to.As16()
		b = append(b, proxied, overTCPv6)
		b = binary.BigEndian.AppendUint16(b, 2*16+portsBytes)
		b = append(append(b, from[:]...), to[:]...)
	}
	b = binary.BigEndian.AppendUint16(b, source.Port())
	return binary.BigEndian.AppendUint16(b, destination.Port())
}
