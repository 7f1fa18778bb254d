// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"math/rand/v2"
	"testing"
)

// mayDiffer is what a pattern promises, byte by byte.
func mayDiffer(text, b []byte, free []bool) bool {
	isMark := func(c byte) bool { return c == '"' || c == '\\' }
	if len(b) != len(text) {
		return false
	}
	for i, c := range b {
		if c != text[i] && (!free[i] || isMark(c) || isMark(text[i])) {
			return false
		}
	}
	return true
}

func TestPatternMatchesWhatDiffersInFreeBytesOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var p Pattern
	for range 3000 {
		text := make([]byte, MinPattern+r.IntN(150))
		free := make([]bool, len(text))
		for i := range text {
			text[i] = "\"\\!#[]\xa2\xdc\x00\xffaxyz0123456789"[r.IntN(24)]
		}
		p.Set(text, Marks(nil).Find(text))
		for range r.IntN(4) {
			from := r.IntN(len(text))
			to := from + r.IntN(len(text)-from+1)
			p.Free(from, to)
			for i := from; i < to; i++ {
				free[i] = true
			}
		}
		if !p.Matches(text) || p.Matches(text[1:]) || p.Matches(append(text, 'x')) {
			t.Fatalf("%q does not match itself, or matches another length", text)
		}
		for range 50 {
			b := append([]byte(nil), text...)
			for range 1 + r.IntN(3) {
				b[r.IntN(len(b))] = "\"\\a\x00\xa2"[r.IntN(5)]
			}
			swapped := false // a quote for a backslash: of marks only their places are promised
			for i := range b {
				swapped = swapped || free[i] && b[i] != text[i] && (text[i] == '"' || text[i] == '\\')
			}
			if got, want := p.Matches(b), mayDiffer(text, b, free); got != want && !swapped {
				t.Fatalf("%q after %q, free %v: got %v", b, text, free, got)
			}
		}
	}
	p.Clear()
	if p.Matches(nil) || p.Matches(make([]byte, MinPattern)) {
		t.Error("a cleared pattern matches")
	}
}

func TestFreeTextKeepsEscapes(t *testing.T) {
	text := []byte(`{"a":"key\u0001\"x\\\\\u00e9 and a text that goes beyond the first sixty-four bytes\n","b":""}`)
	var p Pattern
	p.Set(text, Marks(nil).Find(text))
	end, _ := StringEnd(text, 6, '"')
	p.FreeText(6, end)
	p.FreeText(len(text)-2, len(text)-2)
	kept := map[int]bool{}
	for i := 6; i < end; i++ {
		if text[i] == '\\' {
			for next := escapeEnd(text, i+1); i < next; i++ {
				kept[i] = true
			}
			i--
		}
	}
	for i := range text {
		b := append([]byte(nil), text...)
		b[i] ^= 0x01
		if want := i >= 6 && i < end && !kept[i]; p.Matches(b) != want {
			t.Errorf("byte %d (%q) of %q: got %v", i, text[i], text, !want)
		}
	}
}
