// SPDX-License-Identifier: Apache-2.0

package lbmetadata

import (
	"fmt"
	"math"
	"testing"
)

func TestValuesAreEqualByTypeAndContent(t *testing.T) {
	different := []any{
		nil, true, false, 0.0, 1.0, 1.5, "", "0", "1", "true", "null",
		[]any{},
		[]any{"a"},
		[]any{"a", "b"},
		[]any{"b", "a"},
		map[string]any{},
		map[string]any{"a": 1.0},
		map[string]any{"a": "1"},
	}
	for i, a := range different {
		for j, b := range different {
			x, errX := NewValue(a)
			y, errY := NewValue(b)
			if errX != nil || errY != nil {
				t.Fatal(errX, errY)
			}
			if (x == y) != (i == j) {
				t.Errorf("%#v and %#v: %s and %s", a, b, x, y)
			}
		}
	}
	for name, same := range map[string][2]any{
		"a whole number is a number": {4.0, 4},
		"minus zero is zero":         {math.Copysign(0, -1), 0.0},
		"keys have no order":         {map[string]any{"a": 1.0, "b": 2.0}, map[string]any{"b": 2.0, "a": 1.0}},
	} {
		x, _ := NewValue(same[0])
		y, _ := NewValue(same[1])
		if x != y {
			t.Errorf("%s: %s and %s", name, x, y)
		}
	}
}

func TestWhatHasNoJSONIsAnError(t *testing.T) {
	if v, err := NewValue(math.NaN()); err == nil {
		t.Errorf("got %s", v)
	}
	if c, err := NewCriteria(map[string]any{"k": math.Inf(1)}); err == nil {
		t.Errorf("got %v", c)
	}
}

func TestCriteriaAreSortedByKey(t *testing.T) {
	got, err := NewCriteria(map[string]any{"b": "x", "a": 1.0, "c": []any{true}})
	if err != nil || fmt.Sprint(got) != `[{a 1} {b "x"} {c [true]}]` {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := NewCriteria(nil); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}
