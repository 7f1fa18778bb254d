// SPDX-License-Identifier: Apache-2.0

package body

import "testing"

func TestParseGroup(t *testing.T) {
	for text, want := range map[string]string{
		`{"clientId":"c","consumerGroup":"g"}`: "g",
		`{"inner":{"consumerGroup":"g"}}`:      "",
		`{"consumerGroup":null}`:               "",
	} {
		if got, err := ParseGroup([]byte(text), "consumerGroup"); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "[]", `{"consumerGroup":5}`, `{"consumerGroup":"g"`} {
		if got, err := ParseGroup([]byte(text), "consumerGroup"); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}
