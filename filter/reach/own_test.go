// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net"
	"net/netip"
	"slices"
	"testing"
)

// host is a process on a host with the address 10.0.0.5 and these sockets.
func host(sockets ...string) *Own {
	return NewOwn(func() (all []Socket, hosts []netip.Addr) {
		for _, s := range sockets {
			address, v6Only := s, s[0] == '6'
			if v6Only {
				address = s[1:]
			}
			all = append(all, Socket{netip.MustParseAddrPort(address), v6Only})
		}
		return all, []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"), netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("fd00::5")}
	})
}

func TestAnAddressWhereTheProcessListensIsItself(t *testing.T) {
	for _, c := range []struct {
		socket, address string
		want            Verdict
	}{
		{"127.0.0.1:9876", "127.0.0.1:9876", Self},
		{"127.0.0.1:9876", "[::ffff:127.0.0.1]:9876", Self},
		{"127.0.0.1:9876", "127.0.0.2:9876", Allowed}, // a broker may be there
		{"127.0.0.1:9876", "127.0.0.1:9877", Allowed},
		{"10.0.0.5:9876", "10.0.0.5:9876", Self},
		{"10.0.0.5:9876", "127.0.0.1:9876", Allowed},
		{"0.0.0.0:9876", "127.0.0.1:9876", Self},
		{"0.0.0.0:9876", "127.7.7.7:9876", Self},
		{"0.0.0.0:9876", "10.0.0.5:9876", Self},
		{"0.0.0.0:9876", "[::ffff:10.0.0.5]:9876", Self},
		{"0.0.0.0:9876", "10.0.0.6:9876", Allowed},
		{"0.0.0.0:9876", "[::1]:9876", Allowed},
		{"[::]:9876", "[::1]:9876", Self},
		{"[::]:9876", "[fd00::5]:9876", Self},
		{"[::]:9876", "10.0.0.5:9876", Self},
		{"6[::]:9876", "[fd00::5]:9876", Self},
		{"6[::]:9876", "10.0.0.5:9876", Allowed},
		{"[fd00::5]:9876", "[fd00::5%eth0]:9876", Self},
	} {
		own := host(c.socket)
		rules := Rules{Own: own}
		own.Refresh()
		if got := rules.Broker(c.address); got != c.want {
			t.Errorf("listening on %s, a broker at %s: got %d, want %d", c.socket, c.address, got, c.want)
		}
	}
}

func TestConfiguredAddressesMayBeOtherListenersOfTheProcess(t *testing.T) {
	own := host("127.0.0.1:9876", "0.0.0.0:15001")
	rules, configured := Rules{Own: own}, Rules{Own: own, Configured: true}
	own.Arrived(netip.MustParseAddrPort("127.0.0.1:9876"))
	for address, want := range map[string]Verdict{"127.0.0.1:9876": Self, "127.0.0.1:15001": Allowed, "10.0.0.5:15001": Allowed} {
		if got := rules.NameServer(address); got != want {
			t.Errorf("name server %s: got %d, want %d", address, got, want)
		}
		if got := configured.Broker(address); got != want {
			t.Errorf("endpoint %s: got %d, want %d", address, got, want)
		}
		if got := rules.Broker(address); got != Self {
			t.Errorf("broker %s: got %d, want %d", address, got, Self)
		}
	}
	own.Arrived(netip.MustParseAddrPort("10.0.0.5:15001"))
	if got := rules.NameServer("127.0.0.1:15001"); got != Self {
		t.Errorf("after a connection by another address of the same socket: got %d", got)
	}
}

// TestTheDestinationOfARedirectedConnectionIsNotTheProxy has Envoy restore where a connection was going before it was
// redirected: to a broker on this host, where another process listens.
func TestTheDestinationOfARedirectedConnectionIsNotTheProxy(t *testing.T) {
	looks := 0
	own := host("127.0.0.1:19876")
	look := own.look
	own.look = func() ([]Socket, []netip.Addr) { looks++; return look() }
	rules := Rules{Own: own}
	for range 3 {
		for _, local := range []string{"127.0.0.1:10911", "10.0.0.5:10911", "10.9.9.9:10911", "127.0.0.1:9876"} {
			own.Arrived(netip.MustParseAddrPort(local))
			if rules.Broker(local) != Allowed || rules.NameServer(local) != Allowed {
				t.Errorf("%s is taken for an address of the proxy", local)
			}
		}
	}
	if looks != 3 {
		t.Errorf("looked at the sockets %d times, want once for each address of this host", looks)
	}
	for port := range uint16(2 * maxArrived % 65536) {
		own.Arrived(netip.AddrPortFrom(netip.MustParseAddr("127.3.3.3"), port))
	}
	if n := len(own.view.Load().arrived); n != maxArrived {
		t.Errorf("%d addresses are remembered, want %d", n, maxArrived)
	}
}

