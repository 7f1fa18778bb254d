// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

// Marks are the places of all double quotes and backslashes of a text: bit i of word n stands for
// byte 64n+i. One more word ends them with the bit of a place at or behind the end of the text.
// Finding all of them at once costs a fraction of looking for the end of each string.
type Marks []uint64

// Cursor is a place among Marks.
type Cursor struct {
	left uint64 // the marks not passed yet of the current word
	base int    // the place of that word's bit 0
}

// Find gives the marks of b in the room of m, or in new room where that is too small.
func (m Marks) Find(b []byte) Marks {
	whole, rest := len(b)/64, len(b)%64
	words := (len(b) + 63) / 64
	if cap(m) <= words {
		m = make(Marks, words+1)
	}
	m = m[:words+1]
	if whole > 0 {
		mark(m[:whole], b)
	}
	switch {
	case rest == 0:
	case whole > 0: // the last 64 bytes, without those that are done
		mark(m[whole:words], b[len(b)-64:])
		m[whole] >>= 64 - rest
	default:
		var padded [64]byte
		copy(padded[:], b)
		mark(m[:1], padded[:])
	}
	m[words] = 1
	return m
}

// From gives the cursor before the first mark at or behind place i of the text, which has i bytes at least.
func (m Marks) From(i int) Cursor {
	skip := uint(i) % 64
	return Cursor{m[uint(i)/64] >> skip << skip, i - int(skip)}
}

// Next gives the place of the next mark; one at or behind the end of the text means that there is
// none, and then c must not be used any more.
func (m Marks) Next(c Cursor) (place int, behind Cursor) {
	for c.left == 0 {
		c.base += 64
		c.left = m[uint(c.base)/64]
	}
	return c.base + bits.TrailingZeros64(c.left), Cursor{c.left & (c.left - 1), c.base}
}

// Pass goes past the next mark, of which the caller knows that there is one.
func (m Marks) Pass(c Cursor) Cursor {
	for c.left == 0 {
		c.base += 64
		c.left = m[uint(c.base)/64]
	}
	return Cursor{c.left & (c.left - 1), c.base}
}

// StringEnd is the function StringEnd for a double-quoted string of the text b.
func (m Marks) StringEnd(b []byte, i int) (end int, escaped bool) {
	end, c := m.Next(m.From(i))
	if end < len(b) && b[end] == '\\' {
		escaped = true
		end, _ = m.EscapedEnd(b, end, c)
	}
	if end >= len(b) {
		return -1, escaped
	}
	return end, escaped
}

// EscapedEnd gives the place of the quote that ends the string whose first backslash is b[i], the
// mark before c; or len(b) if there is none or an escape is malformed.
func (m Marks) EscapedEnd(b []byte, i int, c Cursor) (end int, behind Cursor) {
	for i < len(b) && b[i] == '\\' {
		// Most are the \u0001 and \u0002 that separate properties.
		if i+8 > len(b) || binary.LittleEndian.Uint64(b[i:])&0xfcffffffffff != 0x30303030755c {
			next := escapeEnd(b, i+1)
			if next < 0 {
				return len(b), c
			}
			if next == i+2 && (b[i+1] == '"' || b[i+1] == '\\') {
				c = m.Pass(c) // the escaped byte
			}
		}
		i, c = m.Next(c)
	}
	return i, c
}
