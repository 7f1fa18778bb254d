// SPDX-License-Identifier: Apache-2.0

package logline

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestForeignTextIsQuotedWhateverTheVerb(t *testing.T) {
	forged := "fine\n[2026-11-30 10:00:00.000][1][critical] rocketmq_proxy: \x1b[31mpanic\u202e\xff"
	const quoted = `"fine\n[2026-11-30 10:00:00.000][1][critical] rocketmq_proxy: \x1b[31mpanic\u202e\xff"`
	for _, verb := range []string{"%s", "%v", "%q", "%x", "%d"} {
		for _, argument := range []any{forged, errors.New(forged), []byte(nil), &forged, netip.MustParseAddr("10.0.0.1")} {
			got := Format("a "+verb+" z", argument)
			text, ok := strings.CutPrefix(got, `a "`)
			if !ok || !strings.HasSuffix(text, `" z`) || strings.ContainsFunc(got, hidden) {
				t.Errorf("%s of %T: %s", verb, argument, got)
			}
		}
		if got := Format("a "+verb+" z", errors.New(forged)); got != "a "+quoted+" z" {
			t.Errorf("%s: got %s", verb, got)
		}
	}
}

func TestNumbersAndOwnTextsAreNotQuoted(t *testing.T) {
	if got := Format("%d of %v: %s after %v", 3, int64(4), Own("done"), time.Second); got != "3 of 4: done after 1s" {
		t.Errorf("got %s", got)
	}
}

func TestALineIsBounded(t *testing.T) {
	long := strings.Repeat("é", 200<<10)
	got := Format("the name server says %v, and %v", errors.New(long), long)
	if want := 2*(MaxForeign+len(`""...(409088 more)`)) + len("the name server says , and "); len(got) != want || !utf8.ValidString(got) {
		t.Errorf("%d bytes, want %d: %s", len(got), want, got)
	}
	many := make([]any, 100)
	for i := range many {
		many[i] = strings.Repeat("\n", MaxForeign)
	}
	if got := Format(strings.Repeat("%v", len(many)), many...); len(got) > MaxLine+20 || strings.Contains(got, "\n") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestEscapeMakesOneLine(t *testing.T) {
	for _, test := range []struct {
		text string
		most int
		want string
	}{
		{`policy.rules[0] is "é"; want é`, 100, `policy.rules[0] is "é"; want é`},
		{"a\nb\tc\x00\x1b[1m\u009b\xff", 100, `a\nb\tc\x00\x1b[1m\u009b\xff`},
		{"0123456789ü", 11, "0123456789...(2 more)"},
		{"", 100, ""},
	} {
		if got := Escape(test.text, test.most); got != test.want {
			t.Errorf("%q: got %s, want %s", test.text, got, test.want)
		}
	}
}
