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
	start := jsonscan.Space(b, 0)
	if start >= len(b) || b[start] != '{' {
		return badHeader("no JSON object")
	}
	if end := jsonscan.Space(b, start+1); end < len(b) && b[end] == '}' {
		return badHeader("no code")
	}
	h.marks = h.marks.Find(b)
	i, seen, detail := h.usualMembers(start)
	for i >= 0 {
		if i > start { // behind a member
			if i = space(b, i); i >= len(b) {
				return badHeader("object not closed")
			}
			if b[i] == '}' {
				break
			}
			if b[i] != ',' {
				return badHeader("no comma")
			}
		}
		var member int
		i, member, detail = h.jsonMember(space(b, i+1))
		if i >= 0 && seen&member != 0 {
			return badHeader("member twice")
		}
		seen |= member
	}
	switch {
	case i < 0 && detail == fieldsBeyond:
		return tooManyFields(MaxFields+1, MaxFields)
	case i < 0:
		return badHeader(detail)
	case jsonscan.Space(b, i+1) != len(b):
		return badHeader("bytes behind the object")
	case seen&seenCode == 0 || seen&seenOpaque == 0:
		return badHeader("no code or no opaque")
	}
	return nil
}

// Details that decide about more than a text.
const (
	badValue     = "bad member value"
	fieldsBeyond = "too many extFields"
)

// usualMembers reads members, from the brace at raw[i] on, while they come as fastjson writes them:
// in alphabetical order and without blanks before their colons. It returns the position behind them, i if there are none,
// or -1 with the reason in detail.
func (h *Header) usualMembers(i int) (next, seen int, detail string) {
	b := h.raw
	detail = badValue
	if value := behind(b, i, `{"code":`); value > 0 {
		seen |= seenCode
		h.Code, i = jsonInt32(b, space(b, value))
	}
	if value := behind(b, i, `,"extFields":`); value > 0 {
		seen |= seenExtFields
		if i, detail = h.jsonFields(space(b, value)); i < 0 {
			return i, seen, detail
		}
		detail = badValue
	}
	if value := behind(b, i, `,"flag":`); value > 0 {
		seen |= seenFlag
		h.Flag, i = jsonInt32(b, space(b, value))
	}
	if value := behind(b, i, `,"language":`); value > 0 {
		seen |= seenLanguage
		i = h.jsonLanguage(space(b, value))
	}
	if value := behind(b, i, `,"opaque":`); value > 0 {
		seen |= seenOpaque
		i = h.jsonOpaque(space(b, value))
	}
	if value := behind(b, i, `,"remark":`); value > 0 {
		seen |= seenRemark
		i = h.jsonRemark(space(b, value))
	}
	if value := behind(b, i, `,"serializeTypeCurrentRPC":"JSON"`); value > 0 {
		i = value
	}
	if value := behind(b, i, `,"version":`); value > 0 {
		seen |= seenVersion
		h.Version, i = jsonInt32(b, space(b, value))
	}
	return i, seen, detail
}

// behind gives the position behind text if that is at b[i], else 0; i may be -1.
func behind(b []byte, i int, text string) int {
	end := i + len(text)
	if i >= 0 && end <= len(b) && string(b[i:end]) == text {
		return end
	}
	return 0
}

// jsonMember reads the member whose name is at raw[i], and tells which it is; next is -1 with the
// reason in detail.
func (h *Header) jsonMember(i int) (next, member int, detail string) {
	b := h.raw
	if i >= len(b) || b[i] != '"' {
		return -1, 0, "no member name"
	}
	start := i + 1
	end, _ := h.marks.Next(h.marks.From(start))
	if end >= len(b) || b[end] != '"' {
		// Names are never escaped by a client; one that is would hide from us.
		return -1, 0, "bad member name"
	}
	if i = space(b, end+1); i >= len(b) || b[i] != ':' {
		return -1, 0, "no colon"
	}
	i = space(b, i+1)
	switch string(b[start:end]) {
	case "code":
		member = seenCode
		h.Code, i = jsonInt32(b, i)
	case "flag":
		member = seenFlag
		h.Flag, i = jsonInt32(b, i)
	case "opaque":
		member = seenOpaque
		i = h.jsonOpaque(i)
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
		i, detail = h.jsonFields(i)
		return i, seenExtFields, detail
	case "serializeTypeCurrentRPC":
		i = jsonscan.Skip(b, i, 1, jsonscan.Strict)
	default:
		// Brokers know members by a hash of their name, for which others are made in no time: what we skipped might be the
		// code to them.
		return -1, 0, "a member that RemotingCommand does not have"
	}
	return i, member, badValue
}

