// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"math"
	"strconv"

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
		return badHeader("no opaque")
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
		i, seen, detail = h.jsonMember(space(b, i+1), seen)
	}
	switch {
	case i < 0 && detail == fieldsBeyond:
		return tooManyFields(MaxFields+1, MaxFields)
	case i < 0:
		return badHeader(detail)
	case jsonscan.Space(b, i+1) != len(b):
		return badHeader("bytes behind the object")
	case seen&seenOpaque == 0:
		return badHeader("no opaque") // the server counts up one of its own: its answer could not be matched
	}
	return nil
}

// fieldsBeyond is the detail that decides about more than a text.
const fieldsBeyond = "too many extFields"

// usualMembers reads members, from the brace at raw[i] on, while they come as fastjson writes them:
// in alphabetical order, without blanks before their colons, and numbers plain. It returns the position behind
// them, i if there are none, or -1 with the reason in detail.
func (h *Header) usualMembers(i int) (next, seen int, detail string) {
	b := h.raw
	if value := behind(b, i, `{"code":`); value > 0 {
		n, end := jsonInt32(b, space(b, value))
		if end < 0 {
			return i, seen, ""
		}
		h.Code, i, seen = n, end, seen|seenCode
	}
	if value := behind(b, i, `,"extFields":`); value > 0 {
		seen |= seenExtFields
		if i, detail = h.jsonFields(space(b, value)); i < 0 {
			return i, seen, detail
		}
	}
	if value := behind(b, i, `,"flag":`); value > 0 {
		n, end := jsonInt32(b, space(b, value))
		if end < 0 {
			return i, seen, ""
		}
		h.Flag, i, seen = n, end, seen|seenFlag
	}
	if value := behind(b, i, `,"language":`); value > 0 {
		end := h.jsonLanguage(space(b, value))
		if end < 0 {
			return i, seen, ""
		}
		i, seen = end, seen|seenLanguage
	}
	if value := behind(b, i, `,"opaque":`); value > 0 {
		end := h.jsonOpaque(space(b, value))
		if end < 0 {
			return i, seen, ""
		}
		i, seen = end, seen|seenOpaque
	}
	if value := behind(b, i, `,"remark":`); value > 0 {
		end := h.jsonRemark(space(b, value))
		if end < 0 {
			return i, seen, ""
		}
		i, seen = end, seen|seenRemark
	}
	if value := behind(b, i, `,"serializeTypeCurrentRPC":"JSON"`); value > 0 {
		i = value
	}
	if value := behind(b, i, `,"version":`); value > 0 {
		n, end := jsonInt32(b, space(b, value))
		if end < 0 {
			return i, seen, ""
		}
		h.Version, i, seen = n, end, seen|seenVersion
	}
	return i, seen, ""
}

// behind returns the position behind text if that is at b[i], else 0.
func behind(b []byte, i int, text string) int {
	end := i + len(text)
	if end <= len(b) && string(b[i:end]) == text {
		return end
	}
	return 0
}

// jsonMember reads the member whose name is at raw[i] and adds it to those seen; next is -1 with the reason in detail.
func (h *Header) jsonMember(i, before int) (next, seen int, detail string) {
	b := h.raw
	if i >= len(b) || b[i] != '"' {
		return -1, before, "no member name"
	}
	start := i + 1
	end, _ := h.marks.Next(h.marks.From(start))
	if end >= len(b) || b[end] != '"' {
		// Names are never escaped by a client; one that is would hide from us.
		return -1, before, "bad member name"
	}
	name := b[start:end]
	if i = space(b, end+1); i >= len(b) || b[i] != ':' {
		return -1, before, "no colon behind member " + quoted(name)
	}
	i = space(b, i+1)
	member := 0
	switch string(name) {
	case "code":
		member = seenCode
		h.Code, i = jsonNumber(b, i)
	case "flag":
		member = seenFlag
		h.Flag, i = jsonNumber(b, i)
	case "opaque":
		member = seenOpaque
		i = h.jsonOpaque(i)
	case "version":
		member = seenVersion
		h.Version, i = jsonNumber(b, i)
	case "language":
		member = seenLanguage
		i = h.jsonLanguage(i)
	case "remark":
		member = seenRemark
		i = h.jsonRemark(i)
	case "extFields":
		member = seenExtFields
		if i, detail = h.jsonFields(i); i < 0 {
			return -1, before, detail
		}
	case "serializeTypeCurrentRPC":
		i = jsonscan.Skip(b, i, 1, jsonscan.Strict)
	default:
		// Brokers know members by a hash of their name, for which others are made in no time: what we skipped might be the
		// code to them.
		return -1, before, "RemotingCommand has no member " + quoted(name)
	}
	switch {
	case i < 0:
		return -1, before, "bad value of member " + quoted(name)
	case before&member != 0:
		return -1, before, "twice the member " + quoted(name)
	}
	return i, before | member, ""
}

