// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/fielderror"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
)

// Limits of a configuration. Envoy has none; these only keep a mistake from becoming slow.
const (
	maxRoutes       = 10_000
	maxHeaders      = 64   // matchers in one route
	maxPatternBytes = 4096 // of a regular expression
	maxCriteria     = 64   // keys in one metadata_match
)

// Compile checks every field of m, nil included, which has no routes. The errors have an entry for each
// bad field, with paths that begin at the RouteConfiguration: routes[2].match.topic.safe_regex.regex.
// They include all that Envoy's generated validation and its loading of the matchers would refuse.
func Compile(m *rocketmqproxy.RouteConfiguration) (*Table, fielderror.Errors) {
	var c compiler
	if n := len(m.GetRoutes()); n > maxRoutes {
		c.add("routes", "has %d entries; want at most %d", n, maxRoutes)
		return nil, c.errors
	}
	t := &Table{exact: make(map[string][]int32)}
	for i, each := range m.GetRoutes() {
		r, topic := c.route(fmt.Sprintf("routes[%d]", i), each)
		t.add(r, topic)
	}
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	return t, nil
}

// compiler collects what is wrong.
type compiler struct{ errors fielderror.Errors }

func (c *compiler) add(path, format string, args ...any) {
	c.errors = append(c.errors, fielderror.FieldError{Path: path, Problem: fmt.Sprintf(format, args...)})
}

func (c *compiler) route(path string, m *rocketmqproxy.Route) (r route, topic stringMatcher) {
	if m.GetMatch() == nil {
		c.add(path+".match", "is missing")
	} else {
		topic = c.topic(path+".match.topic", m.GetMatch().GetTopic())
		r.headers = c.headers(path+".match.headers", m.GetMatch().GetHeaders())
	}
	if m.GetRoute() == nil {
		c.add(path+".route", "is missing")
		return r, topic
	}
	r.Cluster = m.GetRoute().GetCluster()
	if r.Cluster == "" {
		c.add(path+".route.cluster", "is empty")
	}
	r.MetadataMatch = c.metadata(path+".route.metadata_match", m.GetRoute().GetMetadataMatch())
	return r, topic
}

func (c *compiler) topic(path string, m *matcherv3.StringMatcher) stringMatcher {
	if m == nil {
		c.add(path, "is missing")
		return stringMatcher{}
	}
	return c.stringMatcher(path, m)
}

func (c *compiler) stringMatcher(path string, m *matcherv3.StringMatcher) stringMatcher {
	switch pattern := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		if pattern != nil { // typed nils do not come from the wire, but generated validation minds them
			return stringMatcher{kind: exactKind, text: pattern.Exact, ignoreCase: m.GetIgnoreCase()}
		}
	case *matcherv3.StringMatcher_Prefix:
		return c.plain(path+".prefix", prefixKind, m.GetPrefix(), m.GetIgnoreCase())
	case *matcherv3.StringMatcher_Suffix:
		return c.plain(path+".suffix", suffixKind, m.GetSuffix(), m.GetIgnoreCase())
	case *matcherv3.StringMatcher_Contains:
		return c.plain(path+".contains", containsKind, m.GetContains(), m.GetIgnoreCase())
	case *matcherv3.StringMatcher_SafeRegex:
		if m.GetSafeRegex() != nil {
			return c.regex(path+".safe_regex.regex", m.GetSafeRegex())
		}
		c.add(path+".safe_regex", "is missing")
		return stringMatcher{}
	case *matcherv3.StringMatcher_Custom:
		c.add(path+".custom", "is %q; extensions of Envoy cannot be used here, want %s", m.GetCustom().GetName(), stringForms)
		return stringMatcher{}
	}
	c.add(path, "names no pattern; want %s", stringForms)
	return stringMatcher{}
}

const stringForms = "exact, prefix, suffix, contains or safe_regex"

func (c *compiler) plain(path string, kind matchKind, text string, ignoreCase bool) stringMatcher {
	if text == "" {
		c.add(path, "is empty; to match everything use safe_regex")
	}
	if kind == containsKind && ignoreCase {
		text = lowerASCII(text)
	}
	return stringMatcher{kind: kind, text: text, ignoreCase: ignoreCase}
}