func TestListenersThatComeAndGoAreNoticed(t *testing.T) {
	var sockets []Socket
	own := NewOwn(func() ([]Socket, []netip.Addr) { return sockets, nil })
	rules, at := Rules{Own: own}, netip.MustParseAddrPort("127.0.0.1:9876")
	own.Arrived(at) // as if redirected
	for _, listens := range []bool{true, false} {
		if sockets = nil; listens {
			sockets = []Socket{{Address: at}}
		}
		own.Refresh()
		if got := rules.NameServer(at.String()) == Self; got != listens {
			t.Errorf("listens: %v, is the proxy's: %v", listens, got)
		}
	}
}

func TestAdvertisedAddressesAreTheProxys(t *testing.T) {
	own := host()
	rules := Rules{Own: own}
	withdraw := own.Advertise(func(address string) bool { return address == "mq.example:20911" || address == "192.0.2.1:20911" })
	for address, want := range map[string]Verdict{
		"192.0.2.1:20911": Self, "[::ffff:192.0.2.1]:20911": Self, "192.0.2.1:20912": Allowed, "MQ.example:20911": Self, "mq.example:20912": Outside,
	} {
		if got := rules.Broker(address); got != want {
			t.Errorf("%s: got %d, want %d", address, got, want)
		}
	}
	named := Rules{Own: own, Networks: prefixes("192.0.2.0/24", "10.0.0.0/8")}
	if named.Advertised("mq.example:20911") || named.Broker("192.0.2.1:20911") != Self {
		t.Error("where networks are named, a name must be judged by what it stands for, and an address is the proxy's all the same")
	}
	withdraw()
	if got := rules.Broker("192.0.2.1:20911"); got != Allowed {
		t.Errorf("after the config has gone: got %d", got)
	}
}

func TestNothingIsKnownOfNoProcess(t *testing.T) {
	var own *Own
	own.Arrived(netip.MustParseAddrPort("127.0.0.1:1"))
	own.Refresh()
	rules := Rules{Own: own}
	if rules.Broker("127.0.0.1:1") != Allowed || rules.NameServer("127.0.0.1:1") != Allowed {
		t.Error("an address is refused")
	}
}

func TestTheKernelTellsWhereThisProcessListens(t *testing.T) {
	for _, network := range []string{"tcp4", "tcp6", "tcp"} {
		listener, err := net.Listen(network, ":0")
		if err != nil && network == "tcp6" {
			continue // a host without IPv6
		}
		if err != nil {
			t.Fatal(err)
		}
		port := uint16(listener.Addr().(*net.TCPAddr).Port)
		find := func() (Socket, bool) {
			sockets, hosts := kernel()
			if !slices.Contains(hosts, netip.MustParseAddr("127.0.0.1")) {
				t.Errorf("127.0.0.1 is not among the host's addresses: %v", hosts)
			}
			i := slices.IndexFunc(sockets, func(s Socket) bool { return s.Address.Port() == port })
			if i < 0 {
				return Socket{}, false
			}
			return sockets[i], true
		}
		s, found := find()
		if !found || !s.Address.Addr().IsUnspecified() || s.V6Only != (network == "tcp6") || s.Address.Addr().Is4() != (network == "tcp4") {
			t.Errorf("%s: got %+v, %v", network, s, found)
		}
		listener.Close()
		if _, found := find(); found {
			t.Errorf("%s: listens after its end", network)
		}
	}
}

func BenchmarkABrokerSomewhereElse(b *testing.B) {
	own := host("0.0.0.0:9876")
	own.Arrived(netip.MustParseAddrPort("10.0.0.5:9876"))
	rules := Rules{Own: own, Networks: prefixes("10.0.0.0/8")}
	b.ReportAllocs()
	for b.Loop() {
		own.Arrived(netip.MustParseAddrPort("10.0.0.5:9876"))
		if rules.Broker("10.0.0.1:10911") != Allowed {
			b.Fatal("refused")
		}
	}
}

// A load balancer's address may be a route of type local, and keepalived moves addresses at run time.
func TestAnAddressThatNoInterfaceHasMayBeOfThisHost(t *testing.T) {
	local := map[netip.Addr]bool{}
	o := NewOwn(func() ([]Socket, []netip.Addr) {
		return []Socket{{Address: netip.MustParseAddrPort("0.0.0.0:9876")}}, []netip.Addr{netip.MustParseAddr("10.0.0.5")}
	})
	o.isLocal = func(a netip.Addr) bool { return local[a] }
	o.Refresh()
	rules := &Rules{Own: o}
	const moved = "10.9.0.5:9876"
	if got := rules.Broker(moved); got != Allowed {
		t.Errorf("another host's address: got %v", got)
	}
	local[netip.MustParseAddr("10.9.0.5")] = true
	if got := rules.Broker(moved); got != Self {
		t.Errorf("an address of this host: got %v", got)
	}
	if got := rules.Broker("10.9.0.5:9875"); got != Allowed {
		t.Errorf("a port where nobody listens: got %v", got)
	}
	o.Arrived(netip.MustParseAddrPort(moved))
	if got := rules.NameServer(moved); got != Self {
		t.Errorf("an address that connections to the filter have: got %v", got)
	}
}
