// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// FuzzMatch compares the table with the plainest reading of the same messages, and Compile with Envoy's
// generated validation: what that refuses must be refused.
func FuzzMatch(f *testing.F) {
	f.Add([]byte{2, 0, 1, 't', 0, 1, 0, 3, 1, 't', 1, 0, 1, 2, '5', '1', 3}, "t", int32(51), "broker-a", int64(0), true)
	f.Add([]byte{3, 3, 2, '.', '*', 2, 6, 1, 5, 1, 2, 1, 'a', 7, 2, 1, 1, 'B'}, "TopicTest", int32(310), "", int64(0), false)
	f.Add([]byte{200, 4, 1, 'T', 1, 3, 2, 1, 4, 0, 0, 10, 2, 3, 1, '1'}, "%RETRY%t", int32(-1), "7", int64(7), true)
	storm.Fuzz(f, func(t *testing.T, bytes []byte, topic string, code int32, brokerName string, brokerID int64, hasBroker bool) {
		m := (*script)(&bytes).config()
		table, errors := Compile(m)
		if (table == nil) != (len(errors) > 0) {
			t.Fatalf("a table %v with errors %v", table != nil, errors)
		}
		if table == nil {
			return
		}
		if err := m.ValidateAll(); err != nil {
			t.Fatalf("accepted, but Envoy says %v", err)
		}
		request := Request{Topic: topic, Code: code, HasBroker: hasBroker}
		if hasBroker {
			request.BrokerName, request.BrokerID = brokerName, brokerID
		}
		got, ok := table.Match(request)
		want := plainMatch(m, request)
		if ok != (want >= 0) || ok && got.Index != want {
			t.Fatalf("got %+v, want %d, of %v for %+v", got, want, m, request)
		}
	})
}

// script makes a configuration of bytes.
type script []byte

func (s *script) byte() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

func (s *script) text() string {
	n := min(int(s.byte()%16), len(*s))
	text := strings.ToValidUTF8(string((*s)[:n]), "?")
	*s = (*s)[n:]
	return text
}

func (s *script) config() *rocketmqproxy.RouteConfiguration {
	m := &rocketmqproxy.RouteConfiguration{}
	for range s.byte() % 8 {
		match := &rocketmqproxy.RouteMatch{Topic: s.stringMatcher()}
		for range s.byte() % 3 {
			match.Headers = append(match.Headers, s.headerMatcher())
		}
		m.Routes = append(m.Routes, &rocketmqproxy.Route{Match: match, Route: &rocketmqproxy.RouteAction{Cluster: "c"}})
	}
	return m
}

func (s *script) stringMatcher() *matcherv3.StringMatcher {
	kind := s.byte()
	m := &matcherv3.StringMatcher{IgnoreCase: kind&128 != 0}
	switch kind % 5 {
	case 0:
		m.MatchPattern = &matcherv3.StringMatcher_Exact{Exact: s.text()}
	case 1:
		m.MatchPattern = &matcherv3.StringMatcher_Prefix{Prefix: s.text()}
	case 2:
		m.MatchPattern = &matcherv3.StringMatcher_Suffix{Suffix: s.text()}
	case 3:
		m.MatchPattern = &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: s.text()}}
	case 4:
		m.MatchPattern = &matcherv3.StringMatcher_Contains{Contains: s.text()}
	}
	return m
}

//nolint:staticcheck // the deprecated forms are tested too
func (s *script) headerMatcher() *routev3.HeaderMatcher {
	kind := s.byte()
	m := &routev3.HeaderMatcher{
		Name:                      []string{"code", "broker_name", "broker_id", "other"}[s.byte()%4],
		InvertMatch:               kind&128 != 0,
		TreatMissingHeaderAsEmpty: kind&64 != 0,
	}
	switch kind % 9 {
	case 0:
	case 1:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_ExactMatch{ExactMatch: s.text()}
	case 2:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_SafeRegexMatch{SafeRegexMatch: &matcherv3.RegexMatcher{Regex: s.text()}}
	case 3:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_RangeMatch{RangeMatch: &typev3.Int64Range{Start: int64(int8(s.byte())), End: int64(s.byte()) * 10}}
	case 4:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_PresentMatch{PresentMatch: s.byte()%2 == 1}
	case 5:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_PrefixMatch{PrefixMatch: s.text()}
	case 6:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_SuffixMatch{SuffixMatch: s.text()}
	case 7:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_ContainsMatch{ContainsMatch: s.text()}
	case 8:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_StringMatch{StringMatch: s.stringMatcher()}
	}
	return m
}

