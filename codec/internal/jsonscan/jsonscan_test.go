// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

func TestStringEndFindsTheQuoteAtEveryOffset(t *testing.T) {
	for n := range 40 {
		for _, tail := range []string{`"`, `" more "text"`} {
			s := strings.Repeat("x", n) + tail
			if end, escaped := StringEnd([]byte(s), 0, '"'); end != n || escaped {
				t.Errorf("%q: got %d, %v", s, end, escaped)
			}
		}
		s := strings.Repeat("é", n) + `\"\\\u12aF` + strings.Repeat("'", n) + `"`
		if end, escaped := StringEnd([]byte(s), 0, '"'); end != len(s)-1 || !escaped {
			t.Errorf("%q: got %d, %v", s, end, escaped)
		}
		for cut := range s {
			if end, _ := StringEnd([]byte(s[:cut]), 0, '"'); end >= 0 {
				t.Errorf("%q cut at %d: got %d", s, cut, end)
			}
		}
	}
}

func TestEqualUnescapedComparesTexts(t *testing.T) {
	for _, tt := range []struct {
		s, text string
		want    bool
	}{
		{`\u0062name`, "bname", true},
		{`\u0062\u006e\u0061\u006d\u0065`, "bname", true},
		{`\u0062name`, "cname", false},
		{`\u0062`, "bname", false},
		{`\n`, "\n", true},
		{`\ud83d\ude00`, "😀", true},
		{strings.Repeat(`\u0061`, 100), strings.Repeat("a", 100), true},
		{``, "", true},
	} {
		if got := EqualUnescaped([]byte(tt.s), tt.text); got != tt.want {
			t.Errorf("%q and %q: got %v", tt.s, tt.text, got)
		}
	}
}

func TestIntReadsWhatJavaReads(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "-0": 0, "+7": 7, "007": 7, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63,
	} {
		if got, ok := Int([]byte(s)); !ok || got != want {
			t.Errorf("%q: got %d, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "-", "+", "1.0", "1e3", " 1", "1 ", "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "18446744073709551616", "x"} {
		if got, ok := Int([]byte(s)); ok {
			t.Errorf("%q: got %d", s, got)
		}
	}
}

func TestFastjsonDialectIsWider(t *testing.T) {
	for _, s := range []string{
		`{0:"a",-1:"b",x_y.z$:1}`, `{{"a":{1:2}}:{"b":[]},[1]:2}`, `{'a':'b"c'}`, `[{"":[]}]`,
	} {
		if end := Skip([]byte(s), 0, 0, Fastjson); end != len(s) {
			t.Errorf("%s: got %d", s, end)
		}
	}
	for _, s := range []string{`{0:"a"}`, `{'a':1}`, `['a']`, `{{}:1}`} {
		if end := Skip([]byte(s), 0, 0, Strict); end >= 0 {
			t.Errorf("%s: got %d", s, end)
		}
	}
	for _, s := range []string{``, `{`, `{:1}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[,1]`, `{"a" 1}`, `[1 2]`, `tru`, `-`, `01x`, `.5`, `"`, `{a b:1}`} {
		for _, d := range []Dialect{Strict, Fastjson} {
			if end := Skip([]byte(s), 0, 0, d); end == len(s) {
				t.Errorf("%q is accepted", s)
			}
		}
	}
}

// FuzzSkip compares the strict dialect with encoding/json, and strings both ways.
func FuzzSkip(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e+7,true,null,"\u00e9\n"]}`, `"x"`, `{0:{{"a":1}:2}}`, "\"\x01\"", `""`, `-0`} {
		f.Add([]byte(s))
	}
	storm.Fuzz(f, func(t *testing.T, b []byte) {
		i := Space(b, 0)
		end := Skip(b, i, 0, Strict)
		all := end >= 0 && Space(b, end) == len(b)
		// Raw control bytes and depth are the differences meant.
		if control := strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' }); !control {
			deep := strings.Count(string(b), "[")+strings.Count(string(b), "{") > MaxDepth
			quote := strings.Contains(string(b), `\'`) // fastjson's own escape
			if valid := json.Valid(b); valid != all && !deep && !quote {
				t.Fatalf("encoding/json says %v, Skip says %v for %q", valid, all, b)
			}
		}
		if wide := Skip(b, i, 0, Fastjson); end >= 0 && wide != end {
			t.Fatalf("strict %d, fastjson %d for %q", end, wide, b)
		}
		text := string(b)
		quoted := AppendString(nil, text)
		if at, _ := StringEnd(quoted, 1, '"'); at != len(quoted)-1 {
			t.Fatalf("%q ends at %d", quoted, at)
		}
		if got := string(AppendUnescaped(nil, quoted[1:len(quoted)-1])); got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
		if !EqualUnescaped(quoted[1:len(quoted)-1], text) {
			t.Fatalf("%q differs from %q", quoted, text)
		}
	})
}