// regex takes no heed of google_re2.max_program_size, which is deprecated and counts what only RE2 has.
func (c *compiler) regex(path string, m *matcherv3.RegexMatcher) stringMatcher {
	pattern := m.GetRegex()
	switch {
	case pattern == "":
		c.add(path, "is empty")
	case len(pattern) > maxPatternBytes:
		c.add(path, "has %d bytes; want at most %d", len(pattern), maxPatternBytes)
	default:
		compiled, err := compileRegex(pattern)
		if err == nil {
			return stringMatcher{kind: regexKind, regex: compiled}
		}
		c.add(path, "is %q; want a regular expression of RE2: %v", pattern, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return stringMatcher{}
}

func (c *compiler) headers(path string, all []*routev3.HeaderMatcher) []headerMatcher {
	if len(all) > maxHeaders {
		c.add(path, "has %d entries; want at most %d", len(all), maxHeaders)
		return nil
	}
	matchers := make([]headerMatcher, 0, len(all))
	for i, m := range all {
		matchers = append(matchers, c.header(fmt.Sprintf("%s[%d]", path, i), m))
	}
	return matchers
}

//nolint:staticcheck // most configurations of Envoy's filter use the forms that are deprecated now
func (c *compiler) header(path string, m *routev3.HeaderMatcher) headerMatcher {
	switch name := m.GetName(); {
	case name == "":
		c.add(path+".name", "is empty; want code, broker_name or broker_id")
	case strings.ContainsAny(name, "\x00\r\n"):
		c.add(path+".name", "is %q; want code, broker_name or broker_id", name)
	}
	h := headerMatcher{
		header:         headerOf(m.GetName()),
		invert:         m.GetInvertMatch(),
		missingIsEmpty: m.GetTreatMissingHeaderAsEmpty(),
	}
	switch form := m.GetHeaderMatchSpecifier().(type) {
	case nil:
		h.present = true
	case *routev3.HeaderMatcher_PresentMatch:
		h.present = m.GetPresentMatch()
	case *routev3.HeaderMatcher_ExactMatch:
		h.setText(stringMatcher{kind: exactKind, text: m.GetExactMatch()})
		if m.GetExactMatch() == "" {
			h.test = anyValueTest
		}
	case *routev3.HeaderMatcher_RangeMatch:
		h.test, h.start, h.end = rangeTest, m.GetRangeMatch().GetStart(), m.GetRangeMatch().GetEnd()
	case *routev3.HeaderMatcher_PrefixMatch:
		h.setText(c.plain(path+".prefix_match", prefixKind, m.GetPrefixMatch(), false))
	case *routev3.HeaderMatcher_SuffixMatch:
		h.setText(c.plain(path+".suffix_match", suffixKind, m.GetSuffixMatch(), false))
	case *routev3.HeaderMatcher_ContainsMatch:
		h.setText(c.plain(path+".contains_match", containsKind, m.GetContainsMatch(), false))
	case *routev3.HeaderMatcher_SafeRegexMatch:
		h.setText(c.regex(path+".safe_regex_match.regex", m.GetSafeRegexMatch()))
	case *routev3.HeaderMatcher_StringMatch:
		h.setText(c.stringMatcher(path+".string_match", m.GetStringMatch()))
	default:
		c.add(path, "has the unknown form %T", form)
	}
	return h
}

// lbNamespace is the only filter metadata that Envoy chooses hosts by.
const lbNamespace = "envoy.lb"

func (c *compiler) metadata(path string, m *corev3.Metadata) lbmetadata.Criteria {
	fields := m.GetFilterMetadata()[lbNamespace].GetFields()
	path += fmt.Sprintf(".filter_metadata[%q]", lbNamespace)
	if len(fields) > maxCriteria {
		c.add(path, "has %d keys; want at most %d", len(fields), maxCriteria)
		return nil
	}
	var criteria lbmetadata.Criteria
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value, err := lbmetadata.NewValue(fields[key].AsInterface())
		if err != nil {
			c.add(path+"."+key, "is invalid: %v", err)
		}
		criteria = append(criteria, lbmetadata.Criterion{Key: key, Value: value})
	}
	return criteria
}
