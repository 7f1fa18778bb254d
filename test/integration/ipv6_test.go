// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestBrokersWithAnIPv6Address runs the main job with brokers that register "::1:PORT", as RocketMQ writes such an address.
func TestBrokersWithAnIPv6Address(t *testing.T) {
	mainJob(install(t, world.Options{
		Mode: world.SideBySide, BrokerIP: "::1", Topics: map[string]int{string(world.PerBroker): queues, string(world.Unified): queues},
	}))
}
