// SPDX-License-Identifier: Apache-2.0

package jsonscan

// mark sets words to the marks of b, which has 64 bytes at least for each word.
func mark(words []uint64, b []byte) {
	_ = b[64*len(words)-1]
	markBlocks(&words[0], &b[0], len(words))
}

// alike tells whether b, with its first 64 bytes for each word of marks, has just these marks and
// differs from text only where free has bits.
func alike(b, text []byte, marks, free []uint64) bool {
	_, _, _ = b[64*len(marks)-1], text[64*len(marks)-1], free[len(marks)-1]
	return alikeBlocks(&b[0], &text[0], &marks[0], &free[0], len(marks))
}

// markBlocks is mark for `blocks` words, at least one.
//
//go:noescape
func markBlocks(words *uint64, b *byte, blocks int)

// alikeBlocks is alike for `blocks` words, at least one.
//
//go:noescape
func alikeBlocks(b, text *byte, marks, free *uint64, blocks int) bool
