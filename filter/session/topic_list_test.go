// SPDX-License-Identifier: Apache-2.0

package session

import (
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// TestSystemTopicListsNameNoBrokerOutsideTheProxy has a name server name a broker by its address alone, as it does for
// GET_SYSTEM_TOPIC_LIST_FROM_NS: Java dials it.
func TestSystemTopicListsNameNoBrokerOutsideTheProxy(t *testing.T) {
	template := apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Template: &apiv1.BrokerTemplateConfig{
		AdvertisedHost: "{broker}.{cluster}.example", AdvertisedBasePort: 7, ListenerBasePort: 30000, Numbers: 10, IDsPerBroker: 2,
	}}
	passing := perBroker
	passing.PassUncovered = true
	for name, c := range map[string]struct {
		mode                 apiv1.AddressingConfig
		port                 int
		seen, want           string // brokerAddr
		rewritten, uncovered int64
	}{
		"per_broker":               {perBroker, 9876, `"` + brokerBAddress + `"`, `"proxy:20921"`, 1, 0},
		"per_broker, no listener":  {perBroker, 9876, `"10.0.0.1:11911"`, `null`, 0, 1},
		"per_broker, unknown":      {perBroker, 9876, `"10.0.0.77:10911"`, `null`, 0, 1},
		"per_broker, passing":      {passing, 9876, `"10.0.0.77:10911"`, `"10.0.0.77:10911"`, 0, 1},
		"template without numbers": {template, 9876, `"` + brokerBAddress + `"`, `null`, 0, 1},
		"unified":                  {unifiedMode, 19876, `"` + brokerBAddress + `"`, `"127.0.0.1:19876"`, 1, 0},
		"unified, a slave":         {unifiedMode, 19876, `"10.0.0.1:11911"`, `null`, 0, 0},
		"transparent":              {apiv1.AddressingConfig{Mode: apiv1.TransparentMode}, 0, `"` + brokerBAddress + `"`, `"` + brokerBAddress + `"`, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnvironment(t, c.mode, fakeNameServers{})
			h := dial(t, e, c.port, terminal)
			if c.mode.Mode == apiv1.TransparentMode {
				h.Close(h.clock)
				h = dialAddress(t, e, nameServerAddress, terminal)
			}
			h.send(request(requests.GetSystemTopicListFromNS, 1, ""))
			up := h.to(nameServerAddress)
			h.receive(up, response(codec.ResponseSuccess, 1, `{"brokerAddr":`+c.seen+`,"topicList":["c","broker-a"]}`))
			if got, want := one(t, h.tookDown()).body, `{"brokerAddr":`+c.want+`,"topicList":["c","broker-a"]}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			h.wantStats(map[stats.ID]int64{stats.RouteAddressRewritten: c.rewritten, stats.RouteAddressUncovered: c.uncovered})
			h.wantIdle()
		})
	}
}

func TestUnifiedSystemTopicListIsAskedOfABrokerTheClientWasTold(t *testing.T) {
	h := dialUnified(t)
	h.send(request(requests.GetSystemTopicListFromNS, 1, ""))
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 1, `{"brokerAddr":"`+brokerBAddress+`","topicList":["c"]}`))
	h.tookDown()
	h.send(request(requests.GetSystemTopicListFromBroker, 2, ""))
	if got := one(t, h.tookUp(brokerBAddress)); got.Opaque != 2 {
		t.Errorf("broker-b got %d", got.Opaque)
	}
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 2, `{"topicList":["TBW102"]}`))
	if got := one(t, h.tookDown()).body; got != `{"topicList":["TBW102"]}` {
		t.Errorf("got %s", got)
	}
	h.wantIdle()
}

func TestTopicsOfAGroupNameNoBrokerOutsideTheProxy(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	h.send(request(requests.QueryTopicsByConsumer, 1, ""))
	h.receive(h.only().id, response(codec.ResponseSuccess, 1, `{"brokerAddr":"`+brokerAAddress+`","topicList":["t"]}`))
	if got := one(t, h.tookDown()).body; got != `{"brokerAddr":"proxy:20911","topicList":["t"]}` {
		t.Errorf("got %s", got)
	}
	h.wantIdle()
}

func TestAnUnreadableTopicListDoesNotPass(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 9876, inPlace)
	h.send(request(requests.GetSystemTopicListFromNS, 1, ""))
	h.receive(h.only().id, response(codec.ResponseSuccess, 1, `{"brokerAddr":"`+brokerAAddress+`",`))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError || got.body != "" {
		t.Errorf("got %v, %s", got.ResponseCode(), got.body)
	}
	h.wantStats(map[stats.ID]int64{stats.RouteUnreadable: 1})
	h.wantIdle()
}
