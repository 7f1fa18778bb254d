// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Limits of a policy: each request is held against all of it.
const (
	maxRules       = 1000
	maxRateLimits  = 100
	maxKeys        = 1 << 16
	defaultMaxKeys = 1024
	maxBurstTime   = 3600 // seconds
)

func (c *checker) policy(m *Policy) PolicyConfig {
	config := PolicyConfig{
		ReadOnlyAdmin: m.GetReadOnlyAdmin(),
		DefaultDeny:   c.action("policy.default_action", m.GetDefaultAction()),
		Shadow:        m.GetShadow(),
	}
	if n := len(m.GetRules()); n > maxRules {
		c.add("policy.rules", "has %d entries; want at most %d", n, maxRules)
		return config
	}
	if n := len(m.GetRateLimits()); n > maxRateLimits {
		c.add("policy.rate_limits", "has %d entries; want at most %d", n, maxRateLimits)
		return config
	}
	seen := make(map[string]int)
	for i, each := range m.GetRules() {
		path := fmt.Sprintf("policy.rules[%d]", i)
		c.name(path+".name", each.GetName(), "policy.rules", i, seen)
		config.Rules = append(config.Rules, RuleConfig{
			Name:   each.GetName(),
			Deny:   c.action(path+".action", each.GetAction()),
			Match:  c.match(path+".match", each.GetMatch()),
			Shadow: each.GetShadow(),
		})
	}
	seen = make(map[string]int)
	for i, each := range m.GetRateLimits() {
		path := fmt.Sprintf("policy.rate_limits[%d]", i)
		c.name(path+".name", each.GetName(), "policy.rate_limits", i, seen)
		config.RateLimits = append(config.RateLimits, c.rateLimit(path, each))
	}
	return config
}

func (c *checker) action(path string, action Policy_Action) (deny bool) {
	if _, ok := Policy_Action_name[int32(action)]; !ok {
		c.add(path, "is %d; want ALLOW or DENY", action)
	}
	return action == Policy_DENY
}

// ruleName is what stands in answers to clients and in the names of stats.
var ruleName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c *checker) name(path, name, list string, i int, seen map[string]int) {
	if !ruleName.MatchString(name) {
		c.add(path, "is %q; want 1 to 64 of A-Z a-z 0-9 _ -", name)
	} else if first, ok := seen[name]; ok {
		c.add(path, "is %q, which %s[%d] has already", name, list, first)
	}
	seen[name] = i
}

func (c *checker) rateLimit(path string, m *RateLimit) RateLimitConfig {
	config := RateLimitConfig{
		Name:     m.GetName(),
		Match:    c.match(path+".match", m.GetMatch()),
		Key:      m.GetKey(),
		Messages: c.rate(path+".messages", m.GetMessages()),
		Bytes:    c.rate(path+".bytes", m.GetBytes()),
		Shadow:   m.GetShadow(),
		MaxKeys:  int(m.GetMaxKeys()),
	}
	if _, ok := RateLimit_Key_name[int32(m.GetKey())]; !ok {
		c.add(path+".key", "is %d; want one of %s", m.GetKey(), valueNames(m.GetKey().Descriptor()))
	}
	if m.GetMessages() == nil && m.GetBytes() == nil {
		c.add(path, "limits nothing; want messages or bytes")
	}
	if m.GetKey() == RateLimit_CONSUMER_GROUP && m.GetMessages() != nil {
		c.add(path+".messages", "is set; with the key CONSUMER_GROUP nothing is sent, want bytes")
	}
	if config.MaxKeys > maxKeys {
		c.add(path+".max_keys", "is %d; want 1 to %d", config.MaxKeys, maxKeys)
	}
	if config.MaxKeys == 0 {
		config.MaxKeys = defaultMaxKeys
	}
	return config
}

