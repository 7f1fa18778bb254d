// SPDX-License-Identifier: Apache-2.0

// Package lbmetadata holds values of Envoy's filter metadata "envoy.lb" in a form that can be compared:
// what a route asks for (api/routeconfig) and what an endpoint has (filter/envoyadmin).
package lbmetadata

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Value is a google.protobuf.Value as JSON with sorted keys. Two are the same text exactly when Envoy
// takes the values for equal (ValueUtil::equal): the number 0 is not the string "0".
type Value string

// NewValue takes what encoding/json or structpb's AsInterface give: nil, bool, float64, string, and
// slices and maps of those. Anything that has no JSON is an error.
func NewValue(v any) (Value, error) {
	if v == 0.0 {
		v = 0.0 // -0, which is equal to it but has a text of its own
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("a metadata value: %w", err)
	}
	return Value(text), nil
}

// Criterion is a key of the metadata and the value that an endpoint must have for it.
type Criterion struct {
	Key   string
	Value Value
}

// Criteria are sorted by key, and no key comes twice. Nil and empty mean the same: nothing is asked for.
type Criteria []Criterion

// NewCriteria makes criteria of the fields of a google.protobuf.Struct.
func NewCriteria(fields map[string]any) (Criteria, error) {
	criteria := make(Criteria, 0, len(fields))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		value, err := NewValue(fields[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		criteria = append(criteria, Criterion{Key: key, Value: value})
	}
	return criteria, nil
}
