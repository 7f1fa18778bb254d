// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"iter"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/internal/jsonscan"
)

// Bits of Header.Flag and Command.Flag. Java: RemotingCommand.
const (
	FlagResponse = 1 // the frame is an answer
	FlagOneway   = 2 // the sender wants no answer
)

// MaxFields is the most extFields a header may have whatever Limits says. The largest header Java's
// client writes has about thirty.
const MaxFields = 1024

// spareMarks is how many words of marks are kept for the next header: enough for one of 8 KiB.
const spareMarks = 8<<10/64 + 1

// inlineFields is how many field positions a Header holds without help of the heap.
const inlineFields = 32

// Header is the decoded view of a frame's header. The zero value is ready for
// Parse, and Parse may be called again and again; the view borrows the bytes given
// to the latest Parse and must not be used after they change. After a failed Parse
// only another Parse is allowed. Copies share room: at most one of them may be used
// for Parse again. Java: RemotingCommand.
type Header struct {
	// Code is a request code or, in an answer, a response code, as written: with
	// ROCKETMQ a 16-bit number, which requests.CodeOf completes; 0 when missing.
	Code int32
	// Language of the sender; LanguageUnknown when it has none of Java's names.
	Language LanguageCode
	// Version is the ordinal of Java's MQVersion.Version; 0 when missing.
	Version int32
	// Opaque ties an answer to its request on one connection. May be negative.
	Opaque int32
	// Flag has FlagResponse and FlagOneway; 0 when missing.
	Flag int32
	// Type is the serialization the header was written in.
	Type SerializeType

	raw                    []byte
	opaqueStart, opaqueEnd int32 // the digits (JSON) or the 4 bytes (ROCKETMQ)
	remarkStart, remarkEnd int32 // inside the quotes
	remarkEscaped          bool
	fields                 int32
	inline                 [inlineFields]extField
	more                   []extField     // fields beyond inline
	marks                  jsonscan.Marks // of raw; kept for its room
	pattern                pattern        // matches headers like the latest, or none
}

// extField is where one extField stands in raw.
type extField struct {
	name, value, valueEnd uint32
	nameSize              uint16
	marks                 fieldMarks
}

type fieldMarks uint8

const (
	nameEscaped fieldMarks = 1 << iota
	valueEscaped
	valueNull
)

// Parse reads raw, a whole header in serialization t. Errors are *FrameError of kind
// BadHeader or UnknownSerializeType. It is stricter than Java where leniency would
// let two readers see two different things: JSON members of RemotingCommand may stand
// only once and only in their exact spelling, the opaque must be there, nothing
// may follow the object, and a ROCKETMQ header must be used up by its fields.
// testdata/header-forms.txt lists what is taken and what is not.
func (h *Header) Parse(t SerializeType, raw []byte) error {
	again := t == JSON && len(raw) == h.pattern.size
	if again && h.matchPattern(raw) {
		return nil
	}
	h.pattern.Clear()
	h.pattern.size = len(raw)
	err := h.parse(t, raw)
	if again && err == nil {
		h.setPattern()
	}
	return err
}

func (h *Header) parse(t SerializeType, raw []byte) error {
	h.Code, h.Language, h.Version, h.Opaque, h.Flag = 0, LanguageUnknown, 0, 0, 0
	h.Type, h.raw = t, raw
	h.opaqueStart, h.opaqueEnd, h.remarkStart, h.remarkEnd = 0, 0, 0, 0
	h.remarkEscaped = false
	h.fields = 0
	if h.more != nil {
		h.more = nil // rare enough not to keep
	}
	if cap(h.marks) > spareMarks {
		h.marks = nil
	}
	if len(raw) > headerCeiling {
		return badHeader("too long")
	}
	switch t {
	case JSON:
		return h.parseJSON()
	case ROCKETMQ:
		return h.parseBinary()
	}
	return &FrameError{UnknownSerializeType, t.String()}
}

func badHeader(detail string) error { return &FrameError{BadHeader, detail} }

func tooManyFields(n, most int) error {
	return &FrameError{TooManyFields, strconv.Itoa(n) + " extFields, at most " + strconv.Itoa(most)}
}

// CheckFields refuses a header with more extFields than l allows, with a *FrameError.
func (h *Header) CheckFields(l Limits) error {
	if n := int(h.fields); l.MaxFields > 0 && n > l.MaxFields {
		return tooManyFields(n, l.MaxFields)
	}
	return nil
}

