// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestStaticTopics makes a static topic as users do, with mqadmin, and demands each message once. Clients name a logical
// broker for its queues, which the brokers and the name server choose.
func TestStaticTopics(t *testing.T) {
	x := install(t, world.Options{Mode: world.SideBySide, Topics: map[string]int{}})
	for _, way := range x.ProxiedWays() {
		t.Run(way.Name, func(t *testing.T) {
			x := x.by(t, way)
			x.namePrefix = way.Name + "-"
			topic := x.named("Static")
			x.mqadmin("updateStaticTopic", "-n", x.NameServer, "-t", topic, "-qn", "8", "-c", "DefaultCluster")
			var ledger world.Ledger
			x.group(&ledger, topic, x.named("static-group"), 1)
			x.produce(&ledger, topic, 0, perProduce)
			sums := x.drained(&ledger, time.Minute)
			if sums.Sent != perProduce || sums.Consumed != sums.Sent || sums.Duplicated != 0 {
				x.Errorf("got %v", sums)
			}
		})
	}
}

// mqadmin runs RocketMQ's own command, which ends with status 0 even if it has failed.
func (x *installation) mqadmin(args ...string) string {
	x.Helper()
	output := x.mqadminOutput(args...)
	if strings.Contains(output, "Exception") {
		x.Fatalf("mqadmin %s:\n%s", strings.Join(args, " "), output)
	}
	return output
}

// mqadminOutput is mqadmin for a command that prints what it could not do beside what it did.
func (x *installation) mqadminOutput(args ...string) string {
	x.Helper()
	argv := append([]string{"-cp", x.ClassPath(), "org.apache.rocketmq.tools.command.MQAdminStartup"}, args...)
	output, err := exec.CommandContext(x.limit(time.Minute), "java", argv...).CombinedOutput()
	if err != nil {
		x.Fatalf("mqadmin %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}
