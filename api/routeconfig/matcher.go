// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"fmt"

	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/fielderror"
)

// StringMatchers is a compiled list of envoy.type.matcher.v3.StringMatcher.
type StringMatchers []stringMatcher

// CompileStringMatchers checks every field of a list. The errors have paths that begin with `path`.
func CompileStringMatchers(path string, all []*matcherv3.StringMatcher) (StringMatchers, fielderror.Errors) {
	var c compiler
	var matchers StringMatchers
	for i, m := range all {
		matchers = append(matchers, c.stringMatcher(fmt.Sprintf("%s[%d]", path, i), m))
	}
	return matchers, c.errors
}

// Match tells whether one of the matchers takes a text.
func (m StringMatchers) Match(text string) bool {
	for i := range m {
		if m[i].match(text) {
			return true
		}
	}
	return false
}
