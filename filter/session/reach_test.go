// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// brokersAt answers the directory with the address of each broker, in place of name servers.
type brokersAt struct {
	fakeNameServers
	addresses map[string]string
}

func (f brokersAt) Brokers(context.Context, string) (brokers []body.Address, _ error) {
	for name, address := range f.addresses {
		brokers = append(brokers, body.Address{Cluster: "c", BrokerName: name, Addr: address})
	}
	return brokers, nil
}

const (
	ownListener   = "127.0.0.1:19876"
	otherListener = "10.0.0.5:20921" // of another config, on 0.0.0.0
	ownAdmin      = "127.0.0.1:9901"
	elsewhere     = "192.0.2.7:10911"
)

// ownAddresses are those of a process with two listeners of the filter and Envoy's admin interface.
func ownAddresses() *reach.Own {
	own := reach.NewOwn(func() ([]reach.Socket, []netip.Addr) {
		return []reach.Socket{
			{Address: netip.MustParseAddrPort(ownListener)}, {Address: netip.MustParseAddrPort("0.0.0.0:20921")}, {Address: netip.MustParseAddrPort(ownAdmin)},
		}, []netip.Addr{netip.MustParseAddr("10.0.0.5")}
	})
	own.Arrived(netip.MustParseAddrPort("127.0.0.1:20921"))
	return own
}

// reaching is an environment whose brokers are at the given addresses and may be in 10.0.0.0/8 and 127.0.0.0/8; it
// keeps what it has to say.
func reaching(t *testing.T, mode apiv1.AddressingConfig, servers []string, addresses map[string]string) (e *Environment, lines *[]string) {
	t.Helper()
	rules := reach.Rules{Own: ownAddresses(), Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}}
	d := newDirectory(t, servers, brokersAt{addresses: addresses})
	d.Restrict(rules)
	e = environmentOf(mode, directory.NewClusters(nil, d))
	e.Own = rules.Own
	lines = new([]string)
	e.Warn = func(_ Instant, format string, arguments ...any) {
		*lines = append(*lines, logline.Format(format, arguments...))
	}
	return e, lines
}

var badAddresses = map[string]struct {
	stat stats.ID
	why  string
}{
	ownListener:                {stat: stats.BrokerIsSelf, why: "leads back to this proxy"},
	"[::ffff:127.0.0.1]:19876": {stat: stats.BrokerIsSelf, why: "leads back to this proxy"},
	otherListener:              {stat: stats.BrokerIsSelf, why: "leads back to this proxy"},
	"127.9.9.9:20921":          {stat: stats.BrokerIsSelf, why: "leads back to this proxy"},
	ownAdmin:                   {stat: stats.BrokerIsSelf, why: "leads back to this proxy"},
	elsewhere:                  {stat: stats.BrokerOutsideNetworks, why: "is in none of the networks where brokers may be (clusters[].broker_networks)"},
	"169.254.169.254:80":       {stat: stats.BrokerOutsideNetworks, why: "is in none of the networks where brokers may be (clusters[].broker_networks)"},
	"0.0.0.0:19876":            {stat: stats.BrokerOutsideNetworks, why: "is in none of the networks where brokers may be (clusters[].broker_networks)"},
	"[::]:20921":               {stat: stats.BrokerOutsideNetworks, why: "is in none of the networks where brokers may be (clusters[].broker_networks)"},
	"[64:ff9b::a9fe:a9fe]:80":  {stat: stats.BrokerOutsideNetworks, why: "is in none of the networks where brokers may be (clusters[].broker_networks)"},
}

func TestASharedConnectionOpensNoneToABadAddress(t *testing.T) {
	for address, bad := range badAddresses {
		for _, egress := range []string{"", egressAddress} {
			t.Run(address+" "+egress, func(t *testing.T) {
				e, lines := reaching(t, unifiedMode, []string{nameServerAddress}, map[string]string{"broker-a": address, "broker-b": brokerBAddress})
				e.Config.Egress = egress
				h := dialAddress(t, e, ownListener, terminal)
				for opaque := range int32(5) {
					h.send(sendV2(opaque, "broker-a", "t"))
					got := one(t, h.tookDown())
					if got.Opaque != opaque || got.ResponseCode() != codec.ResponseServiceNotAvailable || !strings.HasPrefix(got.Remark(), "the address that this broker has registered ") {
						t.Errorf("got opaque %d, %v %q", got.Opaque, got.ResponseCode(), got.Remark())
					}
				}
				if len(h.host.order) != 0 || h.host.downClosed {
					t.Errorf("connections were opened to %v, closed: %v", h.host.address, h.host.downClosed)
				}
				h.send(sendV2(6, "broker-b", "t"))
				if len(h.host.order) != 1 {
					t.Errorf("%d connections, want one to the other broker", len(h.host.order))
				}
				h.wantStats(map[stats.ID]int64{bad.stat: 5, stats.RequestRefused: 5, stats.UpstreamConnect: 1})
				want := fmt.Sprintf("nothing is sent to the broker %q: its address %q %s", "broker-a", address, bad.why)
				if len(*lines) != 1 || (*lines)[0] != want {
					t.Errorf("logged %q, want %q", *lines, want)
				}
				h.wantIdle()
			})
		}
	}
}

