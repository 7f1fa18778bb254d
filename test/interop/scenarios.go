// SPDX-License-Identifier: Apache-2.0

package main

// A scenario is a row of the matrix. The programs know it by its id; docs/COMPATIBILITY.md shows the title.
type scenario struct {
	id, title string
	admin     bool // a command of mqadmin
	last      bool // uses the address that is stored in a message id (dialsStored)
	// noTopic: the topic <prefix>-<id> is not made before.
	noTopic bool
	in      *setting // nil: plain
}

func (s scenario) setting() *setting {
	if s.in == nil {
		return plain
	}
	return s.in
}

// dialsStored tells whether the client connects to an address that is stored in a message: the scenario then comes
// last, and unwatched.
func dialsStored(s scenario, c *client) bool {
	// Java 5.0.0 sends what it could not consume back to the address of the broker that stored it.
	return s.last || s.id == "retry-dead-letter" && c.java == "5.0.0"
}

// onProxy is the scenario that is no program's: whether all connections of the client went to the proxy.
const onProxy = "stays-on-proxy"

// allScenarios in the order of the rows.
var allScenarios = []scenario{
	{id: "send-sync", title: "send, synchronous"},
	{id: "send-async", title: "send, asynchronous"},
	{id: "send-oneway", title: "send, oneway"},
	{id: "send-batch", title: "send, batch"},
	{id: "send-4mib", title: "send, 4 MiB"},
	{id: "send-compressed", title: "send, compressed"},
	{id: "send-delayed", title: "send, delayed"},
	{id: "send-vip-channel", title: "send, VIP channel (port − 2)"},
	{id: "one-broker-topic", title: "send to a topic of one broker"},
	{id: "auto-create-topic", title: "send to a topic that is not there", noTopic: true},
	{id: "create-topic", title: "createTopic", noTopic: true},
	{id: "push-concurrent", title: "push consumer"},
	{id: "push-orderly", title: "ordered messages, orderly push consumer"},
	{id: "push-broadcast", title: "push consumers, broadcasting"},
	{id: "push-two-members", title: "two push consumers share a group"},
	{id: "filter-tag", title: "filter by tag"},
	{id: "filter-sql", title: "filter by SQL92"},
	{id: "retry-dead-letter", title: "retry, then dead letter queue"},
	{id: "pull", title: "pull consumer, long poll"},
	{id: "offsets", title: "offsets: max, min, earliest, search, commit, query"},
	{id: "lite-pull-subscribe", title: "lite pull consumer, subscribe"},
	{id: "lite-pull-assign", title: "lite pull consumer, assign, seek, commit"},
	{id: "pop", title: "pop consumer, and change of invisible time"},
	{id: "pop-orderly", title: "pop in order, by single requests"},
	{id: "tx-commit", title: "transaction, commit"},
	{id: "tx-rollback", title: "transaction, rollback"},
	{id: "tx-check-back", title: "transaction, check-back"},
	{id: "recall", title: "recall of a timed message"},
	{id: "request-reply", title: "request–reply, synchronous"},
	{id: "request-reply-async", title: "request–reply, with a callback"},
	{id: "query-key", title: "query by key"},
	{id: "query-unique-id", title: "query by unique id"},
	{id: "query-offset-id", title: "query by offset id", last: true},
	{id: "trace", title: "message trace"},
	{id: "namespace", title: "namespace (v1)"},
	{id: "bare-pull", title: "nothing but a pull"},
	{id: "bare-max-offset", title: "nothing but a queue's max offset"},
	{id: "bare-commit-offset", title: "nothing but the commit of an offset"},
	{id: "bare-lock", title: "nothing but the lock of a queue"},
	{id: "acl1-signed", title: "signed requests, ACL 1.0", in: acl1},
	{id: "acl1-wrong-secret", title: "wrong secret, ACL 1.0", in: acl1},
	{id: "acl2-signed", title: "signed requests, ACL 2.0", in: acl2},
	{id: "acl2-wrong-secret", title: "wrong secret, ACL 2.0", in: acl2},
	{id: "tls", title: "TLS", in: tls},
	{id: onProxy, title: "all connections go to the proxy", noTopic: true},

	{id: "updateTopic", title: "updateTopic -b", admin: true, noTopic: true},
	{id: "deleteTopic", title: "deleteTopic", admin: true, noTopic: true},
	{id: "topicList", title: "topicList", admin: true, noTopic: true},
	{id: "topicRoute", title: "topicRoute", admin: true, noTopic: true},
	{id: "topicStatus", title: "topicStatus", admin: true, noTopic: true},
	{id: "clusterList", title: "clusterList", admin: true, noTopic: true},
	{id: "brokerStatus", title: "brokerStatus -b", admin: true, noTopic: true},
	{id: "brokerConsumeStats", title: "brokerConsumeStats -b", admin: true, noTopic: true},
	{id: "updateBrokerConfig", title: "updateBrokerConfig -b, getBrokerConfig -b", admin: true, noTopic: true},
	{id: "wipeWritePerm", title: "wipeWritePerm, addWritePerm", admin: true, noTopic: true},
	{id: "consumerProgress", title: "consumerProgress", admin: true, noTopic: true},
	{id: "consumerConnection", title: "consumerConnection", admin: true, noTopic: true},
	{id: "producerConnection", title: "producerConnection", admin: true, noTopic: true},
	{id: "consumerStatus", title: "consumerStatus", admin: true, noTopic: true},
	{id: "updateSubGroup", title: "updateSubGroup -b", admin: true, noTopic: true},
	{id: "queryMsgByKey", title: "queryMsgByKey", admin: true, noTopic: true},
	{id: "queryMsgByUniqueKey", title: "queryMsgByUniqueKey", admin: true, noTopic: true},
	{id: "sendMessage", title: "sendMessage -b -i", admin: true},
	{id: "consumeMessage", title: "consumeMessage", admin: true, noTopic: true},
	{id: "resetOffsetByTime", title: "resetOffsetByTime, consumer online", admin: true, noTopic: true},
	{id: "queryMsgById", title: "queryMsgById", admin: true, last: true, noTopic: true},
}

// slowFirst are scenarios that mostly wait: begun first, they wait beside the others.
var slowFirst = []string{"pop", "pop-orderly", "retry-dead-letter", "push-two-members", "tx-commit", "tx-rollback", "tx-check-back", "recall", "request-reply", "request-reply-async"}

// sample is the representative part of the matrix, for `make test`: its clients and scenarios.
var (
	sampleClients   = []string{"java-" + newest, "java-4.9.8", "go-2.1.2"}
	sampleScenarios = []string{
		"send-sync", "send-batch", "send-compressed", "one-broker-topic", "push-concurrent", "push-orderly", "filter-tag", "filter-sql",
		"pull", "lite-pull-subscribe", "query-key", "query-unique-id", "namespace", "bare-pull", "bare-commit-offset", "bare-lock", onProxy,
	}
)
