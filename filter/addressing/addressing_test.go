// SPDX-License-Identifier: Apache-2.0

package addressing

import (
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

func TestPerBrokerTellsBrokersApartByPort(t *testing.T) {
	rules := New(apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Brokers: []apiv1.BrokerListenerConfig{
		{BrokerName: "a", BrokerID: 0, ListenerPort: 1, AdvertisedAddress: "p:1"},
		{BrokerName: "a", BrokerID: 1, ListenerPort: 2, AdvertisedAddress: "p:2"},
	}})
	for port, want := range map[uint16]Role{
		1:    {ToBroker, "a", 0},
		2:    {ToBroker, "a", 1},
		9876: {Kind: ToNameServer},
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

func TestUnifiedTellsOneAddressPerBroker(t *testing.T) {
	for advertised, want := range map[string]string{"": "10.0.0.1:9876", "mq.example:1": "mq.example:1"} {
		rules := New(apiv1.AddressingConfig{Mode: apiv1.UnifiedMode, AdvertisedAddress: advertised})
		if rules.Role(1).Kind != ToAll {
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
