// SPDX-License-Identifier: Apache-2.0

package router

import (
	"slices"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func TestOfGivesTheRowOfEachCode(t *testing.T) {
	rows := map[requests.Code]*Kind{}
	for i := range Table {
		rows[Table[i].Code] = &Table[i]
	}
	for _, code := range append(requests.Codes(), -1, 0, 4711, 1<<30) {
		want := rows[code]
		if want == nil {
			want = &unlisted
		}
		if got := Of(code); got != want {
			t.Errorf("%v: got the row of %v, class %v", code, got.Code, got.Class)
		}
	}
}

// TestEveryKnownCodeHasAWholeRow keeps the table from having a default: package codec knows all codes of Java's RequestCode
// (TestRequestCodesAreJavas), and what a row leaves out nobody decided.
func TestEveryKnownCodeHasAWholeRow(t *testing.T) {
	for _, code := range requests.Codes() {
		k := Of(code)
		if k.Code != code || k.Class == 0 || k.Class == Unlisted || k.Effect == 0 {
			t.Errorf("%v: class %v, effect %v", code, k.Class, k.Effect)
		}
		switch k.Class {
		case Named, AnyBroker, AddressOnly:
			if k.Locate == nil {
				t.Errorf("%v: nothing finds its broker", code)
			}
		}
		if waits := k.Fetches() && code != requests.PeekMessage; waits && k.Wait == nil {
			t.Errorf("%v is a long poll and has no wait", code)
		}
		if wants := k.Class == EveryBroker || k.Class == AllNameServers; wants && !k.MayChange() {
			t.Errorf("%v goes to all servers and changes nothing", code)
		}
	}
	if len(Table) != len(requests.Codes()) {
		t.Errorf("%d rows for %d codes", len(Table), len(requests.Codes()))
	}
}

// TestOnlyReadsAndClientTrafficMayPassReadOnlyListeners has the effects written down a second time where a wrong one would let a change pass.
func TestOnlyReadsAndClientTrafficMayPassReadOnlyListeners(t *testing.T) {
	for _, code := range []requests.Code{-1, 0, 16, 218, 4711, 200057, 200080, 1 << 30} {
		if !Of(code).MayChange() {
			t.Errorf("%v passes", code)
		}
	}
	reading := []string{"GET_", "QUERY_", "VIEW_", "CONTROLLER_GET_", "AUTH_GET_", "AUTH_LIST_", "INVOKE_BROKER_TO_GET_", "CHECK_ROCKSDB_", "WHO_CONSUME_"}
	for _, k := range Table {
		name := k.Code.String()
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

func TestWhatIsRewrittenIsWhatTheTableSays(t *testing.T) {
	for _, k := range Table {
		rewrites := k.Rewrite != Untouched && k.Rewrite != ConsumerIDs
		if rewrites != (k.Addresses.Rewritten != "") {
			t.Errorf("%v: rewriting %d, rewritten %q", k.Code, k.Rewrite, k.Addresses.Rewritten)
		}
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
	for _, code := range requests.Codes() {
		if got, want := Of(code).Class == Internal, slices.Contains(internal, code.String()); got != want {
			t.Errorf("%v is internal: %v, want %v", code, got, want)
		}
	}
}
