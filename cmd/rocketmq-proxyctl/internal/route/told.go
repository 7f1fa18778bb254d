// SPDX-License-Identifier: Apache-2.0

package route

import (
	"fmt"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
)

// Told is what clients learn of one broker address, and why.
type Told struct {
	Broker body.Address
	// Address is what they learn; empty: nothing, the address is left out.
	Address string
	Reason  string
	// Leaves is set where clients go past the proxy.
	Leaves bool
}

// Answer rewrites the body of a route as the filter does for a client that dialled `local`, and gives what becomes of
// each address in it.
func Answer(config *apiv1.Config, local string, route []byte) (told []Told, rewritten []byte, err error) {
	parsed, err := body.ParseTopicRouteData(route)
	if err != nil {
		return nil, nil, err
	}
	rules, least := addressing.New(config.Addressing), addressing.LeastIDs(parsed.Brokers)
	rewritten, _, err = body.RewriteTopicRouteData(route, func(a body.Address) (string, bool) {
		address, coverage := rules.Advertise(local, a, least[a.BrokerName])
		t := Told{Broker: a, Address: address}
		t.Reason, t.Leaves = reason(config.Addressing, a, coverage)
		if coverage == addressing.Uncovered && t.Leaves {
			t.Address = a.Addr
		}
		told = append(told, t)
		return t.Address, t.Address != ""
	})
	return told, rewritten, err
}

// reason says which rule decided on an address.
func reason(config apiv1.AddressingConfig, a body.Address, coverage addressing.Coverage) (text string, leaves bool) {
	switch {
	case coverage == addressing.Withheld:
		return "a slave, and only one address of each broker name is told (unified)", false
	case coverage == addressing.Uncovered && config.PassUncovered:
		return "no rule covers it, and addressing.uncovered is PASS: its clients leave the proxy", true
	case coverage == addressing.Uncovered:
		return "no rule covers it, and addressing.uncovered is DROP", false
	case config.Mode == apiv1.TransparentMode:
		return "addressing.transparent changes nothing", false
	case config.Mode == apiv1.UnifiedMode && config.AdvertisedAddress != "":
		return "addressing.unified.advertised_address", false
	case config.Mode == apiv1.UnifiedMode:
		return "addressing.unified: the address that the client dialled", false
	}
	for i, b := range config.Brokers {
		if b.BrokerName == a.BrokerName && b.BrokerID == a.BrokerID {
			return fmt.Sprintf("addressing.per_broker.brokers[%d], connections come to port %d", i, b.ListenerPort), false
		}
	}
	number, _ := addressing.NumberOf(a.BrokerName)
	t := config.Template
	port := t.ListenerBasePort + number*t.IDsPerBroker + int(a.BrokerID)
	return fmt.Sprintf("addressing.per_broker.template with number %d, connections come to port %d", number, port), false
}
