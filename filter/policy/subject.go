// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// subject is what a request is about; what it does not name is empty.
type subject struct{ topic, producerGroup, consumerGroup string }

// readsBody tells whether what a request is about is in its body.
func readsBody(code codec.RequestCode) bool {
	switch code {
	case codec.RequestHeartBeat, codec.RequestLockBatchMQ, codec.RequestUnlockBatchMQ, codec.RequestCheckClientConfig,
		codec.RequestQueryAssignment, codec.RequestBatchAckMessage, codec.RequestUpdateAndCreateSubscriptionGroup:
		return true
	}
	return false
}

// isBatch tells whether a request sends several messages.
func isBatch(code codec.RequestCode, h *codec.Header) bool {
	switch code {
	case codec.RequestSendBatchMessage:
		return true
	case codec.RequestSendMessage:
		return isTrue(h, "batch")
	case codec.RequestSendMessageV2:
		return isTrue(h, "m")
	}
	return false
}

func isTrue(h *codec.Header, field string) bool {
	value, _ := h.Field(field)
	return string(value) == "true"
}

// subjects are what a request is about: one, but for heartbeats.
func (c *Client) subjects(r *Request) ([]subject, error) {
	c.room = c.room[:0]
	if r.Kind.Code == codec.RequestHeartBeat {
		return c.heartbeat(r.Body)
	}
	s := subject{topic: c.topic.of(r.Kind.TopicOf(router.Request{Header: r.Header, Body: r.Body}))}
	var err error
	switch r.Kind.Code {
	case codec.RequestSendMessageV2, codec.RequestSendBatchMessage, codec.RequestSendReplyMessageV2:
		s.producerGroup = c.field(&c.producerGroup, r.Header, "a")
	case codec.RequestLockBatchMQ, codec.RequestUnlockBatchMQ, codec.RequestBatchAckMessage:
		s.consumerGroup, err = body.ParseGroup(r.Body, "consumerGroup")
	case codec.RequestUpdateAndCreateSubscriptionGroup:
		s.consumerGroup, err = body.ParseGroup(r.Body, "groupName")
	case codec.RequestQueryAssignment:
		_, s.consumerGroup, err = body.ParseQueryAssignment(r.Body)
	case codec.RequestCheckClientConfig:
		_, s.consumerGroup, err = body.ParseCheckClientConfig(r.Body)
	default:
		s.producerGroup = c.field(&c.producerGroup, r.Header, "producerGroup")
		s.consumerGroup = c.field(&c.consumerGroup, r.Header, "consumerGroup", "group", "groupName")
	}
	c.room = append(c.room, s)
	return c.room, err
}

// heartbeat gives each producer group of a heartbeat, and each consumer group with each of its topics.
func (c *Client) heartbeat(content []byte) ([]subject, error) {
	data, err := body.ParseHeartbeatData(content)
	if err != nil {
		return nil, err
	}
	var all []subject
	for _, group := range data.Producers {
		all = append(all, subject{producerGroup: group})
	}
	for _, consumer := range data.Consumers {
		for _, topic := range consumer.Topics {
			all = append(all, subject{topic: topic, consumerGroup: consumer.Group})
		}
		if len(consumer.Topics) == 0 {
			all = append(all, subject{consumerGroup: consumer.Group})
		}
	}
	if len(all) == 0 {
		all = append(all, subject{})
	}
	return all, nil
}

// field is the first of some fields that a header has.
func (c *Client) field(last *remembered, h *codec.Header, names ...string) string {
	for _, name := range names {
		if value, ok := h.Field(name); ok && len(value) > 0 {
			return last.of(value)
		}
	}
	return ""
}

// remembered is a text that mostly is the same again, and then need not be made anew.
type remembered string

func (r *remembered) of(b []byte) string {
	if string(b) != string(*r) {
		*r = remembered(b)
	}
	return string(*r)
}
