// SPDX-License-Identifier: Apache-2.0

package addressing

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// unified gives all brokers the address of the proxy itself. A request carries the broker's name
// but nothing that tells master from slave, so clients are told of one id only: the master or, while
// there is none, the slave with the least id (an id 0 is never invented: it would mean "writable").
type unified struct{ advertised string }

func (unified) Role(uint16) Role { return Role{Kind: Shared} }

func (u unified) Advertise(local string, broker body.Address, leastID int64) (string, Coverage) {
	switch {
	case broker.BrokerID != leastID:
		return "", Withheld
	case u.advertised != "":
		return u.advertised, Covered
	}
	return local, Covered
}

// Advertises implements Rules.
func (u unified) Advertises(address string) bool {
	return u.advertised != "" && canonical(u.advertised) == address
}
