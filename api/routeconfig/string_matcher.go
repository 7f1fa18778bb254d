// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"regexp"
	"strings"
)

// matchKind is a form of envoy.type.matcher.v3.StringMatcher.
type matchKind uint8

const (
	exactKind matchKind = iota
	prefixKind
	suffixKind
	containsKind
	regexKind
)

// stringMatcher is one test of a text.
type stringMatcher struct {
	kind matchKind
	// ignoreCase makes ASCII letters equal, and no others, as in absl. A regular expression has its own
	// (?i).
	ignoreCase bool
	text       string         // for containsKind with ignoreCase: in lower case
	regex      *regexp.Regexp // of regexKind; it matches whole texts only
}

func (m *stringMatcher) match(s string) bool {
	if m.kind == regexKind {
		return m.regex.MatchString(s)
	}
	return m.matchPlain(s)
}

// matchPlain is match without regexKind. It does not keep s.
func (m *stringMatcher) matchPlain(s string) bool {
	if len(s) < len(m.text) {
		return false
	}
	switch m.kind {
	case prefixKind:
		s = s[:len(m.text)]
	case suffixKind:
		s = s[len(s)-len(m.text):]
	case containsKind:
		if m.ignoreCase {
			s = lowerASCII(s)
		}
		return strings.Contains(s, m.text)
	}
	if m.ignoreCase {
		return equalFoldASCII(s, m.text)
	}
	return s == m.text
}

// compileRegex makes a regular expression that matches whole texts, as RE2::FullMatch does. Go's
// syntax is RE2's, without \C. Envoy refuses programs of more than 100 RE2 instructions unless the
// runtime key re2.max_program_size.error_level says otherwise; here there is no such limit, since
// time is linear in the text.
func compileRegex(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err // before anything is put around it, so that it is told as the user wrote it
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil { // a \Q that is still open
		return regexp.Compile(`\A(?:` + pattern + `\E)\z`)
	}
	return whole, nil
}

func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerByte(a[i]) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(s string) string {
	for i := range len(s) {
		if lowerByte(s[i]) != s[i] {
			lower := []byte(s)
			for j := i; j < len(lower); j++ {
				lower[j] = lowerByte(lower[j])
			}
			return string(lower)
		}
	}
	return s
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
