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

// Header says that a connection of `source` wants to go to `destination`. Addresses of different
// families are both written as IPv6. An invalid address is written as all zeros.
func Header(source, destination netip.AddrPort) []byte {
	b := append(make([]byte, 0, 52), signature...)
	from, to := source.Addr().Unmap(), destination.Addr().Unmap()
	if from.Is4() && to.Is4() || !from.IsValid() && to.Is4() {
		b = append(b, proxied, overTCPv4)
		b = binary.BigEndian.AppendUint16(b, 2*4+portsBytes)
		b = append(append(b, v4(from)...), v4(to)...)
	} else {
		b = append(b, proxied, overTCPv6)
		b = binary.BigEndian.AppendUint16(b, 2*16+portsBytes)
		b = append(append(b, v6(from)...), v6(to)...)
	}
	b = binary.BigEndian.AppendUint16(b, source.Port())
	return binary.BigEndian.AppendUint16(b, destination.Port())
}

func v4(a netip.Addr) []byte {
	if !a.IsValid() {
		return make([]byte, 4)
	}
	bytes := a.As4()
	return bytes[:]
}

func v6(a netip.Addr) []byte {
	if !a.IsValid() {
		return make([]byte, 16)
	}
	bytes := a.As16()
	return bytes[:]
}
