// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const (
	queues     = 4 // on each of two brokers
	allQueues  = 2 * queues
	perProduce = 400
)

// TestTraffic sends messages of every kind through the proxy, both ways at the same time, and demands each of them once.
func TestTraffic(t *testing.T) {
	topics := map[string]int{}
	for _, way := range []world.Mode{world.PerBroker, world.Unified} {
		for _, topic := range []string{"Plain", "Ordered", "Half", "Again"} {
			topics[string(way)+"-"+topic] = queues
		}
		// A consumer takes up to 20 s to find a new topic for redeliveries.
		topics["%RETRY%"+string(way)+"-again-group"] = 1
	}
	x := install(t, world.Options{
		Mode: world.SideBySide, Topics: topics,
		// So that checks of undecided transactions and redeliveries come soon. A broker notes the end of a
		// transaction in batches; were it to ask about one before it has noted its end, it would
		// take the second answer for a second message.
		BrokerConfig: map[string]string{"transactionCheckInterval": "3000", "transactionTimeOut": "4000", "transactionOpBatchInterval": "200", "messageDelayLevel": "1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 11s 12s 13s 14s 15s 16s 17s 18s"},
	})
	for _, way := range x.ProxiedWays() {
		t.Run(way.Name, func(t *testing.T) {
			t.Parallel()
			x := x.by(t, way)
			x.namePrefix = way.Name + "-"
			t.Run("plain", func(t *testing.T) { plain(x.on(t)) })
			t.Run("ordered", func(t *testing.T) { ordered(x.on(t)) })
			t.Run("transactions", func(t *testing.T) { transactions(x.on(t)) })
			t.Run("redelivery", func(t *testing.T) { redelivery(x.on(t)) })
			t.Run("stats are those of a quiet proxy", func(t *testing.T) { x.on(t).idle() })
		})
	}
}

// plain is ordinary producers and a group of two concurrent push consumers, which rebalance.
func plain(x *installation) {
	var ledger world.Ledger
	group := x.group(&ledger, x.named("Plain"), x.named("plain-group"), 1)
	group = append(group, x.start("Consumer", &ledger, "--topic", x.named("Plain"), "--group", x.named("plain-group")))
	x.settle(group)

	watch := x.WatchClients(group...)
	sendV2, oneway, batch := x.stat("send_message_v2"), x.stat("request_oneway"), x.stat("request_code.send_batch_message")
	requests, answers := x.stat("request_decoding_success"), x.stat("response_success")

	x.produce(&ledger, x.named("Plain"), 0, perProduce, "--threads", "2")
	x.awaitStat("send_message_v2", sendV2+perProduce)
	x.awaitStat("send_message_v1", 0)

	x.produce(&ledger, x.named("Plain"), perProduce, perProduce, "--mode", "async")
	x.awaitStat("send_message_v2", sendV2+2*perProduce)

	x.produce(&ledger, x.named("Plain"), 2*perProduce, perProduce, "--mode", "batch", "--batch", "10")
	x.awaitStat("request_code.send_batch_message", batch+perProduce/10)

	// A oneway send is acknowledged by nobody: whether it arrives is seen at the consumers.
	x.produce(&ledger, x.named("Plain"), 3*perProduce, perProduce, "--mode", "oneway")
	x.awaitStat("send_message_v2", sendV2+3*perProduce)

	sums := x.drained(&ledger, 30*time.Second)
	if sums.Sent != 4*perProduce || sums.Consumed != sums.Sent || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	for _, b := range x.Brokers {
		if sums.PerBroker[b.Name] == 0 {
			x.Errorf("%s had no messages", b.Name)
		}
	}
	x.awaitAtLeast("request_oneway", oneway+perProduce)
	x.awaitAtLeast("request_decoding_success", requests+3*perProduce)
	x.awaitAtLeast("response_success", answers+2*perProduce)
	for _, name := range []string{"heartbeat", "get_topic_route", "get_consumer_list"} {
		x.awaitAtLeast(name, 1)
	}
	if histograms, err := x.Histograms(x.limit(30*time.Second), x.statPrefix+"request_time_ms"); err != nil || len(histograms) != 1 {
		x.Errorf("got %v, %v", histograms, err)
	}

	// One member leaves: the other takes its queues over.
	x.finish(group[1])
	x.settle(group[:1])

	report := watch.Stop()
	if report.Looks < 3 || report.ViaProxy == 0 {
		x.Errorf("the clients' connections could not be checked: %+v", report)
	}
	for _, direct := range report.Direct {
		x.Errorf("a client left the proxy: %s", direct)
	}
	x.finish(group[0])
	x.awaitAtLeast("unregister", 1)
	x.idle()
}

// ordered is two orderly push consumers, which lock their queues.
func ordered(x *installation) {
	var ledger world.Ledger
	group := x.group(&ledger, x.named("Ordered"), x.named("ordered-group"), 2, "--mode", "orderly")
	x.produce(&ledger, x.named("Ordered"), 0, perProduce, "--mode", "orderly", "--threads", "1")
	sums := x.drained(&ledger, time.Minute)
	if sums.Sent != perProduce || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	for _, end := range x.finish(group...) {
		if end.Violations != 0 {
			x.Errorf("%d messages were out of order", end.Violations)
		}
	}
	x.awaitAtLeast("request_code.lock_batch_mq", 1)
	x.awaitAtLeast("request_code.unlock_batch_mq", 1)
}

// transactions commits, rolls back, and leaves some undecided until the broker asks.
func transactions(x *installation) {
	var ledger world.Ledger
	group := x.group(&ledger, x.named("Half"), x.named("half-group"), 1)
	ended := x.stat("request_code.end_transaction")
	asked := x.stat("server_request")
	p := x.start("Producer", &ledger, "--topic", x.named("Half"), "--count", "100", "--rate", "50", "--mode", "transaction", "--rollback-every", "5", "--unknown-every", "7")
	// It has to stay until the broker has asked about the undecided ones.
	sums := world.Sums{}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(100 * time.Millisecond) {
		if sums = ledger.Sums(); sums.Sent >= 70 && sums.Lost() == 0 {
			break
		}
	}
	x.finish(p)
	sums = x.drained(&ledger, 30*time.Second)
	if sums.Sent < 70 || sums.Sent >= 100 || sums.Unacknowledged != 0 || sums.Duplicated != 0 {
		x.Errorf("got %v; %d delivered although rolled back or undecided", sums, sums.Unacknowledged)
	}
	x.awaitAtLeast("request_code.end_transaction", ended+100)
	x.awaitAtLeast("server_request", asked+1)
	x.finish(group...)
}

// redelivery has consumers fail some messages: they go back to their broker and come again.
func redelivery(x *installation) {
	var ledger world.Ledger
	group := x.group(&ledger, x.named("Again"), x.named("again-group"), 1, "--fail-every", "10")
	back := x.stat("request_code.consumer_send_msg_back")
	x.produce(&ledger, x.named("Again"), 0, 100)
	sums := x.drained(&ledger, 90*time.Second)
	if sums.Sent != 100 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	x.awaitStat("request_code.consumer_send_msg_back", back+10)
	x.finish(group...)
}
