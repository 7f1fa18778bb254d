// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"net/netip"
	"slices"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// MatchConfig is a test of a request. Lists that are empty test nothing.
type MatchConfig struct {
	Topics         routeconfig.StringMatchers
	ProducerGroups routeconfig.StringMatchers
	ConsumerGroups routeconfig.StringMatchers
	Requests       RequestSet
	Languages      []codec.LanguageCode
	MinVersion     int32 // 0: none
	MaxVersion     int32 // 0: none
	Sources        []netip.Prefix
}

// Client tests what does not change with the requests of one connection but for its header.
func (m *MatchConfig) Client(language codec.LanguageCode, version int32, source netip.Addr) bool {
	return (len(m.Languages) == 0 || slices.Contains(m.Languages, language)) &&
		version >= m.MinVersion && (m.MaxVersion == 0 || version <= m.MaxVersion) &&
		(len(m.Sources) == 0 || slices.ContainsFunc(m.Sources, func(p netip.Prefix) bool { return p.Contains(source) }))
}

// Subject tests what a request is about; what it does not name is empty.
func (m *MatchConfig) Subject(topic, producerGroup, consumerGroup string) bool {
	return passes(m.Topics, topic) && passes(m.ProducerGroups, producerGroup) && passes(m.ConsumerGroups, consumerGroup)
}

func passes(matchers routeconfig.StringMatchers, text string) bool {
	return len(matchers) == 0 || text != "" && matchers.Match(text)
}

// RequestSet is a set of request codes. The zero value has all of them.
type RequestSet struct {
	codes   map[requests.Code]struct{}
	classes []RequestClass
}

// Has tells whether a code is in the set.
func (s *RequestSet) Has(code requests.Code) bool {
	if s.IsAll() {
		return true
	}
	if _, ok := s.codes[code]; ok {
		return true
	}
	return len(s.classes) > 0 && slices.Contains(s.classes, ClassOf(code))
}

// IsAll tells whether the set was not narrowed.
func (s *RequestSet) IsAll() bool { return s.codes == nil && s.classes == nil }

// RequestClass is a class of requests that a policy knows by name.
type RequestClass string

// The classes. Each code is in one of them.
const (
	SendClass    RequestClass = "SEND"
	ConsumeClass RequestClass = "CONSUME"
	ClientClass  RequestClass = "CLIENT"
	AdminClass   RequestClass = "ADMIN"
)

// ClassOf is the class of a code, known or not.
func ClassOf(code requests.Code) RequestClass {
	switch code {
	case requests.SendMessage, requests.SendMessageV2, requests.SendBatchMessage,
		requests.SendReplyMessage, requests.SendReplyMessageV2, requests.EndTransaction, requests.RecallMessage:
		return SendClass
	case requests.PullMessage, requests.LitePullMessage, requests.PopMessage, requests.PopLiteMessage,
		requests.PeekMessage, requests.QueryMessage, requests.Notification, requests.PollingInfo,
		requests.AckMessage, requests.BatchAckMessage, requests.AckLiteMessage, requests.LiteSubscriptionCtl,
		requests.ChangeMessageInvisibleTime, requests.ConsumerSendMsgBack,
		requests.QueryConsumerOffset, requests.UpdateConsumerOffset, requests.SearchOffsetByTimestamp,
		requests.GetMaxOffset, requests.GetMinOffset, requests.GetEarliestMsgStoreTime,
		requests.LockBatchMQ, requests.UnlockBatchMQ, requests.CheckClientConfig, requests.QueryAssignment,
		requests.GetConsumerListByGroup:
		return ConsumeClass
	case requests.GetRouteInfoByTopic, requests.HeartBeat, requests.UnregisterClient:
		return ClientClass
	}
	return AdminClass
}
