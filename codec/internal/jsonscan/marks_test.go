// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"slices"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// naive gives the places that Marks must give.
func naive(b []byte) (places []int) {
	for i, c := range b {
		if c == '"' || c == '\\' {
			places = append(places, i)
		}
	}
	return places
}

func placesOf(m Marks, b []byte, from int) (places []int) {
	for c := m.From(from); ; {
		var i int
		if i, c = m.Next(c); i >= len(b) {
			return places
		}
		places = append(places, i)
	}
}

func TestMarksAreAllQuotesAndBackslashes(t *testing.T) {
	var m Marks
	for n := range 300 {
		b := make([]byte, n)
		for i := range b {
			// Neighbours of both bytes, and both with their high bit set.
			b[i] = "\"\\!#[]\xa2\xdc\x00\xffax"[(i*7+n*i/5+n)%12]
		}
		m = m.Find(b)
		want := naive(b)
		for from := range n + 1 {
			for len(want) > 0 && want[0] < from {
				want = want[1:]
			}
			if got := placesOf(m, b, from); !slices.Equal(got, want) {
				t.Fatalf("%q from %d: got %v, want %v", b, from, got, want)
			}
		}
	}
}

func TestMarksKeepTheirRoom(t *testing.T) {
	long, short := []byte(strings.Repeat(`"x\`, 100)), []byte(`"`)
	m := Marks(nil).Find(long)
	if n := testing.AllocsPerRun(10, func() { m = m.Find(short).Find(long) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if got := placesOf(m.Find(short), short, 0); !slices.Equal(got, []int{0}) {
		t.Errorf("got %v", got)
	}
}

func TestMarksFindTheEndsOfStrings(t *testing.T) {
	for _, s := range []string{
		`"`, `a"`, `\"`, `\""`, `\\"`, `\\\""`, `\u0001"`, `\u0003\u0004\u000a\u000G"`, `\u000`, `\u000"`, `\u00e9\n\/\'"x"`, `\x"`, `a`, ``,
		strings.Repeat("x", 70) + `\\` + strings.Repeat("y", 70) + `"`, strings.Repeat(`\"`, 64) + `"`,
	} {
		for before := range 130 {
			b := []byte(strings.Repeat("-", before) + s)
			end, escaped := StringEnd(b, before, '"')
			gotEnd, gotEscaped := Marks(nil).Find(b).StringEnd(b, before)
			if gotEnd != end || end >= 0 && gotEscaped != escaped {
				t.Errorf("%q: got %d, %v, want %d, %v", b, gotEnd, gotEscaped, end, escaped)
			}
		}
	}
}

func FuzzMarks(f *testing.F) {
	f.Add([]byte(`a\u0001\"b\\"c"`), 0)
	f.Add([]byte(strings.Repeat(`\u0002 key "`, 20)), 65)
	storm.Fuzz(f, func(t *testing.T, b []byte, from int) {
		if from < 0 || from > len(b) {
			return
		}
		m := Marks(nil).Find(b)
		want, _ := StringEnd(b, from, '"')
		if got, _ := m.StringEnd(b, from); got != want {
			t.Fatalf("the end of %q from %d: got %d, want %d", b, from, got, want)
		}
		if got := placesOf(m, b, 0); !slices.Equal(got, naive(b)) {
			t.Fatalf("%q: got %v", b, got)
		}
	})
}
