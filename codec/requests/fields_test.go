// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// subjectsOf is what a request is about, as "topic/producer group/consumer group", separated by blanks.
func subjectsOf(t *testing.T, c codec.Command) string {
	t.Helper()
	h := headerOf(t, c)
	all, err := Of(CodeOf(h)).AppendSubjects(nil, h, c.Body)
	if err != nil {
		return err.Error()
	}
	var texts []string
	for _, s := range all {
		texts = append(texts, fmt.Sprintf("%s/%s/%s", s.Topic, s.ProducerGroup, s.ConsumerGroup))
	}
	return strings.Join(texts, " ")
}

func TestARequestIsAboutAllThatItNames(t *testing.T) {
	for _, each := range []struct {
		code   Code
		fields []string // names and values
		body   string
		want   string
	}{
		{SendMessage, []string{"producerGroup", "g", "topic", "t"}, "", "t/g/"},
		{SendMessageV2, []string{"a", "g", "b", "t"}, "", "t/g/"},
		{SendMessageV2, []string{"producerGroup", "g", "topic", "t"}, "", "//"},
		{SendBatchMessage, []string{"a", "g", "b", "t"}, "", "t/g/"},
		{SendReplyMessageV2, []string{"a", "g", "b", "t"}, "", "t/g/"},
		{PullMessage, []string{"consumerGroup", "g", "topic", "t"}, "", "t//g"},
		{ConsumerSendMsgBack, []string{"group", "g", "originTopic", "t"}, "", "t//g"},
		{UnregisterClient, []string{"producerGroup", "p", "consumerGroup", "g"}, "", "/p/g"},
		{DeleteSubscriptionGroup, []string{"groupName", "g"}, "", "//g"},
		// Which field a broker reads depends on the code: the request is about all of them.
		{QueryConsumeTimeSpan, []string{"consumerGroup", "g", "group", "h", "topic", "t"}, "", "t//g t//h"},
		{CloneGroupOffset, []string{"srcGroup", "g", "destGroup", "h", "topic", "t"}, "", "t//g t//h"},
		{GetConsumeStats, []string{"consumerGroup", "g", "topic", "t", "topicList", "u;v;"}, "", "t//g u//g v//g"},
		{QueryCorrectionOffset, []string{"compareGroup", "g", "filterGroups", ",h,,i", "topic", "t"}, "", "t//g t//h t//i"},
		{GetLiteTopicInfo, []string{"parentTopic", "t"}, "", "t//"},
		{4711, []string{"groupName", "g", "topic", "t"}, "", "t//g"},
		{4711, nil, "", "//"},
		// Body and header.
		{HeartBeat, nil, `{"producerDataSet":[{"groupName":"g"},{"groupName":"h"}]}`, "/g/ /h/"},
		{LockBatchMQ, []string{"topic", "u"}, `{"consumerGroup":"g","mqSet":[{"topic":"t"}]}`, "u// t//g"},
		{UpdateAndCreateStaticTopic, []string{"topic", "t"}, `{"topic":"u"}`, "t// u//"},
		{LockBatchMQ, nil, "?", "LockBatchRequestBody: malformed JSON at byte 0"},
		{GetConsumeStats, []string{"topicList", strings.Repeat("t;", body.MaxSubjects+1)}, "", "header: too many topics and groups at byte 0"},
	} {
		c := codec.Command{Code: int32(each.code), Opaque: 1, Body: []byte(each.body)}
		for i := 0; i < len(each.fields); i += 2 {
			c.Fields = append(c.Fields, codec.Field{Name: each.fields[i], Value: each.fields[i+1]})
		}
		if got := subjectsOf(t, c); got != each.want {
			t.Errorf("%v %v: got %s, want %s", each.code, each.fields, got, each.want)
		}
	}
}

// TestEveryBodyOfRocketMQIsReadOrNamesNothing has the requests with bodies of RocketMQ 5.5.1 (its processors call getBody).
func TestEveryBodyOfRocketMQIsReadOrNamesNothing(t *testing.T) {
	namesNothing := map[Code]string{
		SendMessage:             "the message",
		SendMessageV2:           "the message",
		SendBatchMessage:        "messages, which have no topics",
		SendReplyMessage:        "the message",
		SendReplyMessageV2:      "the message",
		UpdateBrokerConfig:      "settings",
		UpdateNamesrvConfig:     "settings",
		AuthCreateUser:          "a user",
		AuthUpdateUser:          "a user",
		AuthCreateACL:           "patterns of resources",
		AuthUpdateACL:           "patterns of resources",
		RegisterTopicInNamesrv:  "brokers and queues of the header's topic",
		RegisterBroker:          "internal",
		QueryDataVersion:        "internal",
		NotifyBrokerRoleChanged: "internal",
		UpdateControllerConfig:  "internal",
	}
	withBody := []Code{
		10, 18, 25, 34, 41, 42, 46, 103, 200, 217, 225, 310, 318, 320, 322, 324, 325, 400, 401, 513, 1008, 1009, 2001, 2002, 3001, 3002, 3006, 3007, 5002, 5003, 200071, 200151,
	}
	read := 0
	for _, code := range withBody {
		reason, excused := namesNothing[code]
		if Of(code).NamesInBody() == excused {
			t.Errorf("%v: read %v, excused by %q", code, !excused, reason)
		}
		if !excused {
			read++
		}
	}
	for _, kind := range Table {
		if kind.NamesInBody() {
			read--
		}
	}
	if read != 0 {
		t.Errorf("%d bodies are not in this list", -read)
	}
}

// TestHeadersOfClientTrafficAreKnown has the codes whose header classes of 5.5.1 name nothing but what clientFields has (or
// what their rows say): of other codes every field that may name something counts.
func TestHeadersOfClientTrafficAreKnown(t *testing.T) {
	read := []Code{
		10, 11, 12, 14, 15, 29, 30, 31, 32, 34, 35, 36, 37, 38, 41, 42, 46, 105, 310, 320, 324, 325, 361, 370, 400,
		200050, 200051, 200052, 200053, 200054, 200055, 200070, 200071, 200072, 200151,
	}
	for i := range Table {
		if kind := &Table[i]; kind.Fields != adminFields && kind.Class != Internal && kind.Class != FromBroker && !slices.Contains(read, kind.Code) {
			t.Errorf("%v: which fields of its header name topics and groups?", kind.Code)
		}
	}
}

// headerOf returns the header of a command as it arrives.
func headerOf(t testing.TB, c codec.Command) *codec.Header {
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
	return h
}