// plainMatch is the index of the first route that matches, or -1.
func plainMatch(m *rocketmqproxy.RouteConfiguration, request Request) int {
	headers := map[string]string{"code": strconv.Itoa(int(request.Code))}
	if request.HasBroker {
		headers["broker_name"] = request.BrokerName
		headers["broker_id"] = strconv.FormatInt(request.BrokerID, 10)
	}
routes:
	for i, r := range m.GetRoutes() {
		for _, h := range r.GetMatch().GetHeaders() {
			if !plainHeader(h, headers) {
				continue routes
			}
		}
		if plainString(r.GetMatch().GetTopic(), request.Topic) {
			return i
		}
	}
	return -1
}

//nolint:staticcheck // the deprecated forms are tested too
func plainHeader(m *routev3.HeaderMatcher, headers map[string]string) bool {
	value, exists := headers[m.GetName()]
	exists = exists || m.GetTreatMissingHeaderAsEmpty()
	var matches bool
	switch form := m.GetHeaderMatchSpecifier().(type) {
	case nil:
		return exists != m.GetInvertMatch()
	case *routev3.HeaderMatcher_PresentMatch:
		return (exists == form.PresentMatch) != m.GetInvertMatch()
	case *routev3.HeaderMatcher_ExactMatch:
		matches = form.ExactMatch == "" || value == form.ExactMatch
	case *routev3.HeaderMatcher_SafeRegexMatch:
		matches = plainRegex(form.SafeRegexMatch.GetRegex(), value)
	case *routev3.HeaderMatcher_RangeMatch:
		n, err := strconv.ParseInt(strings.Trim(value, " \t\n\v\f\r"), 10, 64)
		matches = err == nil && form.RangeMatch.GetStart() <= n && n < form.RangeMatch.GetEnd()
	case *routev3.HeaderMatcher_PrefixMatch:
		matches = strings.HasPrefix(value, form.PrefixMatch)
	case *routev3.HeaderMatcher_SuffixMatch:
		matches = strings.HasSuffix(value, form.SuffixMatch)
	case *routev3.HeaderMatcher_ContainsMatch:
		matches = strings.Contains(value, form.ContainsMatch)
	case *routev3.HeaderMatcher_StringMatch:
		matches = plainString(form.StringMatch, value)
	}
	return exists && matches != m.GetInvertMatch()
}

func plainString(m *matcherv3.StringMatcher, s string) bool {
	fold := func(s string) string {
		if !m.GetIgnoreCase() {
			return s
		}
		return strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, s)
	}
	switch form := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		return fold(s) == fold(form.Exact)
	case *matcherv3.StringMatcher_Prefix:
		return strings.HasPrefix(fold(s), fold(form.Prefix))
	case *matcherv3.StringMatcher_Suffix:
		return strings.HasSuffix(fold(s), fold(form.Suffix))
	case *matcherv3.StringMatcher_Contains:
		return strings.Contains(fold(s), fold(form.Contains))
	}
	return plainRegex(m.GetSafeRegex().GetRegex(), s)
}

// plainRegex asks for the leftmost longest match, which is the whole text if any match is.
func plainRegex(pattern, s string) bool {
	re := regexp.MustCompile(pattern)
	re.Longest()
	at := re.FindStringIndex(s)
	return at != nil && at[0] == 0 && at[1] == len(s)
}
