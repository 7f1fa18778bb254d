// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestPolicy has real clients meet the rules and rate limits of envoy-config/policy.yaml.
func TestPolicy(t *testing.T) {
	x := install(t, world.Options{
		Mode:   world.Unified,
		Config: filepath.Join(root(t), "envoy-config", "policy.yaml"),
		Topics: map[string]int{"payroll": queues, "imports": queues, "reports": queues, "orders": queues},
	})
	t.Run("clients", func(t *testing.T) {
		t.Run("a denied topic", func(t *testing.T) { t.Parallel(); deniedTopic(x.on(t)) })
		t.Run("a limited topic", func(t *testing.T) { t.Parallel(); limitedTopic(x.on(t)) })
		t.Run("a rule in shadow", func(t *testing.T) {
			t.Parallel()
			x := x.on(t)
			x.produce(&world.Ledger{}, "reports", 0, 20)
			x.awaitStat("policy_shadow_denied", 20)
		})
		t.Run("tools", func(t *testing.T) {
			t.Parallel()
			x := x.on(t)
			if code, remark := x.ask(x.ProxyAddr, codec.RequestGetBrokerClusterInfo, nil, nil); code != codec.ResponseSuccess {
				x.Errorf("the operators' network gets %v: %s", code, remark)
			}
		})
	})
	t.Run("a limited group", func(t *testing.T) { limitedGroup(x.on(t)) })
	t.Run("stats are those of a quiet proxy", func(t *testing.T) { x.on(t).idle() })
}

// attempt has a producer send and gives what it was told.
func (x *installation) attempt(topic string, count int) world.Event {
	x.Helper()
	producer := x.start("Producer", &world.Ledger{}, "--topic", topic, "--count", strconv.Itoa(count))
	end, err := producer.Await(x.limit(time.Minute), "end", nil)
	if err != nil {
		x.Fatal(err)
	}
	x.finish(producer)
	return end
}

func deniedTopic(x *installation) {
	end := x.attempt("payroll", 1)
	const remark = `denied by the rule "payroll" of this proxy's policy: ask its operator if this client shall be allowed`
	if end.Sent != 0 || end.Failed != 1 || end.Code != int(codec.ResponseNoPermission) || end.Remark != remark {
		x.Errorf("got %s", end.Raw)
	}
	x.awaitStat("policy_denied", 3) // NO_PERMISSION has a Java client try twice more
}

func limitedTopic(x *installation) {
	end := x.attempt("imports", 60)
	const remark = `over the rate limit "imports" of this proxy's policy: come back later, or ask its operator for a greater one`
	if end.Sent < 20 || end.Sent == 60 || end.Sent+end.Failed != 60 || end.Code != int(codec.ResponseSystemBusy) || end.Remark != remark {
		x.Errorf("got %s", end.Raw)
	}
}

// limitedGroup has a consumer fetch more than its group may in a second: it gets everything, and later.
func limitedGroup(x *installation) {
	before := x.stat("policy_limited")
	var ledger world.Ledger
	group := x.group(&ledger, "orders", "batch-group", 1)
	x.produce(&ledger, "orders", 0, 20, "--mode", "batch", "--size", "3000")
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 20 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	x.awaitAtLeast("policy_limited", before+1)
	x.finish(group...)
}
