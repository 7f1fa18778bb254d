// SPDX-License-Identifier: Apache-2.0

package requests

// unlisted is the row of codes without one.
var unlisted = Type{Class: Unlisted, Broker: IfNamed, Fields: adminFields, Ordinal: -1}

// pages has the rows by code: a page for each 256 codes of which some are known. Codes lie in a few clusters between 10
// and 200151.
var pages = func() []*[256]*Type {
	pages := make([]*[256]*Type, Table[len(Table)-1].Code>>8+1)
	for i := range Table {
		t := &Table[i]
		t.Ordinal = i
		t.complete()
		page := &pages[t.Code>>8]
		if *page == nil {
			*page = new([256]*Type)
		}
		(*page)[t.Code&0xff] = t
	}
	return pages
}()

// complete sets the columns that follow from others where a row leaves them out.
func (t *Type) complete() {
	if t.Fields == nil {
		t.Fields = adminFields
		if t.Effect == ClientTraffic {
			t.Fields = clientFields
		}
	}
	if t.Broker == NoBroker {
		switch t.Class {
		case Named:
			t.Broker = ByName
		case AddressOnly:
			t.Broker = ByAddress
		}
	}
}

// Of returns the row of a code. Codes without one share a row of class Unlisted.
func Of(code Code) *Type {
	if page := uint32(code) >> 8; page < uint32(len(pages)) && pages[page] != nil {
		if t := pages[page][code&0xff]; t != nil {
			return t
		}
	}
	return &unlisted
}
