// SPDX-License-Identifier: Apache-2.0

package body

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/golden"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

func TestHeartbeatDataTellsGroupsAndTopics(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      HeartbeatData
	}{
		{"nothing but an object", `{}`, HeartbeatData{}},
		{
			"the form of the first version",
			`{"clientID":"192.0.2.1@1#2","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":"t","tagsSet":["a"]},{"subString":"*","topic":"%RETRY%g"}],"unitMode":false},` +
				`{"groupName":"g2","subscriptionDataSet":[]}],"producerDataSet":[{"groupName":"p1"},{"groupName":"p2"}]}`,
			HeartbeatData{ClientID: "192.0.2.1@1#2", Producers: []string{"p1", "p2"}, Consumers: []ConsumerData{{"g", []string{"t", "%RETRY%g"}}, {"g2", nil}}},
		},
		{
			"the form of the second version", `{"clientID":"c","heartbeatFingerprint":-123,"withoutSub":true,"producerDataSet":[],"consumerDataSet":[{"groupName":"g"}]}`,
			HeartbeatData{ClientID: "c", Consumers: []ConsumerData{{"g", nil}}, Fingerprint: -123, WithoutSub: true},
		},
		{"nulls", `{"clientID":null,"producerDataSet":null,"consumerDataSet":[{"subscriptionDataSet":null}],"withoutSub":null}`, HeartbeatData{Consumers: []ConsumerData{{}}}},
	} {
		got, err := ParseHeartbeatData([]byte(tt.src))
		if err != nil || !reflect.DeepEqual(*got, tt.want) {
			t.Errorf("%s: got %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
	for name, src := range map[string]string{
		"nothing":                  ``,
		"an array":                 `[]`,
		"a clientID that is a map": `{"clientID":{}}`,
		"groups as object":         `{"producerDataSet":{}}`,
		"a group as string":        `{"producerDataSet":["p"]}`,
		"a wide fingerprint":       `{"heartbeatFingerprint":2147483648}`,
		"withoutSub as number":     `{"withoutSub":1}`,
		"more than allowed":        `{"producerDataSet":[` + strings.Repeat(`{},`, maxEntries) + `{}]}`,
		"topics more than allowed": `{"consumerDataSet":[{"subscriptionDataSet":[` + strings.Repeat(`{},`, maxEntries) + `{}]}]}`,
	} {
		var be *Error
		if got, err := ParseHeartbeatData([]byte(src)); !errors.As(err, &be) || got != nil {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestLockBatchNamesItsBroker(t *testing.T) {
	for _, tt := range []struct {
		name, src, broker string
		only, bad         bool
	}{
		{"a client's", `{"clientId":"c","consumerGroup":"g","mqSet":[{"brokerName":"a","queueId":0,"topic":"t"},{"brokerName":"a","queueId":1,"topic":"t"}],"onlyThisBroker":false}`, "a", false, false},
		{"for two brokers", `{"mqSet":[{"brokerName":"a"},{"brokerName":"b"}]}`, "", false, true},
		{"an absurd queue", `{"mqSet":[{"brokerName":"a","queueId":99999999999}]}`, "", false, true},
		{"a broker's", `{"onlyThisBroker":true,"mqSet":[{"topic":"t","brokerName":"a"}]}`, "a", true, false},
		{"no queues", `{"mqSet":[]}`, "", false, false},
		{"null", `{"mqSet":null,"onlyThisBroker":null}`, "", false, false},
		{"nothing", ``, "", false, true},
		{"a queue as string", `{"mqSet":["a"]}`, "", false, true},
		{"a broker name as number", `{"mqSet":[{"brokerName":5}]}`, "", false, true},
		{"a flag as string", `{"onlyThisBroker":"maybe"}`, "", false, true},
	} {
		queue, only, err := ParseLockBatch([]byte(tt.src))
		if broker := queue.BrokerName; broker != tt.broker || only != tt.only || (err != nil) != tt.bad {
			t.Errorf("%s: got %+v, %v, %v", tt.name, queue, only, err)
		}
	}
}

func TestBatchAckNamesItsBroker(t *testing.T) {
	if got, topic, err := ParseBatchAck([]byte(`{"acks":[{"c":"g","t":"T","b":"AQ=="}],"brokerName":"a"}`)); got != "a" || topic != "T" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, _, err := ParseBatchAck([]byte(`{"acks":[]}`)); got != "" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{``, `{"brokerName":1}`, `{"brokerName":"a"`} {
		if got, _, err := ParseBatchAck([]byte(bad)); got != "" || err == nil {
			t.Errorf("%s: got %q, %v", bad, got, err)
		}
	}
}

func TestClassCBodiesNameTopicAndGroup(t *testing.T) {
	for name, tt := range map[string]struct {
		parse func([]byte) (string, string, error)
		src   string
	}{
		"QUERY_ASSIGNMENT":    {ParseQueryAssignment, `{"clientId":"c","consumerGroup":"g","messageModel":"CLUSTERING","strategyName":"AVG","topic":"t"}`},
		"CHECK_CLIENT_CONFIG": {ParseCheckClientConfig, `{"clientId":"c","group":"g","namespace":"","subscriptionData":{"expressionType":"SQL92","topic":"t"}}`},
	} {
		topic, group, err := tt.parse([]byte(tt.src))
		if topic != "t" || group != "g" || err != nil {
			t.Errorf("%s: got %q, %q, %v", name, topic, group, err)
		}
		for n := range tt.src {
			if topic, group, err := tt.parse([]byte(tt.src[:n])); topic != "" || group != "" || err == nil {
				t.Errorf("%s: %d bytes: got %q, %q, %v", name, n, topic, group, err)
			}
		}
		if _, _, err := tt.parse([]byte(`{"topic":null,"subscriptionData":null}`)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, g := range golden.Named(t, "QUERY_ASSIGNMENT.request") {
		if topic, group, err := ParseQueryAssignment(g.Body); !strings.HasSuffix(topic, "Pop") || group != "CapGroupPop" || err != nil {
			t.Errorf("%s: got %q, %q, %v", g.Name, topic, group, err)
		}
	}
}

func TestGoldenBodiesCutShortAreErrors(t *testing.T) {
	for name, parse := range map[string]func([]byte) error{
		"HEART_BEAT.request": func(b []byte) error {
			h, err := ParseHeartbeatData(b)
			if err == nil && (h.ClientID == "" || len(h.Producers)+len(h.Consumers) == 0) {
				t.Errorf("got %+v", h)
			}
			return err
		},
		"LOCK_BATCH_MQ.request": func(b []byte) error {
			queue, only, err := ParseLockBatch(b)
			if err == nil && (queue.BrokerName != "broker-a" || queue.Topic == "" || only) {
				t.Errorf("got %+v, %v", queue, only)
			}
			return err
		},
		"UNLOCK_BATCH_MQ.request": func(b []byte) error {
			queue, only, err := ParseLockBatch(b)
			if err == nil && (queue.BrokerName != "broker-a" || queue.Topic == "" || only) {
				t.Errorf("got %+v, %v", queue, only)
			}
			return err
		},
	} {
		for _, g := range golden.Named(t, name) {
			if err := parse(g.Body); err != nil {
				t.Errorf("%s: %v", g.Name, err)
			}
			for n := range g.Body {
				if parse(g.Body[:n]) == nil {
					t.Errorf("%s: %d of %d bytes are a body", g.Name, n, len(g.Body))
				}
			}
		}
	}
}

// Every recorded JSON body, whatever it is, can be walked in fastjson's dialect.
func TestGoldenBodiesAreWalkable(t *testing.T) {
	walked := 0
	for _, g := range golden.All(t) {
		if len(g.Body) == 0 || g.Body[0] != '{' || bytes.ContainsRune(g.Body, 0) {
			continue
		}
		c := &cursor{b: g.Body, body: "any"}
		c.each(c.root(), "body", func(member) {})
		if err := c.result(); err != nil {
			t.Errorf("%s: %v in %s", g.Name, err, g.Body)
		}
		walked++
	}
	if walked < 50 {
		t.Errorf("only %d bodies", walked)
	}
}

func FuzzHeartbeatData(f *testing.F) {
	for _, g := range golden.Named(f, "HEART_BEAT.request") {
		f.Add(g.Body)
	}
	f.Add([]byte(`{"clientID":"c","heartbeatFingerprint":-123,"withoutSub":true,"producerDataSet":[],"consumerDataSet":[{"groupName":"g"}]}`))
	storm.Fuzz(f, func(t *testing.T, src []byte) {
		before := bytes.Clone(src)
		h, err := ParseHeartbeatData(src)
		if (h == nil) == (err == nil) {
			t.Fatalf("got %v, %v", h, err)
		}
		if h != nil {
			entries := len(h.Producers) + len(h.Consumers)
			for _, c := range h.Consumers {
				entries += len(c.Topics)
			}
			if entries > maxEntries || entries > len(src)/2 {
				t.Fatalf("%d entries of %d bytes", entries, len(src))
			}
		}
		if !bytes.Equal(src, before) {
			t.Fatal("the input changed")
		}
	})
}

func FuzzLockBatch(f *testing.F) {
	for _, g := range golden.Named(f, "LOCK_BATCH_MQ.request") {
		f.Add(g.Body)
	}
	f.Add([]byte(`{"onlyThisBroker":true,"mqSet":[{"topic":"t","brokerName":"\u0061"}],"acks":[],"brokerName":"a"}`))
	storm.Fuzz(f, func(t *testing.T, src []byte) {
		queue, only, err := ParseLockBatch(src)
		if err != nil && (queue != MessageQueue{} || only) {
			t.Fatalf("got %+v, %v, %v", queue, only, err)
		}
		if ack, _, err := ParseBatchAck(src); err != nil && ack != "" {
			t.Fatalf("got %q, %v", ack, err)
		}
	})
}

func TestLogicalBrokersAreNamedAsJavaNamesThem(t *testing.T) {
	for scope, want := range map[string]string{"__global__": "__syslo__global__", "__other__": "__syslo____other__", "s": "__syslo__s"} {
		if got := (&QueueMapping{Scope: scope}).LogicalBroker(); got != want {
			t.Errorf("scope %q: got %q, want %q", scope, got, want)
		}
	}
}
