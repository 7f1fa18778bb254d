// SPDX-License-Identifier: Apache-2.0

package body

import "slices"

// edit replaces the range of a body with other text.
type edit struct {
	span
	text []byte
}

// edits collects changes of one body. They must not overlap.
type edits []edit

// apply gives the changed text, in one allocation, or src itself when nothing changes.
func (e edits) apply(src []byte) []byte {
	if len(e) == 0 {
		return src
	}
	slices.SortFunc(e, func(a, b edit) int { return a.from - b.from })
	size := len(src)
	for _, x := range e {
		size += len(x.text) - (x.to - x.from)
	}
	dst := make([]byte, 0, size)
	at := 0
	for _, x := range e {
		dst = append(dst, src[at:x.from]...)
		dst = append(dst, x.text...)
		at = x.to
	}
	return append(dst, src[at:]...)
}

// item is an element of an array or a member of an object that may have to go.
type item struct {
	span
	gone bool
}

// remove takes the items marked gone out of their list, each with one comma.
func (e *edits) remove(list []item) {
	kept := false // an item before this one stays
	for i, x := range list {
		switch {
		case !x.gone:
			kept = true
		case kept:
			*e = append(*e, edit{span: span{list[i-1].to, x.to}})
		case i+1 < len(list):
			*e = append(*e, edit{span: span{x.from, list[i+1].from}})
		default:
			*e = append(*e, edit{span: x.span})
		}
	}
}
