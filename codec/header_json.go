// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"math"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// The members of RemotingCommand, as bits of a set.
const (
	seenCode = 1 << iota
	seenFlag
	seenOpaque
	seenVersion
	seenLanguage
	seenRemark
	seenExtFields
)

// parseJSON reads raw in one pass. Source: RemotingSerializable.decode (fastjson).
func (h *Header) parseJSON() error {
	b := h.raw
	i := jsonscan.Space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return badHeader("no JSON object")
	}
	i = jsonscan.Space(b, i+1)
	seen := 0
	if i < len(b) && b[i] == '}' {
		return badHeader("no code")
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return badHeader("no member name")
		}
		start := i + 1
		end, escaped := jsonscan.StringEnd(b, start, '"')
		if end < 0 || escaped {
			// Names are never escaped by a client; one that is would hide from us.
			return badHeader("bad member name")
		}
		if i = jsonscan.Space(b, end+1); i >= len(b) || b[i] != ':' {
			return badHeader("no colon")
		}
		i = jsonscan.Space(b, i+1)

		member := 0
		var detail string
		switch string(b[start:end]) {
		case "code":
			member = seenCode
			h.Code, i = jsonInt32(b, i)
		case "flag":
			member = seenFlag
			h.Flag, i = jsonInt32(b, i)
		case "opaque":
			member = seenOpaque
			h.opaqueStart = int32(i)
			h.Opaque, i = jsonInt32(b, i)
			h.opaqueEnd = int32(i)
		case "version":
			member = seenVersion
			h.Version, i = jsonInt32(b, i)
		case "language":
			member = seenLanguage
			i = h.jsonLanguage(i)
		case "remark":
			member = seenRemark
			i = h.jsonRemark(i)
		case "extFields":
			member = seenExtFields
			if i, detail = h.jsonFields(i); i < 0 {
				return badHeader(detail)
			}
		default:
			if looksLikeMember(b[start:end]) {
				return badHeader("member name in another spelling")
			}
			i = jsonscan.Skip(b, i, 1, jsonscan.Strict)
		}
		if i < 0 {
			return badHeader("bad member value")
		}
		if seen&member != 0 {
			return badHeader("member twice")
		}
		seen |= member

		if i = jsonscan.Space(b, i); i >= len(b) {
			return badHeader("object not closed")
		}
		if b[i] == '}' {
			break
		}
		if b[i] != ',' {
			return badHeader("no comma")
		}
		i = jsonscan.Space(b, i+1)
	}
	if jsonscan.Space(b, i+1) != len(b) {
		return badHeader("bytes behind the object")
	}
	if seen&seenCode == 0 || seen&seenOpaque == 0 {
		return badHeader("no code or no opaque")
	}
	return nil
}

// jsonInt32 reads a JSON integer of at most 32 bits; next is -1 for anything else.
func jsonInt32(b []byte, i int) (n int32, next int) {
	neg := false
	if i < len(b) && b[i] == '-' {
		neg = true
		i++
	}
	start := i
	var u uint64
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		u = u*10 + uint64(b[i]-'0')
		if u > -math.MinInt32 {
			return 0, -1
		}
		i++
	}
	switch {
	case i == start, b[start] == '0' && i > start+1:
		return 0, -1
	case i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e'):
		return 0, -1
	case neg:
		return int32(-int64(u)), i
	case u > math.MaxInt32:
		return 0, -1
	}
	return int32(u), i
}

// jsonLanguage reads the language: a name, its number, or null.
func (h *Header) jsonLanguage(i int) (next int) {
	b := h.raw
	if i < len(b) && b[i] == '"' {
		end, _ := jsonscan.StringEnd(b, i+1, '"')
		if end < 0 {
			return -1
		}
		h.Language = languageCodeOf(b[i+1 : end])
		return end + 1
	}
	if n, end := jsonInt32(b, i); end >= 0 {
		if n >= 0 && n < int32(languageCodes) {
			h.Language = LanguageCode(n)
		}
		return end
	}
	return jsonNull(b, i)
}

