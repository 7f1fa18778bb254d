// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// shape compares JSON with the message it shall become and names every unknown field, every value of a
// wrong type and every oneof with several members: the JSON reader of protobuf stops at the first, and
// names it by a column of a text that the user has never seen. What is wrong it takes out, so that the rest can be read.
type shape struct{ errors Errors }

// shapeErrors gives what is wrong, and the text without that.
func shapeErrors(text []byte, message protoreflect.MessageDescriptor) (rest []byte, errors Errors) {
	var value any
	if json.Unmarshal(text, &value) != nil {
		return text, nil // the reader will say what is wrong
	}
	var s shape
	s.message("", value, message)
	if len(s.errors) > 0 {
		if rest, err := json.Marshal(value); err == nil {
			return rest, s.errors
		}
	}
	return text, s.errors
}

// wrongSince tells whether something has been found wrong with the value at `path` itself since there were n errors.
func (s *shape) wrongSince(n int, path string) bool {
	return slices.ContainsFunc(s.errors[n:], func(e FieldError) bool { return e.Path == path })
}

// instead is what stands for a value that cannot be read: nothing of a message, and of another kind what is the default.
func instead(field protoreflect.FieldDescriptor) any {
	switch field.Kind() {
	case protoreflect.MessageKind:
		if wellKnown(field.Message()) {
			return nil
		}
		return map[string]any{}
	case protoreflect.StringKind, protoreflect.BytesKind:
		return ""
	case protoreflect.BoolKind:
		return false
	}
	return 0
}

func (s *shape) add(path, format string, args ...any) {
	if path == "" {
		path = "the config"
	}
	s.errors = append(s.errors, FieldError{Path: path, Problem: fmt.Sprintf(format, args...)})
}

func (s *shape) message(path string, value any, message protoreflect.MessageDescriptor) {
	if wellKnown(message) {
		s.wellKnown(path, value, message)
		return
	}
	object, ok := value.(map[string]any)
	if !ok {
		s.add(path, "is %s; want an object", show(path, value))
		return
	}
	s.oneofs(path, object, message)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		inner := strings.TrimPrefix(path+"."+name, ".")
		field := message.Fields().ByJSONName(name)
		if field == nil {
			field = message.Fields().ByTextName(name)
		}
		before := len(s.errors)
		switch {
		case strings.HasPrefix(name, "@"): // the type of an Any
		case field == nil:
			s.add(inner, "is not a field; want %s", fieldNames(message))
		case object[name] == nil: // null is the default
		case field.IsMap():
		case field.IsList():
			list, ok := object[name].([]any)
			if !ok {
				s.add(inner, "is %s; want a list", show(inner, object[name]))
			}
			for i, element := range list {
				place, before := fmt.Sprintf("%s[%d]", inner, i), len(s.errors)
				if s.value(place, element, field); s.wrongSince(before, place) {
					list[i] = instead(field)
				}
			}
		default:
			s.value(inner, object[name], field)
		}
		switch {
		case !s.wrongSince(before, inner):
		case field != nil && !field.IsList() && instead(field) != nil && field.Kind() == protoreflect.MessageKind:
			object[name] = instead(field)
		default:
			delete(object, name)
		}
	}
}

// oneofs names the fields of which only one may be set, where several are.
func (s *shape) oneofs(path string, object map[string]any, message protoreflect.MessageDescriptor) {
	for i := range message.Oneofs().Len() {
		var all, set []string
		fields := message.Oneofs().Get(i).Fields()
		for j := range fields.Len() {
			name := string(fields.Get(j).Name())
			all = append(all, name)
			if object[name] != nil || object[fields.Get(j).JSONName()] != nil {
				set = append(set, name)
			}
		}
		if len(set) > 1 {
			s.add(path, "has %s; want one of %s", strings.Join(set, " and "), strings.Join(all, ", "))
		}
	}
}

func (s *shape) value(path string, value any, field protoreflect.FieldDescriptor) {
	_, isString := value.(string)
	_, isNumber := value.(float64)
	_, isBool := value.(bool)
	switch field.Kind() {
	case protoreflect.MessageKind:
		s.message(path, value, field.Message())
	case protoreflect.StringKind, protoreflect.BytesKind:
		if !isString {
			s.add(path, "is %s; want a string", show(path, value))
		}
	case protoreflect.BoolKind:
		if !isBool {
			s.add(path, "is %s; want true or false", show(path, value))
		}
	case protoreflect.EnumKind:
		if text, ok := value.(string); !ok || field.Enum().Values().ByName(protoreflect.Name(text)) == nil {
			s.add(path, "is %s; want one of %s", show(path, value), valueNames(field.Enum()))
		}
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		s.unsigned(path, value)
	default:
		if !isNumber && !isNumberText(value) {
			s.add(path, "is %s; want a number", show(path, value))
		}
	}
}

// isNumberText tells whether a value is a number as text, which the reader takes too.
func isNumberText(value any) bool {
	text, ok := value.(string)
	if !ok {
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

func (s *shape) unsigned(path string, value any) {
	number, ok := value.(float64)
	if isNumberText(value) {
		return
	}
	if !ok || number < 0 || number != float64(uint64(number)) {
		s.add(path, "is %s; want a whole number from 0 on", show(path, value))
	}
}

func wellKnown(message protoreflect.MessageDescriptor) bool {
	return message.FullName().Parent() == "google.protobuf"
}

func (s *shape) wellKnown(path string, value any, message protoreflect.MessageDescriptor) {
	switch message.Name() {
	case "Duration":
		if text, ok := value.(string); !ok || !strings.HasSuffix(text, "s") {
			s.add(path, `is %s; want a duration in seconds, as "2.5s"`, show(path, value))
		}
	case "UInt32Value", "UInt64Value":
		s.unsigned(path, value)
	}
}

// show gives a value as the user wrote it, or at least its kind; never one that may be a secret.
func show(path string, value any) string {
	if strings.Contains(path, "credentials") {
		return "something else"
	}
	switch value.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "unreadable"
	}
	return string(text)
}

func fieldNames(message protoreflect.MessageDescriptor) string {
	var names []string
	for i := range message.Fields().Len() {
		names = append(names, string(message.Fields().Get(i).Name()))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func valueNames(enum protoreflect.EnumDescriptor) string {
	var names []string
	for i := range enum.Values().Len() {
		names = append(names, string(enum.Values().Get(i).Name()))
	}
	return strings.Join(names, ", ")
}
