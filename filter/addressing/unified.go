// SPDX-License-Identifier: Apache-2.0

package addressing

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// unified advertises the address of the proxy itself for all brokers. A request carries the broker's name but not whether
// it is for the master or a slave, so one id only is advertised: the master or, while there is none, the slave with the
// least id (an id 0 is never invented: it would mean "writable").
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