// newField gives room for one more field, nil when there are MaxFields.
func (h *Header) newField() *extField {
	n := h.fields
	if n < inlineFields {
		h.fields++
		return &h.inline[n]
	}
	if n == MaxFields {
		return nil
	}
	h.fields++
	h.more = append(h.more, extField{})
	return &h.more[n-inlineFields]
}

func (h *Header) field(i int) *extField {
	if i < inlineFields {
		return &h.inline[i]
	}
	return &h.more[i-inlineFields]
}

// IsResponse reports whether the frame is an answer.
func (h *Header) IsResponse() bool { return h.Flag&FlagResponse != 0 }

// IsOneway reports whether the sender declared that it wants no answer. The Go client
// does not declare it on its one-way calls.
func (h *Header) IsOneway() bool { return h.Flag&FlagOneway != 0 }

// ResponseCode is Code as a response code.
func (h *Header) ResponseCode() ResponseCode { return ResponseCode(h.Code) }

// Remark is the explanation in an answer, "" when there is none. It allocates.
func (h *Header) Remark() string {
	b := h.raw[h.remarkStart:h.remarkEnd:h.remarkEnd]
	if h.remarkEscaped {
		b = jsonscan.AppendUnescaped(nil, b)
	}
	return string(b)
}

// Trim lets go of the bytes given to the latest Parse and of room that only an unusual header needs. Afterwards only
// Parse is allowed.
func (h *Header) Trim() {
	h.raw = nil
	if h.more != nil {
		h.more = nil
	}
	if cap(h.marks) > spareMarks {
		h.marks = nil
	}
}

// Raw is the header as given to Parse.
func (h *Header) Raw() []byte { return h.raw[:len(h.raw):len(h.raw)] }

// Field returns the value of an extField; ok is false when it is absent or null. The
// value is a view of the header, or a copy when it has escapes, which costs an
// allocation. Of several fields with one name the last counts, as in Java's map. A
// number or a boolean is its JSON text. An empty ROCKETMQ value, which Java reads as
// null, is found and empty.
func (h *Header) Field(name string) (value []byte, ok bool) {
	for i := int(h.fields) - 1; i >= 0; i-- {
		f := h.field(i)
		if f.marks&nameEscaped == 0 {
			if int(f.nameSize) != len(name) {
				continue
			}
			// One byte first: most names of SEND_MESSAGE_V2 have no second one, and
			// the comparison behind is a call.
			if len(name) > 0 && h.raw[f.name] != name[0] {
				continue
			}
			if string(h.raw[f.name:f.name+uint32(f.nameSize)]) != name {
				continue
			}
		} else if !jsonscan.EqualUnescaped(h.raw[f.name:f.name+uint32(f.nameSize)], name) {
			continue
		}
		if f.marks&valueNull != 0 {
			return nil, false
		}
		return h.value(f), true
	}
	return nil, false
}

// fieldName is the name of a field as written.
func (h *Header) fieldName(f *extField) []byte {
	end := f.name + uint32(f.nameSize)
	return h.raw[f.name:end:end]
}

// isNamed reports whether a field has that name.
func (h *Header) isNamed(f *extField, name string) bool {
	if f.marks&nameEscaped != 0 {
		return jsonscan.EqualUnescaped(h.fieldName(f), name)
	}
	return string(h.fieldName(f)) == name
}

func (h *Header) value(f *extField) []byte {
	v := h.raw[f.value:f.valueEnd:f.valueEnd]
	if f.marks&valueEscaped != 0 {
		return jsonscan.AppendUnescaped(make([]byte, 0, len(v)), v)
	}
	return v
}

// IntField returns the value of an extField that holds decimal text, as Java's
// Long.parseLong reads it; ok is false when it is absent or something else.
func (h *Header) IntField(name string) (n int64, ok bool) {
	v, ok := h.Field(name)
	if !ok {
		return 0, false
	}
	return jsonscan.Int(v)
}

// Fields iterates over names and values of the extFields in the order written, with
// duplicates and without nulls. Views and copies as with Field.
func (h *Header) Fields() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for i := range int(h.fields) {
			f := h.field(i)
			if f.marks&valueNull != 0 {
				continue
			}
			name := h.fieldName(f)
			if f.marks&nameEscaped != 0 {
				name = jsonscan.AppendUnescaped(make([]byte, 0, len(name)), name)
			}
			if !yield(name, h.value(f)) {
				return
			}
		}
	}
}
