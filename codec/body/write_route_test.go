// SPDX-License-Identifier: Apache-2.0

package body

import (
	"encoding/json"
	"testing"
)

func TestARouteIsWrittenAsANameServerDoes(t *testing.T) {
	broker := func(name string, id int64, address string) RouteBroker {
		return RouteBroker{Address: Address{Cluster: "c", BrokerName: name, BrokerID: id, Addr: address}, ReadQueues: 4, WriteQueues: 8, Perm: 6}
	}
	brokers := []RouteBroker{broker("b", 0, "10.0.0.3:1"), broker("a", 1, "10.0.0.2:1"), broker("a", 0, "10.0.0.1:1"), broker("a", 0, "10.0.0.9:1")}
	want := `{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:1","1":"10.0.0.2:1"},"brokerName":"a","cluster":"c"},` +
		`{"brokerAddrs":{"0":"10.0.0.3:1"},"brokerName":"b","cluster":"c"}],"filterServerTable":{},` +
		`"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":8},` +
		`{"brokerName":"b","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":8}]}`
	got := AppendTopicRouteData(nil, brokers, true)
	if string(got) != want || !json.Valid(got) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	route, err := ParseTopicRouteData(AppendTopicRouteData(nil, brokers, false))
	if err != nil || len(route.Brokers) != 3 || route.Brokers[1] != brokers[1].Address {
		t.Errorf("got %+v, %v", route, err)
	}
	if got := string(AppendTopicRouteData(nil, nil, true)); got != `{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}` {
		t.Errorf("got %s", got)
	}
}

func TestMergedRoutes(t *testing.T) {
	one := []byte(`{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:1"},"brokerName":"a","cluster":"c"}],"queueDatas":[{"brokerName":"a","perm":6}]}`)
	two := []byte(`{"queueDatas":[{"brokerName":"a"},{"brokerName":"b"}],"brokerDatas":[{"brokerName":"a"},{"brokerName":"b","brokerAddrs":{}}],"orderTopicConf":"x:1"}`)
	merged, clashes, err := MergeTopicRouteData([][]byte{one, two, []byte(`{}`)})
	want := `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:1"},"brokerName":"a","cluster":"c"},{"brokerName":"b","brokerAddrs":{}}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6},{"brokerName":"b"}]}`
	if string(merged) != want || clashes != 1 || err != nil {
		t.Errorf("got %d clashes, %v\n got %s\nwant %s", clashes, err, merged, want)
	}
	for _, bad := range []string{``, `[]`, `{"brokerDatas":7}`, `{"queueDatas":[7]}`} {
		if merged, _, err := MergeTopicRouteData([][]byte{one, []byte(bad)}); err == nil {
			t.Errorf("%s gave %s", bad, merged)
		}
	}
}
