// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/proxyprotocol"
)

const egressAddress = "127.0.0.1:15001"

func TestConnectionsGoToTheEgressListenerFirst(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	e.Config.Egress = egressAddress
	h := dial(t, e, 19876, terminal)
	h.send(append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-b", "t")...))
	if len(h.host.order) != 2 {
		t.Fatalf("%d connections", len(h.host.order))
	}
	for i, broker := range []string{brokerAAddress, brokerBAddress} {
		id := h.host.order[i]
		if h.host.address[id] != egressAddress {
			t.Errorf("went to %s", h.host.address[id])
		}
		h.UpstreamConnected(h.clock, id)
		want := proxyprotocol.Header(netip.MustParseAddrPort("10.1.1.1:5000"), netip.MustParseAddrPort(broker))
		if !bytes.HasPrefix(h.host.up[id].Bytes(), want) {
			t.Errorf("began with %q, want %q", h.host.up[id].Bytes(), want)
		}
		h.host.up[id].Next(len(want))
		if got := one(t, take(t, h.host.up[id])); got.Opaque != int32(i+1) {
			t.Errorf("got %v", got.Header)
		}
	}
	h.wantIdle()
}

func TestAHostThatHasItsOwnClusterNeedsNoEgress(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	e.Config.Egress = egressAddress
	h := dial(t, e, 20911, inPlace)
	h.send(sendV2(1, "broker-a", "t"))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 1 {
		t.Errorf("got %v", got.Header)
	}
}
