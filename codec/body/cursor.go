// SPDX-License-Identifier: Apache-2.0

package body

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// maxEntries bounds each list a body is turned into: addresses, queues, groups, topics.
// Large clusters have some hundred brokers and a client some hundred topics.
const maxEntries = 1 << 16

// span is the range [from, to) of a body.
type span struct{ from, to int }

// member is one name: value pair of an object.
type member struct {
	name  span // with its quotes
	value span
}

// cursor walks a body. The first problem sticks: after it every call does nothing.
type cursor struct {
	b    []byte
	body string // Java class, for errors
	err  *Error
}

func (c *cursor) fail(at int, detail string) {
	if c.err == nil {
		c.err = &Error{Body: c.body, Offset: at, Detail: detail}
	}
}

// result is the error as an interface that is nil when there is none.
func (c *cursor) result() error {
	if c.err != nil {
		return c.err
	}
	return nil
}

// root returns the one value of the body, which must be an object and must be all.
func (c *cursor) root() span {
	i := jsonscan.Space(c.b, 0)
	end := jsonscan.Skip(c.b, i, 0, jsonscan.Fastjson)
	switch {
	case end < 0:
		c.fail(i, "malformed JSON")
	case c.b[i] != '{':
		c.fail(i, "not an object")
	case jsonscan.Space(c.b, end) != len(c.b):
		c.fail(end, "bytes behind the object")
	}
	if c.err != nil {
		return span{}
	}
	return span{i, end}
}

// isNull reports whether the value is null.
func (c *cursor) isNull(v span) bool { return c.err == nil && string(c.b[v.from:v.to]) == "null" }

// kind is the first byte of a value; 0 after an error.
func (c *cursor) kind(v span) byte {
	if c.err != nil || v.from >= v.to {
		return 0
	}
	return c.b[v.from]
}

// each calls f for the members of the object at v, which root has found well formed. A
// null has none, nor has a member that is missing (the zero span); anything else but an
// object is an error.
func (c *cursor) each(v span, what string, f func(m member)) {
	if c.err != nil || v.to == 0 || c.isNull(v) {
		return
	}
	if c.kind(v) != '{' {
		c.fail(v.from, what+" is not an object")
		return
	}
	i := jsonscan.Space(c.b, v.from+1)
	for c.err == nil && c.b[i] != '}' {
		var m member
		m.name.from = i
		switch c.b[i] {
		case '"', '\'', '{', '[':
			i = jsonscan.Skip(c.b, i, 0, jsonscan.Fastjson)
		default:
			i = jsonscan.BareWord(c.b, i)
		}
		m.name.to = i
		m.value.from = jsonscan.Space(c.b, jsonscan.Space(c.b, i)+1)
		m.value.to = jsonscan.Skip(c.b, m.value.from, 0, jsonscan.Fastjson)
		f(m)
		if i = jsonscan.Space(c.b, m.value.to); c.b[i] == ',' {
			i = jsonscan.Space(c.b, i+1)
		}
	}
}

// elements calls f for the elements of the array at v, like each.
func (c *cursor) elements(v span, what string, f func(e span)) {
	if c.err != nil || v.to == 0 || c.isNull(v) {
		return
	}
	if c.kind(v) != '[' {
		c.fail(v.from, what+" is not an array")
		return
	}
	i := jsonscan.Space(c.b, v.from+1)
	for c.err == nil && c.b[i] != ']' {
		e := span{i, jsonscan.Skip(c.b, i, 0, jsonscan.Fastjson)}
		f(e)
		if i = jsonscan.Space(c.b, e.to); c.b[i] == ',' {
			i = jsonscan.Space(c.b, i+1)
		}
	}
}

// text is a member name or a value as text: a string without quotes and escapes,
// anything else as it stands. The slice is a view of the body or a copy.
func (c *cursor) text(v span) []byte {
	s := c.b[v.from:v.to:v.to]
	if len(s) < 2 || (s[0] != '"' && s[0] != '\'') {
		return s
	}
	s = s[1 : len(s)-1 : len(s)-1]
	for _, b := range s {
		if b == '\\' {
			return jsonscan.AppendUnescaped(make([]byte, 0, len(s)), s)
		}
	}
	return s
}

// str is the value of a string member, "" for null; other values are an error.
func (c *cursor) str(v span, what string) string {
	switch {
	case c.err != nil, c.isNull(v):
		return ""
	case c.b[v.from] != '"' && c.b[v.from] != '\'':
		c.fail(v.from, what+" is not a string")
		return ""
	}
	return string(c.text(v))
}

// integer is the value of an integer member of at most bits bits, 0 for null.
func (c *cursor) integer(v span, bits uint, what string) int64 {
	if c.err != nil || c.isNull(v) {
		return 0
	}
	n, ok := jsonscan.Int(c.text(v))
	if limit := int64(1) << (bits - 1); !ok || bits < 64 && (n >= limit || n < -limit) {
		c.fail(v.from, what+" is not an integer in range")
		return 0
	}
	return n
}

// boolean is the value of a boolean member, false for null.
func (c *cursor) boolean(v span, what string) bool {
	if c.err != nil || c.isNull(v) {
		return false
	}
	switch string(c.text(v)) {
	case "true":
		return true
	case "false":
		return false
	}
	c.fail(v.from, what+" is not a boolean")
	return false
}

// room fails when a list that already has n entries has no room for the one at v.
func (c *cursor) room(n int, v span, what string) bool {
	if n >= maxEntries {
		c.fail(v.from, "too many "+what)
	}
	return c.err == nil
}

// once fails when a member that decides something stands twice in one object: two
// readers could take different ones.
func (c *cursor) once(seen *span, m member, what string) {
	if seen.to != 0 {
		c.fail(m.name.from, what+" stands twice")
	}
	*seen = m.value
}
