// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestOlderEnvoys runs the main job in the older versions of Envoy that we support. They hand the
// config over in another form, and 1.38 has fewer functions for stats.
func TestOlderEnvoys(t *testing.T) {
	for _, version := range versions.Envoy[1:] {
		t.Run(version, func(t *testing.T) {
			x := install(t, world.Options{
				Mode: world.SideBySide, EnvoyVersion: version, Topics: map[string]int{string(world.PerBroker): queues, string(world.Unified): queues},
			})
			mainJob(x)
		})
	}
}

// TestOlderRocketMQ runs the main job with older name servers and brokers, the newest clients before them.
func TestOlderRocketMQ(t *testing.T) {
	for _, version := range versions.RocketMQ[1:] {
		t.Run(version, func(t *testing.T) {
			mainJob(install(t, world.Options{
				Mode: world.SideBySide, RocketMQVersion: version, Topics: map[string]int{string(world.PerBroker): queues, string(world.Unified): queues},
			}))
		})
	}
}

// mainJob sends and consumes a hundred messages each way through the proxy, in the topic of the way's name.
func mainJob(x *installation) {
	for _, way := range x.ProxiedWays() {
		x.Run(way.Name, func(t *testing.T) {
			x := x.by(t, way)
			var ledger world.Ledger
			group := x.group(&ledger, way.Name, way.Name, 1)
			x.produce(&ledger, way.Name, 0, 100)
			if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 100 || sums.Duplicated != 0 {
				x.Errorf("got %v", sums)
			}
			x.awaitStat("send_message_v2", 100)
			x.finish(group...)
			x.awaitStat("panic", 0)
			x.awaitStat("response_unexpected", 0)
		})
	}
}
