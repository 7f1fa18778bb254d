// SPDX-License-Identifier: Apache-2.0

package router

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

func TestGroupsAreWhereEachRequestHasThem(t *testing.T) {
	for _, each := range []struct {
		code               codec.RequestCode
		field, body        string
		producer, consumer string
	}{
		{codec.RequestSendMessage, "producerGroup", "", "g", ""},
		{codec.RequestSendMessageV2, "a", "", "g", ""},
		{codec.RequestSendMessageV2, "producerGroup", "", "", ""},
		{codec.RequestSendBatchMessage, "a", "", "g", ""},
		{codec.RequestPullMessage, "consumerGroup", "", "", "g"},
		{codec.RequestConsumerSendMsgBack, "group", "", "", "g"},
		{codec.RequestDeleteSubscriptionGroup, "groupName", "", "", "g"},
		{codec.RequestHeartBeat, "x", `{"clientID":"c","producerDataSet":[{"groupName":"g"}]}`, "", ""},
		{codec.RequestLockBatchMQ, "x", `{"consumerGroup":"g"}`, "", "g"},
		{codec.RequestBatchAckMessage, "x", `{"consumerGroup":"g"}`, "", "g"},
		{codec.RequestQueryAssignment, "x", `{"consumerGroup":"g"}`, "", "g"},
		{codec.RequestCheckClientConfig, "x", `{"group":"g"}`, "", "g"},
		{codec.RequestUpdateAndCreateSubscriptionGroup, "x", `{"groupName":"g"}`, "", "g"},
	} {
		request := requestWith(t, codec.Command{Code: int32(each.code), Opaque: 1, Fields: []codec.Field{{Name: each.field, Value: "g"}}, Body: []byte(each.body)})
		kind := Of(each.code)
		producer, consumer, err := kind.GroupsOf(request)
		if err != nil || string(producer) != each.producer || string(consumer) != each.consumer || kind.NamesInBody() != (each.body != "") && each.code != codec.RequestDeleteSubscriptionGroup {
			t.Errorf("%v: got %q, %q, %v; want %q, %q", each.code, producer, consumer, err, each.producer, each.consumer)
		}
	}
	if _, _, err := Of(codec.RequestLockBatchMQ).GroupsOf(requestWith(t, codec.Command{Code: int32(codec.RequestLockBatchMQ), Opaque: 1, Body: []byte("?")})); err == nil {
		t.Error("an unreadable body is read")
	}
}

func requestWith(t *testing.T, c codec.Command) Request {
	t.Helper()
	frame := c.Append(nil)
	prefix, err := codec.ParsePrefix(frame, codec.Limits{MaxFrame: 1 << 20, MaxHeader: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	h := &codec.Header{}
	if err := h.Parse(prefix.Type, frame[codec.PrefixSize:codec.PrefixSize+prefix.HeaderSize]); err != nil {
		t.Fatal(err)
	}
	return Request{Header: h, Body: c.Body}
}