func TestAHeartbeatReachesTheOtherBrokers(t *testing.T) {
	e, _ := reaching(t, unifiedMode, []string{nameServerAddress}, map[string]string{"broker-a": ownListener, "broker-b": brokerBAddress})
	h := dialAddress(t, e, ownListener, terminal)
	h.mode.advertised(e.Clusters.First(), "", []string{"broker-a", "broker-b"})
	h.send(request(requests.HeartBeat, 1, heartbeatBody))
	id := h.to(brokerBAddress)
	if len(h.host.order) != 1 || one(t, h.tookUp(brokerBAddress)).Opaque != 1 {
		t.Fatalf("connections to %v", h.host.address)
	}
	h.receive(id, response(codec.ResponseSuccess, 1, ""))
	h.wantOneAnswer(1, codec.ResponseSuccess)
	h.wantIdle()
}

func TestAConnectionForOneBrokerEndsAtABadAddress(t *testing.T) {
	numbered := apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Template: &apiv1.BrokerTemplateConfig{
		AdvertisedHost: "proxy", AdvertisedBasePort: 20911, ListenerBasePort: 20911, Numbers: 2, IDsPerBroker: 1,
	}}
	for address, bad := range badAddresses {
		for name, c := range map[string]struct {
			mode   apiv1.AddressingConfig
			broker string
			target string
		}{"list": {perBroker, "broker-a", `broker "broker-a"`}, "template": {numbered, "broker-0", `broker with the number "0"`}} {
			for _, capabilities := range []Capabilities{inPlace, terminal} {
				t.Run(fmt.Sprint(address, " ", name, " ", capabilities), func(t *testing.T) {
					e, lines := reaching(t, c.mode, []string{nameServerAddress}, map[string]string{c.broker: address})
					for range 3 {
						h := dial(t, e, 20911, capabilities)
						if !h.host.downClosed || len(h.host.order) != 0 {
							t.Errorf("closed: %v, connections to %v", h.host.downClosed, h.host.address)
						}
						h.send(sendV2(1, "broker-a", "t"))
						h.wantIdle()
					}
					h := harness{TB: t, Session: &Session{environment: e}}
					h.wantStats(map[stats.ID]int64{bad.stat: 3, stats.DownstreamRefused: 3, stats.UpstreamConnect: 0})
					want := fmt.Sprintf("nothing is sent to the %s: its address %q %s", c.target, address, bad.why)
					if len(*lines) != 1 || (*lines)[0] != want {
						t.Errorf("logged %q, want %q", *lines, want)
					}
				})
			}
		}
	}
}

func TestATransparentListenerDoesNotCallItself(t *testing.T) {
	transparentMode := apiv1.AddressingConfig{Mode: apiv1.TransparentMode, PassUncovered: true}
	for _, c := range []struct {
		dialled string
		stat    stats.ID
	}{
		{ownListener, stats.BrokerIsSelf},
		{otherListener, stats.BrokerIsSelf},
		{ownAdmin, stats.BrokerIsSelf},
		{elsewhere, stats.BrokerOutsideNetworks},
		{"10.0.0.5:10911", -1},
		{"127.0.0.1:10911", -1},
		{brokerAAddress, -1},
		{"192.0.2.1:9876", -1},
	} {
		e, _ := reaching(t, transparentMode, []string{"192.0.2.1:9876"}, map[string]string{"broker-a": brokerAAddress, "broker-b": otherListener})
		h := dialAddress(t, e, c.dialled, inPlace)
		if c.stat < 0 {
			if h.host.downClosed || h.host.address[1] != c.dialled {
				t.Errorf("dialled %s: closed: %v, connections to %v", c.dialled, h.host.downClosed, h.host.address)
			}
			h.wantIdle()
			continue
		}
		if !h.host.downClosed || len(h.host.order) != 0 {
			t.Errorf("dialled %s: closed: %v, connections to %v", c.dialled, h.host.downClosed, h.host.address)
		}
		h.wantStats(map[stats.ID]int64{c.stat: 1, stats.DownstreamRefused: 1})
		h.wantIdle()
	}
}