func (c *checker) rate(path string, m *Rate) RateConfig {
	if m == nil {
		return RateConfig{}
	}
	config := RateConfig{PerSecond: int64(m.GetPerSecond()), Burst: int64(m.GetBurst())}
	if config.PerSecond == 0 {
		c.add(path+".per_second", "is 0; want 1 to 4294967295")
	} else if most := config.PerSecond * maxBurstTime; config.Burst > most {
		c.add(path+".burst", "is %d; want at most %d, an hour's worth", config.Burst, most)
	}
	if config.Burst == 0 {
		config.Burst = config.PerSecond
	}
	return config
}

func (c *checker) match(path string, m *Match) MatchConfig {
	config := MatchConfig{
		Topics:         c.matchers(path+".topics", m.GetTopics()),
		ProducerGroups: c.matchers(path+".producer_groups", m.GetProducerGroups()),
		ConsumerGroups: c.matchers(path+".consumer_groups", m.GetConsumerGroups()),
		Requests:       c.requests(path+".requests", m.GetRequests()),
		MinVersion:     c.release(path+".min_version", m.GetMinVersion()),
		MaxVersion:     c.release(path+".max_version", m.GetMaxVersion()),
	}
	if config.MaxVersion != 0 && config.MaxVersion < config.MinVersion {
		c.add(path+".max_version", "is %q, below min_version %q", m.GetMaxVersion(), m.GetMinVersion())
	}
	for i, name := range m.GetLanguages() {
		language, ok := languageOf(name)
		if !ok {
			c.add(fmt.Sprintf("%s.languages[%d]", path, i), "is %q; want a name of LanguageCode, as JAVA", name)
		}
		config.Languages = append(config.Languages, language)
	}
	for i, text := range m.GetSources() {
		prefix, ok := prefixOf(text)
		if !ok {
			c.add(fmt.Sprintf("%s.sources[%d]", path, i), "is %q; want an address or a range, as 10.0.0.0/8", text)
		}
		config.Sources = append(config.Sources, prefix)
	}
	return config
}

func (c *checker) matchers(path string, all []*matcherv3.StringMatcher) routeconfig.StringMatchers {
	matchers, errors := routeconfig.CompileStringMatchers(path, all)
	c.errors = append(c.errors, errors...)
	return matchers
}

func (c *checker) requests(path string, names []string) (set RequestSet) {
	for i, name := range names {
		if purpose, ok := requests.PurposeNamed(name); ok {
			set.purposes = append(set.purposes, purpose)
			continue
		}
		code, ok := requestCodeOf(name)
		if !ok {
			c.add(fmt.Sprintf("%s[%d]", path, i), "is %q; want SEND, CONSUME, CLIENT, ADMIN, a name of RequestCode, as PULL_MESSAGE, or a number", name)
		}
		if set.codes == nil {
			set.codes = make(map[requests.Code]struct{})
		}
		set.codes[code] = struct{}{}
	}
	return set
}

func requestCodeOf(name string) (requests.Code, bool) {
	if number, err := strconv.ParseInt(name, 10, 32); err == nil {
		return requests.Code(number), true
	}
	return requests.CodeNamed(name)
}

func languageOf(name string) (codec.LanguageCode, bool) {
	for code := codec.LanguageJava; code <= codec.LanguageNodeJS; code++ {
		if code.String() == name {
			return code, true
		}
	}
	return codec.LanguageUnknown, false
}

func prefixOf(text string) (netip.Prefix, bool) {
	if address, err := netip.ParseAddr(text); err == nil && !strings.Contains(text, "/") { // which a zone may have
		return netip.PrefixFrom(address.Unmap().WithZone(""), address.Unmap().BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix, err == nil
}

// release returns the ordinal of a release in MQVersion; 0 for none.
func (c *checker) release(path, text string) int32 {
	if text == "" {
		return 0
	}
	version, ok := codec.MQVersion(text)
	if !ok {
		c.add(path, "is %q; want a release from 4.1.0 on, as 5.1.0", text)
	}
	return version
}
