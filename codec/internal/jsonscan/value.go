// SPDX-License-Identifier: Apache-2.0

package jsonscan

// MaxDepth is how deep objects and arrays may nest. The deepest body RocketMQ sends
// (ConsumerRunningInfo) has six levels.
const MaxDepth = 32

// Dialect selects how much beyond RFC 8259 is accepted.
type Dialect bool

// The dialects.
const (
	Strict   Dialect = false // double-quoted member names only
	Fastjson Dialect = true  // bare words, objects and arrays as member names, single quotes
)

// Space returns the position of the first byte at or behind i that is not a blank.
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// Number returns the position behind the JSON number at b[i], and whether it is an
// integer; -1 when there is no number.
func Number(b []byte, i int) (end int, integer bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b):
		return -1, false
	case b[i] == '0':
		i++
	case '1' <= b[i] && b[i] <= '9':
		i = digits(b, i)
	default:
		return -1, false
	}
	integer = true
	if i < len(b) && b[i] == '.' {
		integer = false
		j := digits(b, i+1)
		if j == i+1 {
			return -1, false
		}
		i = j
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		integer = false
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		j := digits(b, i)
		if j == i {
			return -1, false
		}
		i = j
	}
	return i, integer
}

func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// Literal returns the position behind true, false or null at b[i], or -1.
func Literal(b []byte, i int) int {
	rest := b[i:]
	switch {
	case len(rest) >= 4 && (string(rest[:4]) == "true" || string(rest[:4]) == "null"):
		return i + 4
	case len(rest) >= 5 && string(rest[:5]) == "false":
		return i + 5
	}
	return -1
}

// Skip returns the position behind the value that starts at b[i] (no blanks before
// it), or -1. depth counts the objects and arrays the value already stands in.
func Skip(b []byte, i, depth int, d Dialect) int {
	if i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"', c == '\'' && d == Fastjson:
		end, _ := StringEnd(b, i+1, c)
		if end < 0 {
			return -1
		}
		return end + 1
	case c == '{':
		return skipObject(b, i, depth, d)
	case c == '[':
		return skipArray(b, i, depth, d)
	case c == '-' || '0' <= c && c <= '9':
		end, _ := Number(b, i)
		return end
	}
	return Literal(b, i)
}

func skipArray(b []byte, i, depth int, d Dialect) int {
	if depth >= MaxDepth {
		return -1
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = Skip(b, i, depth+1, d); i < 0 {
			return -1
		}
		if i = Space(b, i); i >= len(b) {
			return -1
		}
		switch b[i] {
		case ']':
			return i + 1
		case ',':
			i = Space(b, i+1)
		default:
			return -1
		}
	}
}

func skipObject(b []byte, i, depth int, d Dialect) int {
	if depth >= MaxDepth {
		return -1
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		if i = skipName(b, i, depth+1, d); i < 0 {
			return -1
		}
		if i = Space(b, i); i >= len(b) || b[i] != ':' {
			return -1
		}
		if i = Skip(b, Space(b, i+1), depth+1, d); i < 0 {
			return -1
		}
		if i = Space(b, i); i >= len(b) {
			return -1
		}
		switch b[i] {
		case '}':
			return i + 1
		case ',':
			i = Space(b, i+1)
		default:
			return -1
		}
	}
}

// skipName returns the position behind a member name, or -1.
func skipName(b []byte, i, depth int, d Dialect) int {
	if i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"', d == Fastjson && (c == '\'' || c == '{' || c == '['):
		return Skip(b, i, depth, d)
	case d == Fastjson:
		return BareWord(b, i)
	}
	return -1
}

// BareWord returns the position behind an unquoted member name at b[i]: letters,
// digits and _ $ . + -. It returns -1 when there is none.
func BareWord(b []byte, i int) int {
	start := i
	for i < len(b) {
		c := b[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '$' || c == '.' || c == '+' || c == '-' {
			i++
			continue
		}
		break
	}
	if i == start {
		return -1
	}
	return i
}

// Int returns the value of decimal text with an optional sign, as Java's
// Long.parseLong reads it; ok is false for anything else and beyond int64.
func Int(s []byte) (n int64, ok bool) {
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 {
		return 0, false
	}
	const limit = 1 << 63
	var u uint64
	for _, c := range s {
		if c < '0' || c > '9' || u > limit/10 {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	switch {
	case neg && u <= limit:
		return -int64(u), true
	case !neg && u < limit:
		return int64(u), true
	}
	return 0, false
}