// jsonOpaque reads the opaque and notes where it stands.
func (h *Header) jsonOpaque(i int) (next int) {
	h.Opaque, next = jsonInt32(h.raw, i)
	h.opaqueStart, h.opaqueEnd = int32(i), int32(next)
	return next
}

// jsonLanguage reads the language: a name, its number, or null.
func (h *Header) jsonLanguage(i int) (next int) {
	b := h.raw
	if next = behind(b, i, `"JAVA"`); next > 0 {
		h.Language = LanguageJava
		return next
	}
	if i < len(b) && b[i] == '"' {
		end, _ := h.marks.StringEnd(b, i+1)
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
	end, escaped := h.marks.StringEnd(b, i+1)
	if end < 0 {
		return -1
	}
	h.remarkStart, h.remarkEnd, h.remarkEscaped = int32(i+1), int32(end), escaped
	return end + 1
}

// jsonFields reads extFields: null, or an object of strings; next is -1 with the
// reason in detail.
func (h *Header) jsonFields(i int) (next int, detail string) {
	b, marks := h.raw, h.marks
	if i >= len(b) || b[i] != '{' {
		return jsonNull(b, i), "extFields is no object"
	}
	if i = space(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1, ""
	}
	at := marks.From(i)
	for {
		if i >= len(b) || b[i] != '"' {
			return -1, "no field name"
		}
		at = marks.Pass(at)
		for more := true; more; { // a field, and those that stand behind it as fastjson writes them
			f := h.newField()
			if f == nil {
				return -1, fieldsBeyond
			}
			f.name = uint32(i + 1)
			f.marks = 0
			var end int
			if end, at = marks.Next(at); threeAt(b, end) == quoteColonQuote && end-i <= math.MaxUint16+1 {
				f.nameSize = uint16(end - i - 1)
				i = end + 2
			} else {
				if end < len(b) && b[end] == '\\' {
					f.marks = nameEscaped
					end, at = marks.EscapedEnd(b, end, at)
				}
				if end >= len(b) || end-i > math.MaxUint16+1 {
					return -1, "bad field name"
				}
				f.nameSize = uint16(end - i - 1)
				if i = space(b, end+1); i >= len(b) || b[i] != ':' {
					return -1, "no colon in extFields"
				}
				if i = space(b, i+1); i >= len(b) {
					return -1, "no field value"
				}
				if b[i] != '"' {
					if i = h.jsonScalar(f, i); i < 0 {
						return -1, "bad field value"
					}
					break
				}
			}
			f.value = uint32(i + 1)
			if end, at = marks.Next(marks.Pass(at)); end < len(b) && b[end] == '\\' {
				f.marks |= valueEscaped
				end, at = marks.EscapedEnd(b, end, at)
			}
			if end >= len(b) {
				return -1, "bad field value"
			}
			f.valueEnd = uint32(end)
			i = end + 1
			if more = threeAt(b, end) == quoteCommaQuote; more {
				i = end + 2
				at = marks.Pass(at)
			}
		}
		if i = space(b, i); i >= len(b) {
			return -1, "extFields not closed"
		}
		if b[i] == '}' {
			return i + 1, ""
		}
		if b[i] != ',' {
			return -1, "no comma in extFields"
		}
		i = space(b, i+1)
	}
}

// jsonScalar reads a field's value that is no string. fastjson turns these into strings too. An object
// or array here is no client's doing.
func (h *Header) jsonScalar(f *extField, i int) (next int) {
	b := h.raw
	if b[i] == '{' || b[i] == '[' {
		return -1
	}
	end := jsonscan.Skip(b, i, 2, jsonscan.Strict)
	if end < 0 {
		return -1
	}
	f.value, f.valueEnd = uint32(i), uint32(end)
	if b[i] == 'n' {
		f.marks |= valueNull
	}
	return end
}
