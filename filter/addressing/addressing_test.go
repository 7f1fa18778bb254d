// SPDX-License-Identifier: Apache-2.0

package addressing

import (
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

func TestPerBrokerTellsBrokersApartByPort(t *testing.T) {
	rules := New(apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Brokers: []apiv1.BrokerListenerConfig{
		{BrokerName: "a", BrokerID: 0, ListenerPort: 1, AdvertisedAddress: "p:1", VIPChannelPort: 3},
		{BrokerName: "a", BrokerID: 1, ListenerPort: 2, AdvertisedAddress: "p:2"},
	}})
	for port, want := range map[uint16]Role{
		1:    {Kind: Broker, BrokerName: "a"},
		2:    {Kind: Broker, BrokerName: "a", BrokerID: 1},
		3:    {Kind: Broker, BrokerName: "a"},
		9876: {Kind: NameServer},
	} {
		if got := rules.Role(port); got != want {
			t.Errorf("port %d: got %+v, want %+v", port, got, want)
		}
	}
	if address, coverage := rules.Advertise("x:9", body.Address{BrokerName: "a", BrokerID: 1}, 0); address != "p:2" || coverage != Covered {
		t.Errorf("got %q, %v", address, coverage)
	}
	if _, coverage := rules.Advertise("x:9", body.Address{BrokerName: "b"}, 0); coverage != Uncovered {
		t.Errorf("got %v", coverage)
	}
}

func TestTemplatesCoverNumberedBrokersInBothDirections(t *testing.T) {
	rules := New(apiv1.AddressingConfig{
		Mode:    apiv1.PerBrokerMode,
		Brokers: []apiv1.BrokerListenerConfig{{BrokerName: "broker-1", ListenerPort: 5, AdvertisedAddress: "own:5"}},
		Template: &apiv1.BrokerTemplateConfig{
			AdvertisedHost: "{broker}.{cluster}.example", AdvertisedBasePort: 20000, ListenerBasePort: 30000, Numbers: 10, IDsPerBroker: 2,
		},
	})
	for _, c := range []struct {
		name string
		id   int64
		want string // "" = not covered
	}{
		{"broker-0", 0, "broker-0.c.example:20000"},
		{"broker-3", 1, "broker-3.c.example:20007"},
		{"broker-1", 0, "own:5"},
		{"broker-1", 1, "broker-1.c.example:20003"},
		{"mq2-broker9", 0, "mq2-broker9.c.example:20018"},
		{"broker-10", 0, ""},
		{"broker-3", 2, ""},
		{"broker-a", 0, ""},
		{"broker-99999999999999999999", 0, ""},
	} {
		address, coverage := rules.Advertise("", body.Address{Cluster: "c", BrokerName: c.name, BrokerID: c.id}, 0)
		if address != c.want || (coverage == Covered) != (c.want != "") {
			t.Errorf("%s, id %d: got %q, %v; want %q", c.name, c.id, address, coverage, c.want)
		}
	}
	for port, want := range map[uint16]Role{
		30000: {Kind: NumberedBroker},
		30007: {Kind: NumberedBroker, Number: 3, BrokerID: 1},
		30019: {Kind: NumberedBroker, Number: 9, BrokerID: 1},
		30020: {Kind: NameServer},
		29999: {Kind: NameServer},
		5:     {Kind: Broker, BrokerName: "broker-1"},
	} {
		if got := rules.Role(port); got != want {
			t.Errorf("port %d: got %+v, want %+v", port, got, want)
		}
	}
}

func TestTransparentChangesNothing(t *testing.T) {
	rules := New(apiv1.AddressingConfig{Mode: apiv1.TransparentMode})
	if got := rules.Role(10911); got.Kind != OriginalDestination {
		t.Errorf("got %+v", got)
	}
	if address, coverage := rules.Advertise("x:1", body.Address{Addr: "10.0.0.1:10911"}, 0); address != "10.0.0.1:10911" || coverage != Covered {
		t.Errorf("got %q, %v", address, coverage)
	}
}

