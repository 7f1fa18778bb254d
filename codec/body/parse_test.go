// SPDX-License-Identifier: Apache-2.0

package body

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
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

func TestLockBatchNamesItsQueues(t *testing.T) {
	for _, tt := range []struct {
		name, src, queues string
		only, bad         bool
	}{
		{"a client's", `{"clientId":"c","consumerGroup":"g","mqSet":[{"brokerName":"a","queueId":0,"topic":"t"},{"brokerName":"b","queueId":1,"topic":"u"}],"onlyThisBroker":false}`, "[{t a 0} {u b 1}]", false, false},
		{"an absurd queue", `{"mqSet":[{"brokerName":"a","queueId":99999999999}]}`, "[]", false, true},
		{"a broker's", `{"onlyThisBroker":true,"mqSet":[{"topic":"t","brokerName":"a"}]}`, "[{t a 0}]", true, false},
		{"no queues", `{"mqSet":[]}`, "[]", false, false},
		{"null", `{"mqSet":null,"onlyThisBroker":null}`, "[]", false, false},
		{"nothing", ``, "[]", false, true},
		{"a queue as string", `{"mqSet":["a"]}`, "[]", false, true},
		{"a broker name as number", `{"mqSet":[{"brokerName":5}]}`, "[]", false, true},
		{"a flag as string", `{"onlyThisBroker":"maybe"}`, "[]", false, true},
		{"too many", `{"mqSet":[` + strings.Repeat("{},", maxEntries) + `{}]}`, "[]", false, true},
	} {
		queues, only, err := ParseLockBatch([]byte(tt.src))
		if got := fmt.Sprint(queues); got != tt.queues || only != tt.only || (err != nil) != tt.bad {
			t.Errorf("%s: got %s, %v, %v", tt.name, got, only, err)
		}
	}
}

func TestBatchAckNamesItsBroker(t *testing.T) {
	for src, want := range map[string]string{
		`{"acks":[{"c":"g","t":"T","b":"AQ=="}],"brokerName":"a"}`: "a",
		`{"acks":[]}`: "",
	} {
		if got, err := ParseBatchAck([]byte(src)); got != want || err != nil {
			t.Errorf("%s: got %q, %v", src, got, err)
		}
	}
	for _, bad := range []string{``, `{"brokerName":1}`, `{"brokerName":"a"`, `{"brokerName":"a","brokerName":"b"}`} {
		if got, err := ParseBatchAck([]byte(bad)); got != "" || err == nil {
			t.Errorf("%s: got %q, %v", bad, got, err)
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
			queues, only, err := ParseLockBatch(b)
			if err == nil && (len(queues) == 0 || queues[0].BrokerName != "broker-a" || queues[0].Topic == "" || only) {
				t.Errorf("got %+v, %v", queues, only)
			}
			return err
		},
		"UNLOCK_BATCH_MQ.request": func(b []byte) error {
			queues, only, err := ParseLockBatch(b)
			if err == nil && (len(queues) == 0 || queues[0].BrokerName != "broker-a" || queues[0].Topic == "" || only) {
				t.Errorf("got %+v, %v", queues, only)
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
		queues, only, err := ParseLockBatch(src)
		if err != nil && (queues != nil || only) {
			t.Fatalf("got %+v, %v, %v", queues, only, err)
		}
		if ack, err := ParseBatchAck(src); err != nil && ack != "" {
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
