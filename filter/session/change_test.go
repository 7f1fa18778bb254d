// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// wantRefusal demands that a request has been refused so, and nothing else has been written to the client.
func (h *harness) wantRefusal(opaque int32, refusal *codec.Reply) {
	h.Helper()
	if got := one(h.TB, h.tookDown()); got.Opaque != opaque || got.ResponseCode() != refusal.Code || got.Remark() != refusal.Remark {
		h.Errorf("got %+v %q, want the refusal %q of %d", got.Header, got.Remark(), refusal.Remark, opaque)
	}
}

// registered are brokers as a name server lists them.
type registered []body.Address

func (r registered) Resolve(_ context.Context, address string) ([]string, error) {
	return []string{address}, nil
}
func (r registered) Send(context.Context, string, []byte) error              { return nil }
func (r registered) Brokers(context.Context, string) ([]body.Address, error) { return r, nil }

// changes are the codes of requests for every broker.
func changes() (codes []requests.Code) {
	for i := range requests.Table {
		if row := &requests.Table[i]; row.Class == requests.BrokerChange {
			codes = append(codes, row.Code)
		}
	}
	return codes
}

func change(code requests.Code) []byte {
	return request(code, 1, "{}", codec.Field{Name: "topic", Value: "t"})
}

// A change that mqadmin sends to one broker (-b), or to those of one cluster (-c), says of neither which it is.
func TestAChangeReachesNoBrokerThatWasNotMeant(t *testing.T) {
	byDefault := apiv1.AddressingConfig{Mode: apiv1.UnifiedMode}
	for _, code := range changes() {
		h := dial(t, newEnvironment(t, byDefault, fakeNameServers{}), 19876, terminal)
		h.send(change(code))
		h.wantRefusal(1, clusterWide)
		h.wantIdle()

		twoNames := registered{
			{Cluster: "ClusterA", BrokerName: "broker-a", Addr: brokerAAddress},
			{Cluster: "ClusterB", BrokerName: "broker-b", Addr: brokerBAddress},
		}
		h = dial(t, newEnvironment(t, unifiedMode, twoNames), 19876, terminal)
		h.send(change(code))
		h.wantRefusal(1, severalNames)
		if len(h.host.order) != 0 {
			t.Errorf("%v: there are connections to %v", code, h.host.address)
		}
		h.wantIdle()
	}
}

func TestAChangeReachesTheOnlyBroker(t *testing.T) {
	for _, code := range changes() {
		h := dial(t, newEnvironment(t, apiv1.AddressingConfig{Mode: apiv1.UnifiedMode}, registered{
			{Cluster: "c", BrokerName: "broker-a", Addr: brokerAAddress},
			{Cluster: "c", BrokerName: "broker-a", BrokerID: 1, Addr: brokerBAddress},
		}), 19876, terminal)
		h.send(change(code))
		if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 1 {
			t.Errorf("%v: got %+v", code, got.Header)
		}
		h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 1, ""))
		if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSuccess {
			t.Errorf("%v: got %+v", code, got.Header)
		}
		h.wantIdle()
	}
}
