// SPDX-License-Identifier: Apache-2.0

// Package addressing holds the rules that keep clients on the proxy: what a connection to one of its ports is for, and
// which address is advertised for a broker. One file per mode. Pure functions of the config.
package addressing

import (
	"math"
	"net/netip"
	"strings"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// Kind says where the requests of a client connection go.
type Kind uint8

// The kinds of client connections.
const (
	// NameServer connections carry a client's name-server requests.
	NameServer Kind = iota
	// Broker connections stand for one broker.
	Broker
	// NumberedBroker connections stand for the broker whose name has a number.
	NumberedBroker
	// OriginalDestination connections go on to the address that the client dialled.
	OriginalDestination
	// Shared connections carry requests to name servers and to every broker.
	Shared
)

// Role describes what one client connection is for. BrokerName is set for Broker, Number for NumberedBroker, BrokerID for
// both.
type Role struct {
	Kind       Kind
	BrokerName string
	Number     int
	BrokerID   int64
}

// Rules are the addressing rules of one config.
type Rules interface {
	// Role returns what a connection is for by the local port it came to.
	Role(localPort uint16) Role

	// Advertise returns the address that a client which dialled `local` ("ip:port") gets in place of the one of `broker`.
	// leastID is the least id among the addresses of the same broker name in the same answer.
	Advertise(local string, broker body.Address, leastID int64) (address string, coverage Coverage)

	// Advertises reports whether the config advertises this host:port, in the form of netip or in lower case, as an address
	// of the proxy.
	Advertises(address string) bool
}

// Coverage says whether the rules name one broker address.
type Coverage uint8

// The kinds of coverage.
const (
	// Uncovered addresses are named by no rule.
	Uncovered Coverage = iota
	// Covered addresses are replaced.
	Covered
	// Withheld addresses are covered by another address of the same broker name.
	Withheld
)

// New returns the rules of a config.
func New(config apiv1.AddressingConfig) Rules {
	switch config.Mode {
	case apiv1.UnifiedMode:
		return unified{advertised: config.AdvertisedAddress}
	case apiv1.TransparentMode:
		return transparent{}
	default:
		return newPerBroker(config.Brokers, config.Template)
	}
}

// LeastIDs returns the least id of each broker name.
func LeastIDs(addresses []body.Address) map[string]int64 {
	least := make(map[string]int64)
	for _, a := range addresses {
		id, ok := least[a.BrokerName]
		if !ok {
			id = math.MaxInt64
		}
		least[a.BrokerName] = min(id, a.BrokerID)
	}
	return least
}

// canonical returns host:port in the one form in which addresses are compared.
func canonical(address string) string {
	if at, err := netip.ParseAddrPort(address); err == nil {
		return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port()).String()
	}
	return strings.ToLower(address)
}
