// SPDX-License-Identifier: Apache-2.0

package breakdown

import (
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func TestRequestsAreCountedByTopicAndByGroup(t *testing.T) {
	config := &apiv1.BreakdownConfig{Topics: []string{"t", "u"}, Groups: []string{"g"}}
	set := stats.New()
	b := New(config, set)
	for _, r := range []session.Record{
		{Code: requests.SendMessageV2, Topic: "t", ProducerGroup: "g", Messages: 1, RequestBytes: 100, Answered: true},
		{Code: requests.SendBatchMessage, Topic: "t", ProducerGroup: "p", Messages: 10, RequestBytes: 500, Oneway: true},
		{Code: requests.SendMessageV2, Topic: "t", ProducerGroup: "g", Messages: 1, RequestBytes: 100, Cause: "refused"},
		{Code: requests.PullMessage, Topic: "u", ConsumerGroup: "g", RequestBytes: 50, ResponseBytes: 1000, Answered: true},
		{Code: requests.PullMessage, Topic: "x", ConsumerGroup: "y", ResponseBytes: 70, Answered: true, ResponseCode: codec.ResponsePullNotFound},
		{Code: requests.GetRouteInfoByTopic, Topic: "u", Answered: true, ResponseCode: codec.ResponseTopicNotExist},
		{Code: requests.HeartBeat, Answered: true},
		{Connection: true, Requests: 7},
	} {
		r.Recorder = set.Recorder()
		b.Ended(&r)
	}
	want := map[string]int64{
		"topic.t.requests": 3, "topic.t.errors": 1, "topic.t.messages_sent": 11, "topic.t.bytes_sent": 600,
		"topic.u.requests": 2, "topic.u.errors": 1, "topic.u.bytes_fetched": 1000,
		"topic._other.requests": 1, "topic._other.bytes_fetched": 70,
		"group.g.requests": 3, "group.g.errors": 1, "group.g.messages_sent": 1, "group.g.bytes_sent": 100, "group.g.bytes_fetched": 1000,
		"group._other.requests": 2, "group._other.messages_sent": 10, "group._other.bytes_sent": 500, "group._other.bytes_fetched": 70,
	}
	first := stats.ID(len(stats.Table))
	defs := set.Defs()[first:]
	if len(defs) != 25 {
		t.Errorf("%d stats, want five for each of two topics, a group and two others", len(defs))
	}
	for i, def := range defs {
		if got := set.Value(first + stats.ID(i)); got != want[def.Name] {
			t.Errorf("%s is %d, want %d", def.Name, got, want[def.Name])
		}
	}
}

// TestNoCounterIsNamedAsAStatOfTheTable keeps rocketmq.demo.topic.t.<counter> from looking like a stat of the prefix
// demo.topic.t.
func TestNoCounterIsNamedAsAStatOfTheTable(t *testing.T) {
	for _, row := range Rows {
		for _, def := range stats.Table {
			if row.Name == def.Name {
				t.Errorf("%s is both", row.Name)
			}
		}
	}
}
