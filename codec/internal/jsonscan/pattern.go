// SPDX-License-Identifier: Apache-2.0

package jsonscan

// Pattern is a text and which of its bytes may be others without a change of its structure: most
// texts of one sender differ in these only. To compare a text with it costs much less than a scan.
// The zero value matches nothing.
type Pattern struct {
	text  []byte
	marks Marks
	free  []uint64 // a bit for each byte, as in Marks
}

// MinPattern is the least length of a pattern in bytes.
const MinPattern = 64

// Set makes b, of at least MinPattern bytes, the pattern; no byte is free. m are the marks of b. It keeps
// copies of both.
func (p *Pattern) Set(b []byte, m Marks) {
	p.text = append(p.text[:0], b...)
	p.marks = append(p.marks[:0], m...)
	p.free = append(p.free[:0], m...)
	clear(p.free)
}

// Clear makes a pattern that matches nothing.
func (p *Pattern) Clear() { p.text = p.text[:0] }

// Free lets the bytes of the pattern from `from` up to `to`, which are no marks, be others that are none.
func (p *Pattern) Free(from, to int) {
	for from < to {
		word := uint(from) / 64
		end := min(to, int(word+1)*64)
		p.free[word] |= ^uint64(0) >> (64 - uint(end-from)) << (uint(from) % 64)
		from = end
	}
}

// FreeText is Free for all but the escapes of the inside of a string that StringEnd accepts.
func (p *Pattern) FreeText(from, to int) {
	for from < to {
		slash, _ := p.marks.Next(p.marks.From(from))
		slash = min(slash, to)
		p.Free(from, slash)
		if from = slash; from < to {
			from = escapeEnd(p.text, slash+1)
		}
	}
}

// Matches tells whether b differs from the pattern only as it may. Then every quote and backslash of b
// has its place in the pattern, and every other byte that is not free is the pattern's.
func (p *Pattern) Matches(b []byte) bool {
	if len(b) != len(p.text) || len(b) < MinPattern {
		return false
	}
	whole, rest := len(b)/64, uint(len(b))%64
	if !alike(b, p.text, p.marks[:whole], p.free[:whole]) {
		return false
	}
	if rest == 0 {
		return true
	}
	last := func(words []uint64) []uint64 {
		return []uint64{words[whole-1]>>rest | words[whole]<<(64-rest)}
	}
	from := len(b) - 64
	return alike(b[from:], p.text[from:], last(p.marks), last(p.free))
}
