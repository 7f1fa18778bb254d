// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// NamesInBody tells whether the body has what a request is about: its groups, and mostly its topic.
func (k *Kind) NamesInBody() bool {
	switch k.Code {
	case codec.RequestHeartBeat, codec.RequestLockBatchMQ, codec.RequestUnlockBatchMQ, codec.RequestCheckClientConfig,
		codec.RequestQueryAssignment, codec.RequestBatchAckMessage, codec.RequestUpdateAndCreateSubscriptionGroup:
		return true
	}
	return false
}

// GroupsOf are the groups that a request names, empty if it names none. A heartbeat, which may have many, has none
// here. The error is that of a body.
func (k *Kind) GroupsOf(r Request) (producer, consumer []byte, err error) {
	var group string
	switch k.Code {
	case codec.RequestSendMessageV2, codec.RequestSendBatchMessage, codec.RequestSendReplyMessageV2:
		return firstField(r.Header, "a"), nil, nil
	case codec.RequestHeartBeat:
	case codec.RequestLockBatchMQ, codec.RequestUnlockBatchMQ, codec.RequestBatchAckMessage:
		group, err = body.ParseGroup(r.Body, "consumerGroup")
	case codec.RequestUpdateAndCreateSubscriptionGroup:
		group, err = body.ParseGroup(r.Body, "groupName")
	case codec.RequestQueryAssignment:
		_, group, err = body.ParseQueryAssignment(r.Body)
	case codec.RequestCheckClientConfig:
		_, group, err = body.ParseCheckClientConfig(r.Body)
	default:
		return firstField(r.Header, "producerGroup"), firstField(r.Header, "consumerGroup", "group", "groupName"), nil
	}
	return nil, []byte(group), err
}

// firstField is the first of some fields that a header has.
func firstField(h *codec.Header, names ...string) []byte {
	for _, name := range names {
		if value, ok := h.Field(name); ok && len(value) > 0 {
			return value
		}
	}
	return nil
}
