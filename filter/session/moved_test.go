// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"slices"
	"sync"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// movingBrokers is a name server whose brokers move.
type movingBrokers struct {
	fakeNameServers
	hosts   map[string][]string // constant: what host names stand for
	mu      sync.Mutex
	brokers []body.Address
}

func (m *movingBrokers) Resolve(_ context.Context, address string) ([]string, error) {
	if addresses, ok := m.hosts[address]; ok {
		return slices.Clone(addresses), nil
	}
	return []string{address}, nil
}

func (m *movingBrokers) Brokers(context.Context, string) ([]body.Address, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.brokers, nil
}

func (m *movingBrokers) set(brokers ...body.Address) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.brokers = brokers
}

func brokerAt(name string, id int64, address string) body.Address {
	return body.Address{Cluster: "c", BrokerName: name, BrokerID: id, Addr: address}
}

// refreshed waits for a refresh of the directory.
func refreshed(e *Environment) {
	done := make(chan struct{})
	wake := func() { close(done) }
	e.Clusters.Await(&wake)
	e.Clusters.RefreshSoon()
	<-done
}

func TestASessionEndsWhenItsBrokerHasMoved(t *testing.T) {
	const before, after, slave = "10.0.0.1:10911", "10.0.0.2:10911", "10.0.0.3:10911"
	template := apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Template: &apiv1.BrokerTemplateConfig{
		AdvertisedHost: "proxy", AdvertisedBasePort: 30000, ListenerBasePort: 30000, Numbers: 10, IDsPerBroker: 2,
	}}
	source := &movingBrokers{}
	source.set(brokerAt("broker-1", 0, before), brokerAt("broker-1", 1, slave))
	e := newEnvironment(t, template, source)
	var master, ofSlave, nameServer [2]*harness
	for i, capabilities := range []Capabilities{inPlace, terminal} {
		master[i], ofSlave[i] = dial(t, e, 30002, capabilities), dial(t, e, 30003, capabilities)
		nameServer[i] = dial(t, e, 9876, capabilities)
	}
	pull := request(requests.PullMessage, 1, "", topicField("t"))
	for _, h := range master {
		h.to(before)
		h.send(pull)
	}

	refreshed(e) // nothing has moved
	master[0].send(request(requests.PullMessage, 2, "", topicField("t")))
	if master[0].host.downClosed {
		t.Fatal("a session has ended though its broker has not moved")
	}

	source.set(brokerAt("broker-1", 0, after), brokerAt("broker-1", 1, slave))
	refreshed(e)
	master[0].send(request(requests.PullMessage, 3, "", topicField("t"))) // not to the old master
	master[1].Wake(master[1].clock)
	for i := range 2 {
		if !master[i].host.downClosed || master[i].host.down.Len() > 0 {
			t.Errorf("%d: closed: %v, %d bytes were answered", i, master[i].host.downClosed, master[i].host.down.Len())
		}
		for _, h := range []*harness{ofSlave[i], nameServer[i]} {
			h.Wake(h.clock)
			if h.host.downClosed {
				t.Errorf("%d: a session whose destination has not moved has ended", i)
			}
			h.Close(h.clock)
		}
		master[i].Close(master[i].clock)
	}
	again := dial(t, e, 30002, terminal)
	again.to(after)
	again.wantStats(map[stats.ID]int64{stats.DestinationMoved: 2, stats.RequestActive: 0})

	source.set() // forgotten or not, nobody is sent away without a place to go
	refreshed(e)
	if again.Wake(again.clock); again.host.downClosed {
		t.Error("a session has ended though nobody knows another place")
	}
	again.wantIdle()
}

func TestASessionFollowsASlaveThatActsForItsMaster(t *testing.T) {
	acting := brokerAt("broker-a", 1, "10.0.0.3:10911")
	acting.ActingMaster = true
	source := &movingBrokers{}
	source.set(brokerAt("broker-a", 0, brokerAAddress), acting)
	e := newEnvironment(t, perBroker, source)
	h := dial(t, e, 20911, terminal)
	h.to(brokerAAddress)
	source.set(acting)
	refreshed(e)
	if h.Wake(h.clock); !h.host.downClosed {
		t.Error("the session is still with the master that is gone")
	}
	h.wantIdle()
	h = dial(t, e, 20911, terminal)
	h.to(acting.Addr)
	h.wantIdle()
}

// TestASessionStaysWithItsBrokerWhenAnotherAddressComesFirst has two addresses of one host, of which somebody cannot reach one.
func TestASessionStaysWithItsBrokerWhenAnotherAddressComesFirst(t *testing.T) {
	source := &movingBrokers{hosts: map[string][]string{"broker:10911": {brokerAAddress, brokerBAddress}}}
	source.set(brokerAt("broker-a", 0, "broker:10911"))
	e := newEnvironment(t, perBroker, source)
	h := dial(t, e, 20911, terminal)
	h.to(brokerAAddress)
	other := dial(t, e, 20911, terminal)
	other.UpstreamFailed(other.clock, other.host.order[0], RemoteFailure)
	other.Close(other.clock)
	again := dial(t, e, 20911, terminal)
	again.to(brokerBAddress)
	again.Close(again.clock)
	if h.Wake(h.clock); h.host.downClosed {
		t.Fatal("the session has ended though its broker has not moved")
	}
	source.set(brokerAt("broker-a", 0, "10.0.0.3:10911"))
	refreshed(e)
	if h.Wake(h.clock); !h.host.downClosed {
		t.Error("the session is still where its broker was")
	}
	h.wantIdle()
}

func TestASessionFollowsABrokerThatNobodyKnewForAMoment(t *testing.T) {
	source := &movingBrokers{}
	master, slave := brokerAt("broker-a", 0, brokerAAddress), brokerAt("broker-a", 1, "10.0.0.3:10911")
	source.set(master, slave)
	e := newEnvironment(t, perBroker, source)
	h := dial(t, e, 20911, terminal)
	h.to(brokerAAddress)
	for _, step := range []struct {
		brokers []body.Address
		ends    bool
	}{
		{[]body.Address{slave}, false},
		{[]body.Address{master, slave}, false}, // it was only away
		{[]body.Address{slave}, false},
		{[]body.Address{brokerAt("broker-a", 0, "10.0.0.3:10911")}, true},
	} {
		source.set(step.brokers...)
		refreshed(e)
		if h.Wake(h.clock); h.host.downClosed != step.ends {
			t.Fatalf("with %v: ended: %v, want %v", step.brokers, h.host.downClosed, step.ends)
		}
	}
	h.wantIdle()
}

func TestASessionDoesNotEndInTheMiddleOfAnAnswer(t *testing.T) {
	source := &movingBrokers{}
	source.set(brokerAt("broker-a", 0, brokerAAddress))
	e := newEnvironment(t, perBroker, source)
	h := dial(t, e, 20911, terminal)
	h.send(request(requests.PullMessage, 1, "", topicField("t")))
	answer := response(codec.ResponseSuccess, 1, "messages")
	h.receive(h.to(brokerAAddress), answer[:len(answer)-3])
	source.set(brokerAt("broker-a", 0, brokerBAddress))
	refreshed(e)
	if h.Wake(h.clock); h.host.downClosed {
		t.Fatal("ended in the middle of an answer")
	}
	h.receive(h.to(brokerAAddress), answer[len(answer)-3:])
	if got := one(t, h.tookDown()); got.body != "messages" {
		t.Errorf("got %v", got.Header)
	}
	if h.Wake(h.clock); !h.host.downClosed {
		t.Error("the session is still where its broker was")
	}
	h.wantIdle()
}
