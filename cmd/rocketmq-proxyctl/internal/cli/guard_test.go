// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"testing"
)

func TestNothingForeignSteersTheTerminal(t *testing.T) {
	for text, want := range map[string]string{
		"plain, é 中\tand\n":                          "plain, é 中\tand\n",
		"\x1b]0;title\x07\x1b[5m\x1b[3A\r\b\x00\x7f": "?]0;title??[5m?[3A????",
		"\u009b31m\u202e\xff\xc3":                    "?31m???",
		"\x1b[31mred\x1b[0m \x1b[H\x1b[2J":           "\x1b[31mred\x1b[0m \x1b[H\x1b[2J",
		"\x1b":                                       "?",
		"":                                           "",
	} {
		var b bytes.Buffer
		if n, err := (guard{&b}).Write([]byte(text)); n != len(text) || err != nil || b.String() != want {
			t.Errorf("%q: got %q, %d, %v; want %q", text, b.String(), n, err, want)
		}
	}
}

func TestErrorsDoNotSteerTheTerminal(t *testing.T) {
	if status, out, errs := run(t, nil, "check", "no\x1b[2Jfile\r"); status != 2 || out != "" || bytes.ContainsAny([]byte(errs), "\x1b\r") {
		t.Errorf("status %d: %q, %q", status, out, errs)
	}
}
