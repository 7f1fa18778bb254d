// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestMessageTracks asks mqadmin whether a group has consumed a message. It compares the address that the message
// holds, of the broker that stored it, with the broker's address in the cluster list: behind a proxy these differ, and it
// says "not yet" of every message. What docs/TROUBLESHOOTING.md says to compare instead works.
func TestMessageTracks(t *testing.T) {
	const topic, groupName = "Tracked", "track-group"
	x := install(t, world.Options{Mode: world.PerBroker, Topics: map[string]int{topic: queues}})
	var ledger world.Ledger
	group := x.group(&ledger, topic, groupName, 1)
	sent := x.mqadmin("sendMessage", "-n", x.nameServer, "-t", topic, "-p", "tracked", "-b", x.Brokers[0].Name, "-i", "0")
	id := regexp.MustCompile(`\b(?:[0-9A-F]{8}){4,7}\b`).FindString(sent)
	if id == "" {
		t.Fatalf("no message id in\n%s", sent)
	}
	// The consumer tells the broker every few seconds how far it is.
	progress := func() string { return x.mqadmin("consumerProgress", "-n", x.nameServer, "-g", groupName, "-t", topic) }
	row := regexp.MustCompile(topic + ` +` + x.Brokers[0].Name + ` +0 +1 +1 +`) // topic, broker, queue, broker offset, consumer offset
	for limit := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		got := progress()
		if row.MatchString(got) {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the proxy's consumerProgress never says that the message was consumed:\n%s", got)
		}
	}
	for _, way := range []struct{ name, nameServer, want string }{
		{"direct", x.NameServer, "consumerGroup=" + groupName + ", trackType=CONSUMED,"},
		{"per_broker", x.nameServer, "consumerGroup=" + groupName + ", trackType=NOT_CONSUME_YET,"},
	} {
		for command, args := range map[string][]string{
			"queryMsgByUniqueKey": {"-i", id},
			"queryMsgByOffset":    {"-b", x.Brokers[0].Name, "-i", "0", "-o", "0"},
		} {
			// A broker names the groups of a topic by their connections or by offsets that it has stored, of which it may have
			// neither at the moment.
			ask := append([]string{command, "-n", way.nameServer, "-t", topic}, args...)
			got := x.mqadminOutput(ask...)
			for limit := time.Now().Add(time.Minute); !strings.Contains(got, way.want); got = x.mqadminOutput(ask...) {
				if time.Now().After(limit) {
					t.Errorf("%s, %s: no %s in\n%s", way.name, command, way.want, got)
					break
				}
			}
		}
	}
	for _, j := range group { // what it got is not one of our producers'
		if _, err := j.Finish(x.limit(2 * time.Minute)); err != nil {
			t.Error(err)
		}
	}
}