func TestANameServerMayBeAnotherListenerButNotTheFilters(t *testing.T) {
	for server, own := range map[string]bool{ownListener: true, otherListener: true, ownAdmin: false, elsewhere: false} {
		e, _ := reaching(t, unifiedMode, []string{server}, nil)
		h := dialAddress(t, e, ownListener, terminal)
		h.send(request(requests.GetRouteInfoByTopic, 1, "", topicField("t")))
		if opened := len(h.host.order) == 1; opened == own {
			t.Errorf("unified, %s: connections to %v", server, h.host.address)
		}
		if own {
			if got := one(t, h.tookDown()); got.Opaque != 1 || got.Remark() != nameServerIsSelf.Remark {
				t.Errorf("got opaque %d, %q", got.Opaque, got.Remark())
			}
		}
		h.wantIdle()
		for _, capabilities := range []Capabilities{inPlace, terminal} {
			e, _ := reaching(t, perBroker, []string{server}, nil)
			h := dialAddress(t, e, ownListener, capabilities)
			if opened := len(h.host.order) == 1; opened == own || h.host.downClosed != own {
				t.Errorf("%v, %s: connections to %v, closed: %v", capabilities, server, h.host.address, h.host.downClosed)
			}
			h.wantIdle()
		}
	}
}

func TestARouteThatNamesTheProxyChangesWhereABrokerIs(t *testing.T) {
	e, _ := reaching(t, perBroker, []string{nameServerAddress}, nil)
	learn := func(address string) {
		e.Clusters.First().LearnRoute(directory.RouteSource{}, "t", &body.TopicRouteData{Brokers: []body.Address{{Cluster: "c", BrokerName: "broker-a", Addr: address}}})
	}
	learn(brokerAAddress)
	dial(t, e, 20911, inPlace).wantIdle()
	learn(otherListener)
	h := dial(t, e, 20911, inPlace)
	if !h.host.downClosed || len(h.host.order) != 0 {
		t.Errorf("closed: %v, connections to %v", h.host.downClosed, h.host.address)
	}
	h.wantStats(map[stats.ID]int64{stats.BrokerIsSelf: 1})
	h.wantIdle()
}

func TestAnEndpointThatIsAListenerOfTheFilterGetsNothing(t *testing.T) {
	e := compatibleEnvironment(t)
	own := reach.NewOwn(func() ([]reach.Socket, []netip.Addr) {
		return []reach.Socket{{Address: netip.MustParseAddrPort(brokerAAddress)}}, []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	})
	e.Own = own
	e.Clusters.First().Restrict(reach.Rules{Own: own, Configured: true})
	h := dialAddress(t, e, brokerAAddress, terminal)
	h.send(sendV2(1, "broker-a", "t"))
	h.wantOneAnswer(1, codec.ResponseServiceNotAvailable)
	h.send(sendV2(2, "broker-b", "t"))
	if len(h.host.order) != 1 || h.host.address[1] != brokerBAddress {
		t.Errorf("connections to %v", h.host.address)
	}
	h.wantStats(map[stats.ID]int64{stats.BrokerIsSelf: 1})
	h.wantIdle()
}

func TestTheLogNamesEachBadBrokerOnceAndNotForEver(t *testing.T) {
	addresses := map[string]string{"good": brokerAAddress}
	for i := range 512 {
		addresses[fmt.Sprintf("broker-%d\n%s", i, strings.Repeat("x", 1000))] = otherListener
	}
	e, _ := reaching(t, unifiedMode, []string{nameServerAddress}, addresses)
	var lines []string
	for range 3 {
		WarnOfBrokers(e.Clusters.First(), func(format string, arguments ...any) {
			lines = append(lines, logline.Format(format, arguments...))
		})
	}
	if len(lines) != 256 {
		t.Errorf("%d lines, want 256", len(lines))
	}
	for _, line := range lines {
		if len(line) > 700 || strings.Contains(line, "\n") || strings.Contains(line, "good") {
			t.Fatalf("logged %q", line)
		}
	}
}
