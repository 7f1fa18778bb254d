// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestConsumersBehindTwoEnvoysShareTheirQueues: the state of a group is the brokers', so Envoys stand side
// by side without knowing of each other.
func TestConsumersBehindTwoEnvoysShareTheirQueues(t *testing.T) {
	x := install(t, world.Options{Mode: world.Unified, Topics: map[string]int{"Plain": queues}})
	second := x.secondEnvoy()
	var ledger world.Ledger
	group := []*world.Java{
		x.start("Consumer", &ledger, "--topic", "Plain", "--group", "wide-group"),
		x.start("Consumer", &ledger, "--topic", "Plain", "--group", "wide-group", "--namesrv", second),
	}
	x.settle(group)
	x.produce(&ledger, "Plain", 0, 200, "--namesrv", second)
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 200 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	x.awaitStat("send_message_v2", 0) // of the first Envoy: all went through the second
	for _, end := range x.finish(group...) {
		if end.TotalConsumed == 0 {
			x.Error("one consumer had no messages")
		}
	}
	x.idle()
}

// secondEnvoy starts another Envoy in front of the same cluster and returns its address.
func (x *installation) secondEnvoy() string {
	x.Helper()
	yaml, err := x.EnvoyConfig()
	if err != nil {
		x.Fatal(err)
	}
	listener, admin := freePort(x.T), freePort(x.T)
	for before, after := range map[string]string{x.ProxyAddr: listener, x.Admin: admin} {
		_, old, _ := net.SplitHostPort(before)
		_, port, _ := net.SplitHostPort(after)
		yaml = strings.ReplaceAll(yaml, "port_value: "+old, "port_value: "+port)
	}
	startEnvoy(x.T, envoy.Options{Config: yaml, Admin: admin, Listens: []string{listener}, Dir: x.TempDir()})
	return listener
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
