// SPDX-License-Identifier: Apache-2.0

package routeconfig

import (
	"strconv"
	"strings"
)

// header is what a header matcher looks at.
type header uint8

const (
	// unknownHeader is any name but the three: the filter sets no such header, so it is always missing.
	unknownHeader header = iota
	codeHeader
	brokerNameHeader
	brokerIDHeader
)

// headerOf is the header with this name; case does not matter.
func headerOf(name string) header {
	switch lowerASCII(name) {
	case "code":
		return codeHeader
	case "broker_name":
		return brokerNameHeader
	case "broker_id":
		return brokerIDHeader
	}
	return unknownHeader
}

// headerTest is a form of envoy.config.route.v3.HeaderMatcher.
type headerTest uint8

const (
	presentTest headerTest = iota // also when the matcher names no form at all
	textTest
	rangeTest
	anyValueTest // exact_match with an empty text, which Envoy takes for any value
)

// headerMatcher is one test of a header.
type headerMatcher struct {
	header         header
	test           headerTest
	invert         bool
	missingIsEmpty bool

	present    bool          // of presentTest
	text       stringMatcher // of textTest
	start, end int64         // of rangeTest: start <= value < end
	// number is the text of a textTest as a decimal number; isNumber tells that comparing numbers is
	// the same as comparing texts.
	number   int64
	isNumber bool
}

func (m *headerMatcher) match(request *Request) bool {
	exists := m.header == codeHeader || m.header != unknownHeader && request.HasBroker
	switch {
	case m.test == presentTest && !exists && !m.missingIsEmpty:
		return m.present == m.invert
	case m.test == presentTest:
		return m.present != m.invert
	case !exists && !m.missingIsEmpty:
		return false // inverted or not
	case !exists:
		return m.matchText("") != m.invert
	case m.header == codeHeader:
		return m.matchNumber(int64(request.Code)) != m.invert
	case m.header == brokerIDHeader:
		return m.matchNumber(request.BrokerID) != m.invert
	}
	return m.matchText(request.BrokerName) != m.invert
}

func (m *headerMatcher) matchText(s string) bool {
	switch m.test {
	case textTest:
		return m.text.match(s)
	case rangeTest: // absl::SimpleAtoi takes a sign and blanks around the number, and so does this
		n, err := strconv.ParseInt(strings.Trim(s, " \t\n\v\f\r"), 10, 64)
		return err == nil && n >= m.start && n < m.end
	}
	return true
}

func (m *headerMatcher) matchNumber(n int64) bool {
	switch {
	case m.test == rangeTest:
		return n >= m.start && n < m.end
	case m.test != textTest:
		return true
	case m.isNumber:
		return n == m.number
	case m.text.kind == regexKind:
		return m.text.regex.MatchString(strconv.FormatInt(n, 10))
	}
	var digits [20]byte
	return m.text.matchPlain(string(strconv.AppendInt(digits[:0], n, 10)))
}

// setText makes m a textTest.
func (m *headerMatcher) setText(text stringMatcher) {
	m.test, m.text = textTest, text
	if n, err := strconv.ParseInt(text.text, 10, 64); err == nil && text.kind == exactKind {
		m.number, m.isNumber = n, strconv.FormatInt(n, 10) == text.text
	}
}