// maxQuoted is how many bytes of a name go into the detail of an error.
const maxQuoted = 32

// quoted returns a name as it stands in the detail of an error.
func quoted(name []byte) string { return strconv.Quote(string(name[:min(len(name), maxQuoted)])) }

// jsonOpaque reads the opaque and notes where its digits are. null is none: the server would count up one of its own.
func (h *Header) jsonOpaque(i int) (next int) {
	n, end := jsonInt32(h.raw, i)
	next = end
	if end < 0 {
		if n, end = jsonQuotedInt32(h.raw, i); end < 0 {
			return -1
		}
		i, next = i+1, end+1
	}
	h.Opaque, h.opaqueStart, h.opaqueEnd = n, int32(i), int32(end)
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

// jsonRemark reads the remark: a string, null, or what jsonScalar takes for one.
func (h *Header) jsonRemark(i int) (next int) {
	b := h.raw
	if i >= len(b) || b[i] != '"' {
		end, null := jsonScalar(b, i)
		if end >= 0 && !null {
			h.remarkStart, h.remarkEnd, h.remarkEscaped = int32(i), int32(end), false
		}
		return end
	}
	end, escaped := h.marks.StringEnd(b, i+1)
	if end < 0 {
		return -1
	}
	h.remarkStart, h.remarkEnd, h.remarkEscaped = int32(i+1), int32(end), escaped
	return end + 1
}

// jsonFields reads extFields: null, or an object of strings and of what jsonScalar takes for them; next is -1 with the
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
				if b[i+1] <= '@' && h.isDirective(f) { // no letter
					return h.directive(f)
				}
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
				if h.isDirective(f) {
					return h.directive(f)
				}
				if i = space(b, end+1); i >= len(b) || b[i] != ':' {
					return -1, "no colon in extFields"
				}
				if i = space(b, i+1); i >= len(b) {
					return -1, "no field value"
				}
				if b[i] != '"' {
					f.value = uint32(i)
					end, null := jsonScalar(b, i)
					if end < 0 {
						return h.badFieldValue(f)
					}
					f.valueEnd = uint32(end)
					if null {
						f.marks |= valueNull
					}
					i = end
					break
				}
			}
			f.value = uint32(i + 1)
			if end, at = marks.Next(marks.Pass(at)); end < len(b) && b[end] == '\\' {
				f.marks |= valueEscaped
				end, at = marks.EscapedEnd(b, end, at)
			}
			if end >= len(b) {
				return h.badFieldValue(f)
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

// isDirective reports whether fastjson may take a field for an order instead: to read another part of the header in place
// of the fields (fastjson 2), or to make an object of that class (fastjson 1).
func (h *Header) isDirective(f *extField) bool {
	return h.isNamed(f, "$ref") || h.isNamed(f, "@type")
}

func (h *Header) directive(f *extField) (next int, detail string) {
	return -1, "extField " + quoted(h.fieldName(f)) + " is an order to fastjson"
}

func (h *Header) badFieldValue(f *extField) (next int, detail string) {
	return -1, "bad value of extField " + quoted(h.fieldName(f))
}
