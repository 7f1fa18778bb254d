// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
)

// Socket is a TCP socket that listens.
type Socket struct {
	Address netip.AddrPort
	// V6Only is set where a socket on [::] takes no IPv4 connections.
	V6Only bool
}

// kernel returns the sockets on which this process listens and the addresses of this host.
func kernel() (sockets []Socket, hosts []netip.Addr) { return listening(), Hosts() }

// listening asks each file of the process whether it is a socket that listens. The files are Envoy's and may be closed
// meanwhile, which is no harm as nothing is changed.
func listening() (sockets []Socket) {
	for _, fd := range files() {
		if listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN); err != nil || listens == 0 {
			continue
		}
		name, err := syscall.Getsockname(fd)
		if err != nil {
			continue
		}
		switch at := name.(type) {
		case *syscall.SockaddrInet4:
			sockets = append(sockets, Socket{Address: netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port))})
		case *syscall.SockaddrInet6:
			v6Only, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY)
			sockets = append(sockets, Socket{
				Address: plain(netip.AddrPortFrom(netip.AddrFrom16(at.Addr), uint16(at.Port))),
				V6Only:  err == nil && v6Only != 0,
			})
		}
	}
	return sockets
}

// Hosts are the addresses of this host's interfaces.
func Hosts() (hosts []netip.Addr) {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok {
			if host, ok := netip.AddrFromSlice(network.IP); ok {
				hosts = append(hosts, host.Unmap())
			}
		}
	}
	return hosts
}

// routesHere asks the kernel for the source address of a datagram to an address, and sends none: for an address of this
// host it is that address, or a loopback one. An interface need not have it: a route of type local is enough.
func routesHere(a netip.Addr) bool {
	const discard = 9 // any port would do
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, discard)))
	if err != nil {
		return false
	}
	defer c.Close() //nolint:errcheck // nothing was sent
	at, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return false
	}
	source := at.AddrPort().Addr().Unmap()
	return source == a || source.IsLoopback() // the latter where IPv6 has a route alone
}

// files are the numbers of the files that this process has open.
func files() (numbers []int) {
	folder, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil
	}
	defer folder.Close() //nolint:errcheck // it was only read
	names, _ := folder.Readdirnames(-1)
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
