// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestSeveralClusters has one listener serve two RocketMQ clusters whose brokers have the same names.
func TestSeveralClusters(t *testing.T) {
	if err := repo.Fetch(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	config := map[string]string{"transactionCheckInterval": "3000", "transactionTimeOut": "4000", "transactionOpBatchInterval": "200", "messageDelayLevel": "1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 11s 12s 13s 14s 15s 16s 17s 18s"}
	second, err := world.Start(t.Context(), world.Options{
		Mode:         world.NoProxy,
		Topics:       map[string]int{"Half": queues, "Again": queues},
		BrokerConfig: config,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Stop(); err != nil {
			t.Error(err)
		}
	})
	x := install(t, world.Options{
		Mode:   world.Unified,
		Topics: map[string]int{"Plain": queues},
		EditConfig: func(_ *world.World, yaml string) (string, error) {
			const clusters, prefix = "              - name: DefaultCluster\n", "                stat_prefix: demo\n"
			if !strings.Contains(yaml, clusters) || !strings.Contains(yaml, prefix) {
				return "", errors.New("unified.yaml is not as expected")
			}
			yaml = strings.Replace(yaml, clusters, clusters+"                name_servers: [\"FIRST\"]\n              - name: second\n", 1)
			_, address, _ := strings.Cut(yaml, "name: second\n                name_servers: [")
			address, _, _ = strings.Cut(address, "]")
			yaml = strings.Replace(yaml, `"FIRST"`, address, 1)
			yaml = strings.Replace(yaml, "name: second\n                name_servers: ["+address, "name: second\n                name_servers: [\""+second.NameServer+`"`, 1)
			var routes strings.Builder
			for _, topic := range []string{"Half", "Again"} {
				fmt.Fprintf(&routes, "                  - {match: {topic: {exact: %s}}, route: {cluster: second}}\n", topic)
			}
			return strings.Replace(yaml, prefix, prefix+"                route_config:\n                  routes:\n"+routes.String(), 1), nil
		},
	})
	t.Run("first", func(t *testing.T) {
		x := x.on(t)
		var ledger world.Ledger
		group := x.group(&ledger, "Plain", "plain-group", 1)
		x.produce(&ledger, "Plain", 0, 100)
		if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 100 || sums.Duplicated != 0 {
			x.Errorf("got %v", sums)
		}
		x.finish(group...)
	})
	t.Run("second", func(t *testing.T) {
		t.Run("transactions", func(t *testing.T) { transactions(x.on(t)) })
		t.Run("redelivery", func(t *testing.T) { redelivery(x.on(t)) })
	})
	t.Run("stats are those of a quiet proxy", func(t *testing.T) { x.on(t).idle() })
}
