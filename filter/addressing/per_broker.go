// SPDX-License-Identifier: Apache-2.0

package addressing

import (
	"net"
	"strconv"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// perBroker has a port for each broker: the port says which broker a request is for, so every request of every client finds
// its broker, whether it names one or not.
type perBroker struct {
	byPort   map[uint16]Role
	byBroker map[brokerKey]string // advertised address
	template *template            // for brokers without an entry; nil: none
	// advertised are the addresses in byBroker, canonical, and those two ports below for VIP channels.
	advertised map[string]bool
}

type brokerKey struct {
	name string
	id   int64
}

func newPerBroker(brokers []apiv1.BrokerListenerConfig, rest *apiv1.BrokerTemplateConfig) perBroker {
	rules := perBroker{
		byPort:   make(map[uint16]Role, len(brokers)),
		byBroker: make(map[brokerKey]string, len(brokers)),
		template: newTemplate(rest),

		advertised: make(map[string]bool, len(brokers)),
	}
	for _, b := range brokers {
		role := Role{Kind: Broker, BrokerName: b.BrokerName, BrokerID: b.BrokerID}
		rules.byPort[b.ListenerPort] = role
		advertised := canonical(b.AdvertisedAddress)
		rules.advertised[advertised] = true
		if b.VIPChannelPort != 0 {
			rules.byPort[b.VIPChannelPort] = role
			rules.advertised[vipChannel(advertised)] = true
		}
		rules.byBroker[brokerKey{b.BrokerName, b.BrokerID}] = b.AdvertisedAddress
	}
	return rules
}

// Role of a port that no rule names is NameServer.
func (r perBroker) Role(localPort uint16) Role {
	if role, ok := r.byPort[localPort]; ok {
		return role
	}
	if r.template != nil {
		if role, ok := r.template.role(int(localPort)); ok {
			return role
		}
	}
	return Role{Kind: NameServer}
}

func (r perBroker) Advertise(_ string, broker body.Address, _ int64) (string, Coverage) {
	if address, ok := r.byBroker[brokerKey{broker.BrokerName, broker.BrokerID}]; ok {
		return address, Covered
	}
	if r.template != nil {
		if address, ok := r.template.advertise(broker); ok {
			return address, Covered
		}
	}
	return "", Uncovered
}

// Advertises implements Rules.
func (r perBroker) Advertises(address string) bool {
	return r.advertised[address] || r.template != nil && r.template.advertises(address)
}

// vipChannel returns the address that Java clients up to 4.5.0 dial to send: two ports below.
func vipChannel(address string) string {
	host, port, err := net.SplitHostPort(address)
	number, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil {
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(number-2))
}
