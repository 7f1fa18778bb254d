// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"
)

// guard writes what a terminal shows. What configs, servers and captures contain must not steer it, so of control
// characters only the ends of lines, tabs and this program's own sequences pass; others become question marks.
type guard struct{ to io.Writer }

func (g guard) Write(b []byte) (int, error) {
	if _, err := g.to.Write(guarded(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func guarded(b []byte) []byte {
	safe := make([]byte, 0, len(b))
	for len(b) > 0 {
		if n := ownSequence(b); n > 0 {
			safe, b = append(safe, b[:n]...), b[n:]
			continue
		}
		r, size := utf8.DecodeRune(b)
		if r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) && (r != utf8.RuneError || size > 1) {
			safe = append(safe, b[:size]...)
		} else {
			safe = append(safe, '?')
		}
		b = b[size:]
	}
	return safe
}

// ownSequence returns the length of the sequence of this program that b begins with; 0: none.
func ownSequence(b []byte) int {
	if b[0] != '\x1b' {
		return 0
	}
	for _, sequence := range ownSequences {
		if bytes.HasPrefix(b, sequence) {
			return len(sequence)
		}
	}
	return 0
}

var ownSequences = func() [][]byte {
	all := [][]byte{[]byte(clearScreen), []byte(endColour)}
	for colour := range escapes {
		all = append(all, []byte(beginColour(colour)))
	}
	return all
}()
