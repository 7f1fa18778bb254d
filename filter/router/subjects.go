// SPDX-License-Identifier: Apache-2.0

package router

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// headerNames are the fields of a header that name a topic and groups; "" where there is none.
type headerNames struct {
	topic, producerGroup, consumerGroup string
	any                                 bool // of an admin request
}

// Which of these fields a broker reads depends on the code, so an admin request is about all of them that it has.
var (
	anyTopic      = []string{longNames.topic, "parentTopic"}
	anyTopicList  = "topicList" // separated by ';'
	anyGroup      = []string{"consumerGroup", "group", "groupName", "srcGroup", "destGroup", "compareGroup"}
	anyGroupList  = "filterGroups" // separated by ','
	anyProducer   = []string{"producerGroup"}
	adminNames    = &headerNames{topic: longNames.topic, any: true}
	clientNames   = &headerNames{topic: longNames.topic, producerGroup: "producerGroup", consumerGroup: "consumerGroup"}
	sendV2Names   = &headerNames{topic: shortNames.topic, producerGroup: "a"}
	sentBackNames = &headerNames{topic: "originTopic", consumerGroup: "group"}
)

// namesInHeader returns the fields of a code's header class.
func namesInHeader(k *Kind) *headerNames {
	switch k.Code {
	case requests.SendMessageV2, requests.SendBatchMessage, requests.SendReplyMessageV2:
		return sendV2Names
	case requests.ConsumerSendMsgBack:
		return sentBackNames
	}
	if k.Effect == ClientTraffic {
		return clientNames
	}
	return adminNames
}

// subjectsInBody has the codes whose bodies name topics or groups. Those of ACLs name resources by patterns, and those
// of configs nothing of that kind.
var subjectsInBody = map[requests.Code]body.SubjectReader{
	requests.UpdateAndCreateTopicList:             body.TopicListSubjects,
	requests.HeartBeat:                            body.HeartbeatSubjects,
	requests.LockBatchMQ:                          body.LockBatchSubjects,
	requests.UnlockBatchMQ:                        body.LockBatchSubjects,
	requests.CheckClientConfig:                    body.CheckClientSubjects,
	requests.UpdateAndCreateSubscriptionGroup:     body.SubscriptionGroupSubjects,
	requests.UpdateAndCreateSubscriptionGroupList: body.SubscriptionGroupListSubjects,
	requests.QueryAssignment:                      body.QueryAssignmentSubjects,
	requests.SetMessageRequestMode:                body.MessageRequestModeSubjects,
	requests.UpdateAndCreateStaticTopic:           body.StaticTopicSubjects,
	requests.UpdateColdDataFlowCtrConfig:          body.GroupPropertiesSubjects,
	requests.RemoveColdDataFlowCtrConfig:          body.GroupSubjects,
	requests.DeleteTopicInBrokerList:              body.DeleteTopicListSubjects,
	requests.DeleteSubscriptionGroupList:          body.DeleteGroupListSubjects,
	requests.LiteSubscriptionCtl:                  body.LiteSubscriptionSubjects,
	requests.BatchAckMessage:                      body.BatchAckSubjects,
}

// NamesInBody reports whether the body of such requests has topics or groups.
func (k *Kind) NamesInBody() bool { return k.inBody != nil }

// AppendSubjects appends what a request is about: at least one subject, and a single empty one for a request that names
// nothing. The subjects borrow the request. The error is that of a body, or of too many subjects.
func (k *Kind) AppendSubjects(to []body.Subject, r Request) ([]body.Subject, error) {
	before := len(to)
	to, err := k.inHeader.appendSubjects(to, r.Header)
	if err != nil || k.inBody == nil {
		return to, err
	}
	if len(to) == before+1 && isEmpty(&to[before]) {
		to = to[:before] // the body names it all
	}
	return k.inBody(to, r.Body)
}

func isEmpty(s *body.Subject) bool {
	return len(s.Topic)+len(s.ProducerGroup)+len(s.ConsumerGroup) == 0
}

// appendSubjects appends what a header names: one subject, or of admin requests each topic with each group.
func (n *headerNames) appendSubjects(to []body.Subject, h *codec.Header) ([]body.Subject, error) {
	if n.any {
		return appendAnySubjects(to, h)
	}
	var s body.Subject
	s.Topic, _ = h.Field(n.topic)
	if n.producerGroup != "" {
		s.ProducerGroup, _ = h.Field(n.producerGroup)
	}
	if n.consumerGroup != "" {
		s.ConsumerGroup, _ = h.Field(n.consumerGroup)
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

// TopicOf returns the topic in the header of a request; empty if there is none.
func (k *Kind) TopicOf(h *codec.Header) []byte {
	topic, _ := h.Field(k.inHeader.topic)
	return topic
}

// onlySubject returns the subject of a body that is about one topic and one group.
func onlySubject(read body.SubjectReader, src []byte) (body.Subject, error) {
	var room [1]body.Subject
	all, err := read(room[:0], src)
	if err != nil {
		return body.Subject{}, err
	}
	return all[0], nil
}
