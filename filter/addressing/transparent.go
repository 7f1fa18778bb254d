// SPDX-License-Identifier: Apache-2.0

package addressing

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// transparent leaves addresses as they are: connections come here by redirection, and Envoy's original_dst listener filter
// restores where they were going.
type transparent struct{}

func (transparent) Role(uint16) Role { return Role{Kind: OriginalDestination} }

func (transparent) Advertise(_ string, broker body.Address, _ int64) (string, Coverage) {
	return broker.Addr, Covered
}

// Advertises implements Rules: clients get the brokers' own addresses.
func (transparent) Advertises(string) bool { return false }
