// SPDX-License-Identifier: Apache-2.0

package router

import (
	"fmt"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func header(t testing.TB, code requests.Code, fields ...codec.Field) *codec.Header {
	t.Helper()
	command := codec.Command{Code: int32(code), Fields: fields}
	frame := command.Append(nil)
	prefix, err := codec.ParsePrefix(frame, codec.Limits{MaxFrame: 1 << 20, MaxHeader: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	h := &codec.Header{}
	if err := h.Parse(prefix.Type, frame[codec.PrefixSize:]); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestEveryRowHasARule(t *testing.T) {
	v := fakeView{turns: map[string]int{}}
	for i := range requests.Table {
		row := &requests.Table[i]
		_, refusal := Locate(&Request{Type: row, Header: header(t, row.Code), Body: []byte("{}")}, v)
		if has := refusal != ruleless; has != (row.Broker != requests.NoBroker) {
			t.Errorf("%s: rule %d is applied: %v", row.Name, row.Broker, has)
		}
	}
}

func TestChoiceMovesOnlyTheKeysOfABrokerThatLeaves(t *testing.T) {
	names := []string{"broker-a", "broker-b", "broker-c", "broker-d"}
	count := map[string]int{}
	for i := range 4000 {
		key := fmt.Appendf(nil, "group-%d", i)
		before := choose(names, key)
		count[before]++
		if after := choose(names[:3], key); before != "broker-d" && after != before {
			t.Fatalf("%s moved from %s to %s", key, before, after)
		}
	}
	for name, n := range count {
		if n < 800 || n > 1200 {
			t.Errorf("%s has %d of 4000", name, n)
		}
	}
}

type fakeView struct {
	topics map[string][]string
	groups map[string][]string
	told   []string
	turns  map[string]int
}

func (v fakeView) TopicBrokers(topic string) []string { return v.topics[topic] }
func (v fakeView) OnlyBroker(topic string) (string, bool) {
	if names := v.topics[topic]; len(names) == 1 {
		return names[0], true
	}
	return "", false
}
func (v fakeView) GroupTopics(group string) []string { return v.groups[group] }
func (v fakeView) ToldBrokers() []string             { return v.told }
func (v fakeView) HalfMessageBroker(half HalfMessage, _ *codec.Header) (string, bool) {
	return "checked", half == HalfMessage{1, 2}
}

func (v fakeView) QueueBroker(topic, logicalBroker string, queue int32) (string, bool) {
	brokers := map[int32]string{3: "physical", 5: "physical", 6: "another"}
	return brokers[queue], topic == "static" && logicalBroker == "__syslo__global__" && brokers[queue] != ""
}

func (v fakeView) Turn(question string) int { v.turns[question]++; return v.turns[question] - 1 }

func TestCopiesOfAQueryGoToTheBrokersInTurn(t *testing.T) {
	v := fakeView{topics: map[string][]string{"two": {"broker-a", "broker-b"}}, turns: map[string]int{}}
	h := header(t, requests.QueryMessage, codec.Field{Name: "topic", Value: "two"}, codec.Field{Name: "key", Value: "k"})
	for i, want := range []string{"broker-a", "broker-b", "broker-a"} {
		if got, refusal := Locate(&Request{Type: requests.Of(requests.QueryMessage), Header: h}, v); string(got) != want || refusal != nil {
			t.Errorf("copy %d goes to %q, want %q", i, got, want)
		}
	}
}

func TestBrokersAreFoundByNameThenByTheOnlyBrokerOfTheTopic(t *testing.T) {
	v := fakeView{
		topics: map[string][]string{"one": {"broker-x"}, "two": {"broker-a", "broker-b"}},
		groups: map[string][]string{"g": {"%RETRY%g", "one"}},
		told:   []string{"broker-t"},
		turns:  map[string]int{},
	}
	field := func(name, value string) codec.Field { return codec.Field{Name: name, Value: value} }
	for name, c := range map[string]struct {
		code   requests.Code
		fields []codec.Field
		body   string
		want   string // "" = refused
	}{
		"send v2 by n":                     {requests.SendMessageV2, []codec.Field{field("b", "two"), field("n", "broker-b")}, "", "broker-b"},
		"send v2 by its topic":             {requests.SendMessageV2, []codec.Field{field("b", "one")}, "", "broker-x"},
		"send v2 of a topic of two":        {requests.SendMessageV2, []codec.Field{field("b", "two")}, "", ""},
		"send v1 by bname":                 {requests.SendMessage, []codec.Field{field("topic", "two"), field("bname", "broker-a")}, "", "broker-a"},
		"pull by its topic, empty name":    {requests.PullMessage, []codec.Field{field("topic", "one"), field("bname", "")}, "", "broker-x"},
		"consumer list by the group":       {requests.GetConsumerListByGroup, []codec.Field{field("consumerGroup", "g")}, "", "broker-x"},
		"consumer list of another group":   {requests.GetConsumerListByGroup, []codec.Field{field("consumerGroup", "h")}, "", "broker-t"},
		"consumer list without a group":    {requests.GetConsumerListByGroup, nil, "", ""},
		"end transaction by bname":         {requests.EndTransaction, []codec.Field{field("bname", "broker-b")}, "", "broker-b"},
		"end transaction by its check":     {requests.EndTransaction, []codec.Field{field("tranStateTableOffset", "1"), field("commitLogOffset", "2")}, "", "checked"},
		"end transaction of nobody":        {requests.EndTransaction, []codec.Field{field("tranStateTableOffset", "9"), field("commitLogOffset", "2")}, "", ""},
		"lock by its body":                 {requests.LockBatchMQ, nil, `{"mqSet":[{"brokerName":"broker-q","queueId":1,"topic":"t"}]}`, "broker-q"},
		"lock at two brokers":              {requests.LockBatchMQ, nil, `{"mqSet":[{"brokerName":"broker-q","topic":"t"},{"brokerName":"broker-r","topic":"t"}]}`, ""},
		"lock without a second broker":     {requests.LockBatchMQ, nil, `{"mqSet":[{"brokerName":"broker-q","topic":"t"},{"topic":"t"}]}`, ""},
		"lock of static queues":            {requests.LockBatchMQ, nil, `{"mqSet":[{"brokerName":"__syslo__global__","queueId":3,"topic":"static"},{"brokerName":"__syslo__global__","queueId":5,"topic":"static"},{"brokerName":"physical","topic":"t"}]}`, "physical"},
		"lock of static queues elsewhere":  {requests.LockBatchMQ, nil, `{"mqSet":[{"brokerName":"__syslo__global__","queueId":3,"topic":"static"},{"brokerName":"__syslo__global__","queueId":6,"topic":"static"}]}`, ""},
		"lock of nothing":                  {requests.LockBatchMQ, nil, `{"mqSet":[]}`, ""},
		"lock of a static topic":           {requests.LockBatchMQ, nil, `{"mqSet":[{"brokerName":"__syslo__global__","queueId":3,"topic":"static"}]}`, "physical"},
		"send to a static topic":           {requests.SendMessageV2, []codec.Field{field("b", "static"), field("e", "3"), field("n", "__syslo__global__")}, "", "physical"},
		"send to an unmapped queue":        {requests.SendMessageV2, []codec.Field{field("b", "static"), field("e", "4"), field("n", "__syslo__global__")}, "", ""},
		"send to no queue at all":          {requests.SendMessageV2, []codec.Field{field("b", "static"), field("e", "x"), field("n", "__syslo__global__")}, "", ""},
		"pull from a static topic":         {requests.PullMessage, []codec.Field{field("topic", "static"), field("queueId", "3"), field("bname", "__syslo__global__")}, "", "physical"},
		"ack by bname":                     {requests.AckMessage, []codec.Field{field("bname", "broker-b"), field("extraInfo", "0 1 2 3 0 broker-a 5 6")}, "", "broker-b"},
		"ack by its receipt":               {requests.AckMessage, []codec.Field{field("extraInfo", "0 1 2 3 0 broker-a 5 6")}, "", "broker-a"},
		"ack with a short receipt":         {requests.AckMessage, []codec.Field{field("extraInfo", "0 1 2"), field("topic", "one")}, "", "broker-x"},
		"batch ack by its body":            {requests.BatchAckMessage, nil, `{"acks":[],"brokerName":"broker-b"}`, "broker-b"},
		"batch ack of nobody":              {requests.BatchAckMessage, nil, `{"acks":[]}`, ""},
		"recall by its handle":             {requests.RecallMessage, []codec.Field{field("recallHandle", "djEgdHdvIGJyb2tlci1iIDE3MDAwMDAwMDAwMDAgMEFCQw==")}, "", "broker-b"},
		"recall with junk":                 {requests.RecallMessage, []codec.Field{field("recallHandle", "%%%"), field("topic", "two")}, "", ""},
		"query, first copy":                {requests.QueryMessage, []codec.Field{field("topic", "two"), field("key", "k")}, "", "broker-a"},
		"query of a topic nobody knows":    {requests.QueryMessage, []codec.Field{field("topic", "none"), field("key", "k")}, "", ""},
		"view by offset id":                {requests.ViewMessageByID, []codec.Field{field("offset", "1")}, "", ""},
		"assignment by topic and group":    {requests.QueryAssignment, nil, `{"topic":"one","consumerGroup":"g"}`, "broker-x"},
		"assignment that is no JSON":       {requests.QueryAssignment, nil, `{`, ""},
		"a filter's check by topic":        {requests.CheckClientConfig, nil, `{"clientId":"c","group":"g","subscriptionData":{"topic":"one"}}`, "broker-x"},
		"an admin request with a name":     {requests.GetBrokerConfig, []codec.Field{field("bname", "broker-b")}, "", "broker-b"},
		"an admin request without":         {requests.GetBrokerConfig, nil, "", ""},
		"an unlisted code that has a name": {4711, []codec.Field{field("bname", "broker-b")}, "", "broker-b"},
	} {
		t.Run(name, func(t *testing.T) {
			got, refusal := Locate(&Request{Type: requests.Of(c.code), Header: header(t, c.code, c.fields...), Body: []byte(c.body)}, v)
			if string(got) != c.want || (refusal == nil) != (c.want != "") {
				t.Errorf("got %q, %v; want %q", got, refusal, c.want)
			}
			if refusal != nil && (refusal.Code == codec.ResponseSuccess || refusal.Remark == "") {
				t.Errorf("refused with %+v", refusal)
			}
		})
	}
}
