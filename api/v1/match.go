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
	codes    map[requests.Code]struct{}
	purposes []requests.Purpose
}

// Has reports whether a code is in the set.
func (s *RequestSet) Has(code requests.Code) bool {
	if s.IsAll() {
		return true
	}
	if _, ok := s.codes[code]; ok {
		return true
	}
	return len(s.purposes) > 0 && slices.Contains(s.purposes, requests.Of(code).Purpose)
}

// IsAll reports whether the set was not narrowed.
func (s *RequestSet) IsAll() bool { return s.codes == nil && s.purposes == nil }
