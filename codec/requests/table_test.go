// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

func TestTheTableHasTheCodesOfJava(t *testing.T) {
	java := golden.JavaConstants(t, "java-request-codes.txt")
	if len(java) != 166 {
		t.Fatalf("only %d constants", len(java))
	}
	for value, name := range java {
		if got := Of(Code(value)).Name; got != name {
			t.Errorf("%d: got %q, want %s", value, got, name)
		}
	}
	last := Code(-1)
	for _, row := range Table {
		if row.Code <= last {
			t.Errorf("%d behind %d", row.Code, last)
		}
		last = row.Code
		older := row.Code >= 50 && row.Code <= 54 // than the recorded release: access control 1.0
		if java[int32(row.Code)] == "" && !older {
			t.Errorf("%s (%d) is not Java's", row.Name, row.Code)
		}
	}
}

func TestOfReturnsTheRowOfEachCode(t *testing.T) {
	known := 0
	for code := Code(-1000); code < 300_000; code++ {
		row := Of(code)
		if row.Known() {
			known++
			if row.Code != code || &Table[row.Ordinal] != row {
				t.Errorf("%d: got row %d, of %v", code, row.Ordinal, row.Code)
			}
		} else if row != &unlisted {
			t.Errorf("%d: got %v", code, row.Code)
		}
	}
	if known != len(Table) {
		t.Errorf("%d of %d rows are found", known, len(Table))
	}
	for _, code := range []Code{math.MinInt32, math.MaxInt32} {
		if Of(code).Known() {
			t.Errorf("%d is known", code)
		}
	}
}

// TestColumnsAgree has what one column of a row asks of the others.
func TestColumnsAgree(t *testing.T) {
	oneBroker := []Class{Named, AnyBroker, AddressOnly}
	asked := []Class{Named, AnyBroker, AddressOnly, Registration, BrokerChange, NameServer, NameServerChange}
	for i := range Table {
		row := &Table[i]
		for rule, holds := range map[string]bool{
			"it has a class":   row.Class > 0 && row.Class < Unlisted,
			"it has an effect": row.Effect > 0 && row.Effect <= Changes,
			"a rule finds its broker if it goes to one":         (row.Broker != NoBroker) == slices.Contains(oneBroker, row.Class),
			"what goes to all servers changes something":        row.Class != BrokerChange && row.Class != NameServerChange || row.Effect == Changes,
			"clients' traffic that they send has a deadline":    row.Effect != ClientTraffic || row.Class == FromBroker || row.Timeout != (Timeout{}),
			"who has a deadline is asked by clients":            row.Timeout == (Timeout{}) || slices.Contains(asked, row.Class),
			"what is held at the broker has a deadline":         row.LongPoll.Wait == "" || row.Timeout != (Timeout{}),
			"fetching waits, but for a peek":                    !row.Fetches() || row.LongPoll.Wait != "" || row.Code == PeekMessage,
			"fetching is answered with messages":                !row.Fetches() || row.Answer == Messages,
			"fetching and settling are for clients":             row.Operation == NoOperation || row.Effect == ClientTraffic,
			"fetching is consuming":                             !row.Fetches() || row.Purpose == Consuming,
			"sending messages is an operation":                  !row.SendsMessages() || row.Operation == Send,
			"sending is for sending":                            row.Operation != Send || row.Purpose == Sending,
			"messages name their topic in the header":           !row.SendsMessages() && !row.Fetches() || row.Fields.Topic != "",
			"a batch is known by a field":                       row.Sends != MessageOrBatch || row.Fields.Batch != "" && row.Fields.SysFlag != "",
			"a flag has its field":                              row.LongPoll.Flag == 0 || row.Fields.SysFlag != "",
			"a purpose is clients' traffic, but for queries":    row.Purpose == Administration || row.Effect == ClientTraffic || row.Code == QueryMessage,
			"a broker is named in a field":                      row.Broker != ByName && row.Broker != ByAddress || row.Fields.Broker != "",
			"queues and topics to go by are in a body":          row.Broker != ByQueues && row.Broker != ByBody && row.Broker != ByTopic || row.Body != nil,
			"addresses are rewritten in answers with brokers":   row.Answer.HasBrokers() == (row.Addresses.Rewritten != ""),
			"messages have their addresses":                     row.Answer != Messages || row.Addresses.Stored != "",
			"what Envoy's filter counts it knows":               row.EnvoyStat == "" || row.Envoy != EnvoyUnknown,
			"Envoy's filter knows nothing but clients' traffic": row.Envoy == EnvoyUnknown || row.Effect == ClientTraffic,
			"what it is read as by Envoy's filter that knows":   row.EnvoyReadsAs == 0 || Of(row.EnvoyReadsAs).Envoy != EnvoyUnknown,
		} {
			if !holds {
				t.Errorf("%s: not so: %s", row.Name, rule)
			}
		}
	}
}