// jsonRemark reads the remark: a string or null.
func (h *Header) jsonRemark(i int) (next int) {
	b := h.raw
	if i >= len(b) || b[i] != '"' {
		return jsonNull(b, i)
	}
	end, escaped := jsonscan.StringEnd(b, i+1, '"')
	if end < 0 {
		return -1
	}
	h.remarkStart, h.remarkEnd, h.remarkEscaped = int32(i+1), int32(end), escaped
	return end + 1
}

func jsonNull(b []byte, i int) (next int) {
	if i+4 <= len(b) && string(b[i:i+4]) == "null" {
		return i + 4
	}
	return -1
}

// jsonFields reads extFields: null, or an object of strings; next is -1 with the
// reason in detail.
func (h *Header) jsonFields(i int) (next int, detail string) {
	b := h.raw
	if i >= len(b) || b[i] != '{' {
		return jsonNull(b, i), "extFields is no object"
	}
	i++
	if i < len(b) && b[i] != '"' {
		if i = jsonscan.Space(b, i); i < len(b) && b[i] == '}' {
			return i + 1, ""
		}
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return -1, "no field name"
		}
		start := i + 1
		end, escaped := start+1, false
		if end >= len(b) || b[end] != '"' || b[start] == '"' || b[start] == '\\' {
			end, escaped = jsonscan.StringEnd(b, start, '"')
		} // else: one byte, as most names in SEND_MESSAGE_V2
		if end < 0 || end-start > math.MaxUint16 {
			return -1, "bad field name"
		}
		f := extField{name: uint32(start), nameSize: uint16(end - start)}
		if escaped {
			f.marks = nameEscaped
		}
		i = end + 1
		if i < len(b) && b[i] != ':' {
			i = jsonscan.Space(b, i)
		}
		if i >= len(b) || b[i] != ':' {
			return -1, "no colon in extFields"
		}
		i++
		if i < len(b) && b[i] != '"' {
			i = jsonscan.Space(b, i)
		}
		if i >= len(b) {
			return -1, "no field value"
		}
		if b[i] == '"' {
			start = i + 1
			end, escaped = start+1, false
			if end >= len(b) || b[end] != '"' || b[start] == '"' || b[start] == '\\' {
				if end, escaped = jsonscan.StringEnd(b, start, '"'); end < 0 {
					return -1, "bad field value"
				}
			}
			f.value, f.valueEnd = uint32(start), uint32(end)
			if escaped {
				f.marks |= valueEscaped
			}
			i = end + 1
		} else {
			// fastjson turns other values into strings too. An object or array here
			// is no client's doing.
			if b[i] == '{' || b[i] == '[' {
				return -1, "field value is no string"
			}
			if end = jsonscan.Skip(b, i, 2, jsonscan.Strict); end < 0 {
				return -1, "bad field value"
			}
			f.value, f.valueEnd = uint32(i), uint32(end)
			if b[i] == 'n' {
				f.marks |= valueNull
			}
			i = end
		}
		if !h.addField(f) {
			return -1, "too many extFields"
		}
		if i < len(b) && b[i] != ',' {
			i = jsonscan.Space(b, i)
		}
		if i >= len(b) {
			return -1, "extFields not closed"
		}
		if b[i] == '}' {
			return i + 1, ""
		}
		if b[i] != ',' {
			return -1, "no comma in extFields"
		}
		i++
		if i < len(b) && b[i] != '"' {
			i = jsonscan.Space(b, i)
		}
	}
}

// looksLikeMember reports whether fastjson's "smart match" could take name for a
// member we know: it ignores case, _ and -, and a leading "is".
func looksLikeMember(name []byte) bool {
	var buf [len("extfields") + len("is")]byte
	n := 0
	for _, c := range name {
		if c == '_' || c == '-' {
			continue
		}
		if n == len(buf) {
			return false
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[n] = c
		n++
	}
	folded := buf[:n]
	if n > 2 && string(folded[:2]) == "is" {
		folded = folded[2:]
	}
	switch string(folded) {
	case "code", "flag", "opaque", "version", "language", "remark", "extfields":
		return true
	}
	return false
}