func TestUnifiedTellsOneAddressPerBroker(t *testing.T) {
	for advertised, want := range map[string]string{"": "10.0.0.1:9876", "mq.example:1": "mq.example:1"} {
		rules := New(apiv1.AddressingConfig{Mode: apiv1.UnifiedMode, AdvertisedAddress: advertised})
		if rules.Role(1).Kind != Shared {
			t.Error("not a connection to all")
		}
		if address, coverage := rules.Advertise("10.0.0.1:9876", body.Address{BrokerID: 1}, 1); address != want || coverage != Covered {
			t.Errorf("got %q, %v", address, coverage)
		}
		if _, coverage := rules.Advertise("10.0.0.1:9876", body.Address{BrokerID: 1}, 0); coverage != Withheld {
			t.Errorf("a slave beside its master is %v", coverage)
		}
	}
}

func TestLeastIDs(t *testing.T) {
	got := LeastIDs([]body.Address{{BrokerName: "a", BrokerID: 2}, {BrokerName: "a", BrokerID: 1}, {BrokerName: "b", BrokerID: 0}})
	if got["a"] != 1 || got["b"] != 0 || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestWhatClientsAreGivenIsKnown(t *testing.T) {
	perBroker := apiv1.AddressingConfig{
		Mode: apiv1.PerBrokerMode,
		Brokers: []apiv1.BrokerListenerConfig{
			{BrokerName: "a", ListenerPort: 1, AdvertisedAddress: "MQ.example:20911", VIPChannelPort: 3},
			{BrokerName: "b", ListenerPort: 2, AdvertisedAddress: "[::ffff:192.0.2.1]:20921"},
		},
		Template: &apiv1.BrokerTemplateConfig{AdvertisedHost: "{broker}.{cluster}.Example", AdvertisedBasePort: 30000, ListenerBasePort: 40000, Numbers: 5, IDsPerBroker: 2},
	}
	template := func(host string) apiv1.AddressingConfig {
		return apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Template: &apiv1.BrokerTemplateConfig{
			AdvertisedHost: host, AdvertisedBasePort: 10911, ListenerBasePort: 40000, Numbers: 5, IDsPerBroker: 2,
		}}
	}
	for _, c := range []struct {
		config  apiv1.AddressingConfig
		address string
		want    bool
	}{
		{template("{broker}"), "broker-0:10911", true},
		{template("{broker}"), "10.1.2.3:10911", false}, // of a broker
		{template("{broker}"), "[fd00::1]:10911", false},
		{template("10.0.0.{number}"), "10.0.0.1:10913", true},
		{template("10.0.0.{number}"), "10.0.0.2:10913", false}, // 10913 and 10914 are number 1
		{template("mq-{number}-{id}.{cluster}"), "mq-1-1.c:10914", true},
		{template("mq-{number}-{id}.{cluster}"), "mq-1-0.c:10914", false},
		{perBroker, "mq.example:20911", true},
		{perBroker, "mq.example:20909", true}, // VIP channel
		{perBroker, "mq.example:20910", false},
		{perBroker, "192.0.2.1:20921", true},
		{perBroker, "192.0.2.1:20919", false}, // no VIP channel
		{perBroker, "broker-7.c.example:30000", true},
		{perBroker, "broker-7.c.example:30009", true},
		{perBroker, "broker-7.c.example:30010", false},
		{perBroker, "broker-7.c.example:29999", false},
		{perBroker, "broker-7.c.example.org:30000", false},
		{perBroker, "nonsense", false},
		{apiv1.AddressingConfig{Mode: apiv1.UnifiedMode, AdvertisedAddress: "mq.example:9876"}, "mq.example:9876", true},
		{apiv1.AddressingConfig{Mode: apiv1.UnifiedMode, AdvertisedAddress: "mq.example:9876"}, "mq.example:9877", false},
		{apiv1.AddressingConfig{Mode: apiv1.UnifiedMode}, "", false},
		{apiv1.AddressingConfig{Mode: apiv1.TransparentMode}, "10.0.0.1:10911", false},
	} {
		if got := New(c.config).Advertises(c.address); got != c.want {
			t.Errorf("mode %d, %s: got %v", c.config.Mode, c.address, got)
		}
	}
}