// TestPurposesAreMeant keeps a new code from being Administration by oversight.
func TestPurposesAreMeant(t *testing.T) {
	count := map[Purpose]int{}
	for _, row := range Table {
		count[row.Purpose]++
	}
	if count[Sending] != 7 || count[Consuming] != 25 || count[Connecting] != 3 {
		t.Errorf("got %v; has a code been added? then say here what it is for", count)
	}
	if got := Of(4711).Purpose; got != Administration {
		t.Errorf("an unknown code is for %v", got)
	}
	for p := range count {
		if got, ok := PurposeNamed(p.String()); got != p || !ok {
			t.Errorf("%v: got %v", p, got)
		}
	}
	if _, ok := PurposeNamed("send"); ok {
		t.Error("names are in capitals")
	}
}

func TestOperations(t *testing.T) {
	want := map[Operation]string{
		Send:    "SEND_MESSAGE SEND_MESSAGE_V2 SEND_BATCH_MESSAGE SEND_REPLY_MESSAGE SEND_REPLY_MESSAGE_V2 RECALL_MESSAGE",
		Receive: "PULL_MESSAGE LITE_PULL_MESSAGE POP_MESSAGE POP_LITE_MESSAGE PEEK_MESSAGE",
		Settle: "ACK_MESSAGE BATCH_ACK_MESSAGE ACK_LITE_MESSAGE CHANGE_MESSAGE_INVISIBLETIME UPDATE_CONSUMER_OFFSET" +
			" CONSUMER_SEND_MSG_BACK END_TRANSACTION",
	}
	for _, row := range Table {
		for operation, names := range want {
			if got := row.Operation == operation; got != slices.Contains(strings.Fields(names), row.Name) {
				t.Errorf("%s is %q", row.Name, row.Operation)
			}
		}
	}
}

// TestOnlyReadsAndClientTrafficMayPassReadOnlyListeners has the effects a second time where a wrong one would let a change
// pass.
func TestOnlyReadsAndClientTrafficMayPassReadOnlyListeners(t *testing.T) {
	for _, code := range []Code{-1, 0, 16, 218, 4711, 200057, 200080, 1 << 30} {
		if !Of(code).MayChange() {
			t.Errorf("%v passes", code)
		}
	}
	reading := []string{"GET_", "QUERY_", "VIEW_", "CONTROLLER_GET_", "AUTH_GET_", "AUTH_LIST_", "INVOKE_BROKER_TO_GET_", "CHECK_ROCKSDB_", "WHO_CONSUME_"}
	for _, k := range Table {
		name := k.Name
		named := slices.ContainsFunc(reading, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if k.Effect == Reads && !named {
			t.Errorf("%s reads; does it?", name)
		}
	}
	traffic := 0
	for _, k := range Table {
		if k.Effect == ClientTraffic {
			traffic++
		}
	}
	if traffic != 38 {
		t.Errorf("%d codes are client traffic; has one been added? then see that it changes nothing but its client's own", traffic)
	}
}

// TestInternalIsWhatOnlyServersSendOrControllersAnswer compares with the sources of RocketMQ 5.5.1: which request codes its
// modules send.
func TestInternalIsWhatOnlyServersSendOrControllersAnswer(t *testing.T) {
	internal := strings.Fields(`
		REGISTER_BROKER UNREGISTER_BROKER BROKER_HEARTBEAT QUERY_DATA_VERSION GET_BROKER_MEMBER_GROUP REGISTER_TOPIC_IN_NAMESRV
		NOTIFY_MIN_BROKER_ID_CHANGE NOTIFY_BROKER_ROLE_CHANGED EXCHANGE_BROKER_HA_INFO
		GET_ALL_CONSUMER_OFFSET GET_ALL_DELAY_OFFSET GET_ALL_MESSAGE_REQUEST_MODE GET_TIMER_CHECK_POINT GET_TIMER_METRICS
		CONTROLLER_ALTER_SYNC_STATE_SET CONTROLLER_APPLY_BROKER_ID CONTROLLER_GET_NEXT_BROKER_ID CONTROLLER_GET_REPLICA_INFO CONTROLLER_REGISTER_BROKER
		CLEAN_BROKER_DATA CONTROLLER_ELECT_MASTER CONTROLLER_GET_METADATA_INFO CONTROLLER_GET_SYNC_STATE_DATA GET_CONTROLLER_CONFIG UPDATE_CONTROLLER_CONFIG
		REGISTER_FILTER_SERVER REGISTER_MESSAGE_FILTER_CLASS`) // the last two of and to filter servers, up to 4.2
	for _, row := range Table {
		if got, want := row.Class == Internal, slices.Contains(internal, row.Name); got != want {
			t.Errorf("%s is internal: %v, want %v", row.Name, got, want)
		}
	}
}
