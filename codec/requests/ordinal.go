// SPDX-License-Identifier: Apache-2.0

package requests

// ordinals has a page for each 256 codes of which some are known, with ordinals plus one. Codes lie
// in a few clusters between 10 and 200151.
var ordinals = func() []*[256]uint16 {
	codes := Codes()
	pages := make([]*[256]uint16, codes[len(codes)-1]>>8+1)
	for i, c := range codes {
		if pages[c>>8] == nil {
			pages[c>>8] = new([256]uint16)
		}
		pages[c>>8][c&0xff] = uint16(i + 1)
	}
	return pages
}()

// Ordinal is the index of c in Codes(), for tables; ok is false when c is not known. The
// ordinal of a code is another one in a version that knows other codes.
func (c Code) Ordinal() (n int, ok bool) {
	page := uint32(c) >> 8
	if page >= uint32(len(ordinals)) || ordinals[page] == nil {
		return 0, false
	}
	n = int(ordinals[page][c&0xff])
	return n - 1, n > 0
}
