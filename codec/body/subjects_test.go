// SPDX-License-Identifier: Apache-2.0

package body

import (
	"fmt"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

var subjectReaders = map[string]SubjectReader{
	"heartbeat": HeartbeatSubjects, "lock": LockBatchSubjects, "batch ack": BatchAckSubjects, "assignment": QueryAssignmentSubjects,
	"mode": MessageRequestModeSubjects, "check": CheckClientSubjects, "lite": LiteSubscriptionSubjects, "topics": TopicListSubjects,
	"deleted topics": DeleteTopicListSubjects, "group": SubscriptionGroupSubjects, "groups": SubscriptionGroupListSubjects,
	"deleted groups": DeleteGroupListSubjects, "static": StaticTopicSubjects, "properties": GroupPropertiesSubjects, "text": GroupSubjects,
}

// written is subjects as "topic/producer group/consumer group", separated by blanks.
func written(all []Subject) string {
	var texts []string
	for _, s := range all {
		texts = append(texts, fmt.Sprintf("%s/%s/%s", s.Topic, s.ProducerGroup, s.ConsumerGroup))
	}
	return strings.Join(texts, " ")
}

func TestEveryEntryOfABodyIsASubject(t *testing.T) {
	for _, tt := range []struct{ reader, src, want string }{
		{"heartbeat", `{"consumerDataSet":[{"subscriptionDataSet":[{"topic":"t"},{"topic":"u"}],"groupName":"g"},{"groupName":"h"}],"producerDataSet":[{"groupName":"p"}]}`, "t//g u//g //h /p/"},
		{"heartbeat", `{"clientID":"c","consumerDataSet":[],"producerDataSet":null}`, "//"},
		{"lock", `{"mqSet":[{"topic":"t","queueId":0},{"topic":"t","queueId":1},{"topic":"u","queueId":0}],"consumerGroup":"g"}`, "t//g u//g"},
		{"lock", `{"consumerGroup":"g","mqSet":[]}`, "//g"},
		{"batch ack", `{"brokerName":"b","acks":[{"c":"g","t":"t"},{"consumerGroup":"h","topic":"u"}]}`, "t//g u//h"},
		{"assignment", `{"topic":"t","consumerGroup":"g"}`, "t//g"},
		{"mode", `{"consumerGroup":"g","mode":"POP","popShareQueueNum":0,"topic":"t"}`, "t//g"},
		{"check", `{"clientId":"c","group":"g","subscriptionData":{"topic":"t"}}`, "t//g"},
		{"check", `{"subscriptionData":{"topic":"t"},"group":"g"}`, "t//g"},
		{"check", `{"group":"g","subscriptionData":null}`, "//g"},
		{"lite", `{"subscriptionSet":[{"topic":"t","group":"g","liteTopicSet":["a"]},{"topic":"u","group":"h"}]}`, "t//g u//h"},
		{"topics", `{"topicConfigList":[{"topicName":"t"},{"topicName":"u","perm":6}]}`, "t// u//"},
		{"deleted topics", `{"topicList":["t","u"]}`, "t// u//"},
		{"group", `{"groupName":"g","subscriptionDataSet":[{"topic":"t"}]}`, "t//g"},
		{"group", `{"groupName":"g"}`, "//g"},
		{"groups", `{"groupConfigList":[{"groupName":"g"},{"groupName":"h","subscriptionDataSet":[{"topic":"t"},{"topic":"u"}]}]}`, "//g t//h u//h"},
		{"deleted groups", `{"cleanOffset":true,"groupNameList":["g","h"]}`, "//g //h"},
		{"static", `{"bname":"b","topic":"t","totalQueues":1}`, "t//"},
		{"properties", "g=1\n# no=1\n ! no\nh : 2\r\n\ti 3\nk", "//g //h //i //k"},
		{"properties", "", "//"},
		{"text", "g", "//g"},
		{"lock", `{"consumerGroup":'g',mqSet:[{"t\u006fpic":"\u0074"}]}`, "t//g"},
	} {
		before := Subject{Topic: []byte("before")}
		got, err := subjectReaders[tt.reader]([]Subject{before}, []byte(tt.src))
		if err != nil || written(got) != "before// "+tt.want {
			t.Errorf("%s of %s: got %s, %v; want %s", tt.reader, tt.src, written(got), err, tt.want)
		}
	}
	for _, g := range golden.Named(t, "QUERY_ASSIGNMENT.request") {
		if got, err := QueryAssignmentSubjects(nil, g.Body); err != nil || len(got) != 1 || !strings.HasSuffix(string(got[0].Topic), "Pop") || string(got[0].ConsumerGroup) != "CapGroupPop" {
			t.Errorf("%s: got %s, %v", g.Name, written(got), err)
		}
	}
}

// TestBodiesOfRealClientsAreRead has what clients of several languages and releases have sent.
func TestBodiesOfRealClientsAreRead(t *testing.T) {
	for name, reader := range map[string]string{
		"HEART_BEAT.request": "heartbeat", "LOCK_BATCH_MQ.request": "lock", "UNLOCK_BATCH_MQ.request": "lock", "QUERY_ASSIGNMENT.request": "assignment",
	} {
		bodies := golden.Named(t, name)
		for _, g := range bodies {
			got, err := subjectReaders[reader](nil, g.Body)
			if err != nil || written(got) == "//" {
				t.Errorf("%s: got %s, %v", g.Name, written(got), err)
			}
		}
		if len(bodies) == 0 {
			t.Errorf("no %s", name)
		}
	}
}

// TestBodiesThatReadersUnderstandDifferentlyAreErrors has bodies of which fastjson, in some release, takes another topic
// or group than stands where clients write it.
func TestBodiesThatReadersUnderstandDifferentlyAreErrors(t *testing.T) {
	many := func(format string) string {
		var entries []string
		for i := range MaxSubjects + 1 {
			entries = append(entries, fmt.Sprintf(format, i))
		}
		return strings.Join(entries, ",")
	}
	for _, tt := range []struct{ reader, src string }{
		{"lock", ``},
		{"lock", `[]`},
		{"lock", `{"consumerGroup":5}`},
		{"lock", `{"consumerGroup":"g","consumerGroup":"h"}`},
		{"lock", `{"mqSet":[{"topic":"t"}],"mqSet":[{"topic":"u"}]}`},
		{"lock", `{"mqSet":[{"topic":"t","topic":"u"}]}`},
		{"lock", `{"mqSet":[{"Topic":"u"}]}`},
		{"lock", `{"mq_set":[{"topic":"u"}]}`},
		{"lock", `{"consumer-group":"g"}`},
		{"lock", `{"CONSUMERGROUP":"g"}`},
		{"lock", `{"mqSet":{"topic":"t"}}`},
		{"lock", `{"mqSet":["t"]}`},
		{"lock", `{"mqSet":[{"$ref":"$.x"}]}`},
		{"lock", `{"@type":"x.Y","mqSet":[]}`},
		{"lock", `{"mqSet":[` + many(`{"topic":"%d"}`) + `]}`},
		// Names that have the number of "consumerGroup", or in small letters, to fastjson 1 and 2.
		{"lock", `{"consumerGroup":"g","znmxzs:&(âeéÝ'ǧ":"h"}`},
		{"lock", "{\"neaklr\u00b239r\u00f8$:\u00e48\":\"h\"}"},
		{"lock", "{\"consumerGroup\":\"g\",\"\xc1\xa3onsumerGroup\":\"h\"}"},
		{"lock", "{\"consumerGroup\":\"p\xc1\xa1yroll\"}"},
		{"batch ack", `{"acks":[{"c":"g","consumerGroup":"h"}]}`},
		{"batch ack", `{"acks":[{"T":"t"}]}`},
		{"deleted topics", `{"topicList":"t"}`},
		{"deleted topics", `{"topicList":[["t"]]}`},
		{"deleted topics", `{"topicList":[1]}`},
		{"check", `{"subscriptionData":"t"}`},
		{"heartbeat", `{"consumerDataSet":[{"groupName":"g","subscriptionDataSet":[` + many(`{"topic":"%d"}`) + `]}]}`},
		{"properties", `pay\u0072oll=1`},
		{"properties", strings.Repeat("g\n", MaxSubjects+1)},
	} {
		if got, err := subjectReaders[tt.reader](nil, []byte(tt.src)); err == nil {
			t.Errorf("%s of %.60s: got %s", tt.reader, tt.src, written(got))
		}
	}
}
