// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// Fields are the names of the fields of a header class; "" where it has none of that kind.
type Fields struct {
	Broker, Topic, Queue         string
	ProducerGroup, ConsumerGroup string
	SysFlag, Batch               string

	any bool // every field that may name a topic or a group counts
}

var (
	// clientFields are those of client traffic, unless a row says otherwise.
	clientFields = &Fields{
		Broker: "bname", Topic: "topic", Queue: "queueId", ProducerGroup: "producerGroup", ConsumerGroup: "consumerGroup",
		SysFlag: "sysFlag", Batch: "batch",
	}
	// shortFields are those of SendMessageRequestHeaderV2.
	shortFields    = &Fields{Broker: "n", Topic: "b", Queue: "e", ProducerGroup: "a", SysFlag: "f", Batch: "m"}
	sentBackFields = &Fields{Broker: "bname", Topic: "originTopic", ConsumerGroup: "group"}
	// adminFields are those of all other requests. Which of them a broker reads depends on the code, so such a request is
	// about all topics and groups that it names.
	adminFields = &Fields{Broker: "bname", Topic: "topic", any: true}
)

// The fields of admin requests that name topics and groups.
var (
	anyTopic     = []string{"topic", "parentTopic"}
	anyTopicList = "topicList" // separated by ';'
	anyGroup     = []string{"consumerGroup", "group", "groupName", "srcGroup", "destGroup", "compareGroup"}
	anyGroupList = "filterGroups" // separated by ','
	anyProducer  = []string{"producerGroup"}
)

// Topic returns the topic in the header of a request; empty if there is none.
func (t *Type) Topic(h *codec.Header) []byte {
	topic, _ := h.Field(t.Fields.Topic)
	return topic
}

// AppendSubjects appends what a request is about: at least one subject, and a single empty one for a request that names
// nothing. The subjects borrow the request. The error is that of its body, or of too many subjects.
func (t *Type) AppendSubjects(to []body.Subject, h *codec.Header, content []byte) ([]body.Subject, error) {
	before := len(to)
	to, err := t.Fields.appendSubjects(to, h)
	if err != nil || t.Body == nil {
		return to, err
	}
	if len(to) == before+1 && isEmpty(&to[before]) {
		to = to[:before] // the body names it all
	}
	return t.Body.AppendSubjects(to, content)
}

func isEmpty(s *body.Subject) bool {
	return len(s.Topic)+len(s.ProducerGroup)+len(s.ConsumerGroup) == 0
}

// appendSubjects appends what a header names: one subject, or of admin requests each topic with each group.
func (f *Fields) appendSubjects(to []body.Subject, h *codec.Header) ([]body.Subject, error) {
	if f.any {
		return appendAnySubjects(to, h)
	}
	var s body.Subject
	s.Topic, _ = h.Field(f.Topic)
	if f.ProducerGroup != "" {
		s.ProducerGroup, _ = h.Field(f.ProducerGroup)
	}
	if f.ConsumerGroup != "" {
		s.ConsumerGroup, _ = h.Field(f.ConsumerGroup)
	}
	return append(to, s), nil
}

func appendAnySubjects(to []body.Subject, h *codec.Header) ([]body.Subject, error) {
	topics := valuesOf(h, anyTopic, anyTopicList, ";")
	producers := valuesOf(h, anyProducer, "", "")
	consumers := valuesOf(h, anyGroup, anyGroupList, ",")
	if len(topics)*len(producers)*len(consumers) > body.MaxSubjects {
		return to, &body.Error{Body: "header", Detail: "too many topics and groups"}
	}
	for _, topic := range topics {
		for _, producer := range producers {
			for _, consumer := range consumers {
				to = append(to, body.Subject{Topic: topic, ProducerGroup: producer, ConsumerGroup: consumer})
			}
		}
	}
	return to, nil
}

// valuesOf returns the values of some fields and the entries of one that is a list; a single empty one where there are none.
func valuesOf(h *codec.Header, fields []string, list, separator string) (values [][]byte) {
	for _, field := range fields {
		if value, ok := h.Field(field); ok && len(value) > 0 {
			values = append(values, value)
		}
	}
	if list != "" {
		entries, _ := h.Field(list)
		for entry := range bytes.SplitSeq(entries, []byte(separator)) {
			if len(entry) > 0 {
				values = append(values, entry)
			}
		}
	}
	if values == nil {
		return [][]byte{nil}
	}
	return values
}
