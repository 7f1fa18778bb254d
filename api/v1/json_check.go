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

// jsonCheck compares JSON with the message that it is read as and names every unknown field, every value of a wrong type
// and every oneof with several members: the JSON reader of protobuf stops at the first, and names it by a column of a text
// that the user has never seen. It removes what is wrong, so that the rest can be read.
type jsonCheck struct{ errors Errors }

// checkJSON returns what is wrong, and the text without it.
func checkJSON(text []byte, message protoreflect.MessageDescriptor) (rest []byte, errors Errors) {
	var value any
	if json.Unmarshal(text, &value) != nil {
		return text, nil // the reader will say what is wrong
	}
	var c jsonCheck
	c.message("", value, message)
	if len(c.errors) > 0 {
		if rest, err := json.Marshal(value); err == nil {
			return rest, c.errors
		}
	}
	return text, c.errors
}

// wrongSince reports whether something has been found wrong with the value at `path` itself since there were n errors.
func (c *jsonCheck) wrongSince(n int, path string) bool {
	return slices.ContainsFunc(c.errors[n:], func(e FieldError) bool { return e.Path == path })
}

// placeholderFor returns what takes the place of a value that cannot be read: the default of its type, nil for a well-known
// message.
func placeholderFor(field protoreflect.FieldDescriptor) any {
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

func (c *jsonCheck) add(path, format string, args ...any) {
	if path == "" {
		path = "the config"
	}
	c.errors = append(c.errors, FieldError{Path: path, Problem: fmt.Sprintf(format, args...)})
}

func (c *jsonCheck) message(path string, value any, message protoreflect.MessageDescriptor) {
	if wellKnown(message) {
		c.wellKnown(path, value, message)
		return
	}
	object, ok := value.(map[string]any)
	if !ok {
		c.add(path, "is %s; want an object", show(path, value))
		return
	}
	c.oneofs(path, object, message)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		inner := strings.TrimPrefix(path+"."+name, ".")
		field := message.Fields().ByJSONName(name)
		if field == nil {
			field = message.Fields().ByTextName(name)
		}
		before := len(c.errors)
		switch {
		case strings.HasPrefix(name, "@"): // the type of an Any
		case field == nil:
			c.add(inner, "is not a field; want %s", fieldNames(message))
		case object[name] == nil: // null is the default
		case field.IsMap():
		case field.IsList():
			list, ok := object[name].([]any)
			if !ok {
				c.add(inner, "is %s; want a list", show(inner, object[name]))
			}
			for i, element := range list {
				at, before := fmt.Sprintf("%s[%d]", inner, i), len(c.errors)
				if c.value(at, element, field); c.wrongSince(before, at) {
					list[i] = placeholderFor(field)
				}
			}
		default:
			c.value(inner, object[name], field)
		}
		switch {
		case !c.wrongSince(before, inner):
		case field != nil && !field.IsList() && placeholderFor(field) != nil && field.Kind() == protoreflect.MessageKind:
			object[name] = placeholderFor(field)
		default:
			delete(object, name)
		}
	}
}

// oneofs names the fields of which only one may be set, where several are.
func (c *jsonCheck) oneofs(path string, object map[string]any, message protoreflect.MessageDescriptor) {
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
			c.add(path, "has %s; want one of %s", strings.Join(set, " and "), strings.Join(all, ", "))
		}
	}
}

func (c *jsonCheck) value(path string, value any, field protoreflect.FieldDescriptor) {
	_, isString := value.(string)
	_, isNumber := value.(float64)
	_, isBool := value.(bool)
	switch field.Kind() {
	case protoreflect.MessageKind:
		c.message(path, value, field.Message())
	case protoreflect.StringKind, protoreflect.BytesKind:
		if !isString {
			c.add(path, "is %s; want a string", show(path, value))
		}
	case protoreflect.BoolKind:
		if !isBool {
			c.add(path, "is %s; want true or false", show(path, value))
		}
	case protoreflect.EnumKind:
		if text, ok := value.(string); !ok || field.Enum().Values().ByName(protoreflect.Name(text)) == nil {
			c.add(path, "is %s; want one of %s", show(path, value), valueNames(field.Enum()))
		}
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		c.unsigned(path, value)
	default:
		if !isNumber && !isNumberText(value) {
			c.add(path, "is %s; want a number", show(path, value))
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

func (c *jsonCheck) unsigned(path string, value any) {
	number, ok := value.(float64)
	if isNumberText(value) {
		return
	}
	if !ok || number < 0 || number != float64(uint64(number)) {
		c.add(path, "is %s; want a whole number from 0 on", show(path, value))
	}
}

func wellKnown(message protoreflect.MessageDescriptor) bool {
	return message.FullName().Parent() == "google.protobuf"
}

func (c *jsonCheck) wellKnown(path string, value any, message protoreflect.MessageDescriptor) {
	switch message.Name() {
	case "Duration":
		if text, ok := value.(string); !ok || !strings.HasSuffix(text, "s") {
			c.add(path, `is %s; want a duration in seconds, as "2.5s"`, show(path, value))
		}
	case "UInt32Value", "UInt64Value":
		c.unsigned(path, value)
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
