// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package jsonscan

import "encoding/binary"

// mark sets words to the marks of b, which has 64 bytes at least for each word.
func mark(words []uint64, b []byte) {
	for n := range words {
		var m uint64
		for i := 0; i < 64; i += 8 {
			m |= mark8(binary.LittleEndian.Uint64(b[64*n+i:])) << i
		}
		words[n] = m
	}
}

// alike tells whether b, with its first 64 bytes for each word of marks, has just these marks and
// differs from text only where free has bits.
func alike(b, text []byte, marks, free []uint64) bool {
	for n := range marks {
		for i := 0; i < 64; i += 8 {
			w := binary.LittleEndian.Uint64(b[64*n+i:])
			v := binary.LittleEndian.Uint64(text[64*n+i:])
			if w != v && (mark8(w) != marks[n]>>i&0xff || nonzero8(w^v)&^(free[n]>>i) != 0) {
				return false
			}
		}
	}
	return true
}

// mark8 gives the marks of eight bytes as bits 0 to 7.
func mark8(w uint64) uint64 {
	return ^(nonzero8(w^'"'*lowBits) & nonzero8(w^'\\'*lowBits)) & 0xff
}

// nonzero8 gives which of eight bytes are not zero as bits 0 to 7.
func nonzero8(w uint64) uint64 {
	const seven = 0x7f * lowBits
	return (w&seven + seven | w) & highBits >> 7 * 0x0102040810204080 >> 56
}
