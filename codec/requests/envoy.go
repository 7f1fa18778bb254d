// SPDX-License-Identifier: Apache-2.0

package requests

// EnvoyRule says what Envoy's own filter, rocketmq_proxy, does with a request, and this one where it is configured like it.
type EnvoyRule uint8

// The rules.
const (
	// EnvoyUnknown requests are unknown to Envoy's filter.
	EnvoyUnknown EnvoyRule = iota
	// EnvoyAnswersRoute requests are answered with the endpoints of a cluster of Envoy.
	EnvoyAnswersRoute
	// EnvoyRegisters requests make clients members of their groups.
	EnvoyRegisters
	// EnvoyUnregisters requests end a membership.
	EnvoyUnregisters
	// EnvoyAnswersMembers requests are answered with the members of a group.
	EnvoyAnswersMembers
	// EnvoyBalances requests go to an endpoint of their topic's cluster.
	EnvoyBalances
	// EnvoyAcknowledges requests go to the endpoint that their message came from.
	EnvoyAcknowledges
)

// ForEnvoy returns the code that Envoy's own filter takes a code for.
func ForEnvoy(code Code) Code {
	if other := Of(code).EnvoyReadsAs; other != 0 {
		return other
	}
	return code
}
