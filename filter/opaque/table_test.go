// SPDX-License-Identifier: Apache-2.0

package opaque

import (
	"maps"
	"math/rand/v2"
	"testing"
)

type value struct {
	n    int64
	text string
}

// A table does what a map does, whatever the order of what happens to it.
func TestTableIsAMap(t *testing.T) {
	for round := range uint64(200) {
		r := rand.New(rand.NewPCG(round, 1))
		table, want := &Table[value]{}, map[int32]int64{}
		opaques := 1 + r.IntN(3000)
		for range 20_000 {
			opaque := int32(r.IntN(opaques)) << (round % 20) // and far apart
			switch r.IntN(5) {
			case 0, 1:
				n := r.Int64()
				table.Put(opaque).n = n
				want[opaque] = n
			default:
				table.Remove(opaque)
				delete(want, opaque)
			}
			n, wanted := want[opaque]
			if v := table.Get(opaque); (v != nil) != wanted || table.Has(opaque) != wanted || wanted && v.n != n {
				t.Fatalf("round %d: %d is %v; want %v, %v", round, opaque, v, n, wanted)
			}
		}
		compare(t, table, want)
		for opaque := range table.All() { // what is given may be taken out
			table.Remove(opaque)
		}
		compare(t, table, nil)
	}
}

func compare(t *testing.T, table *Table[value], want map[int32]int64) {
	t.Helper()
	got := map[int32]int64{}
	for opaque, v := range table.All() {
		got[opaque] = v.n
	}
	if !maps.Equal(got, want) || table.Len() != len(want) {
		t.Fatalf("%d values, size %d; want %d", len(got), table.Len(), len(want))
	}
	for opaque := range want {
		if !table.Has(opaque) {
			t.Fatalf("%d is not found", opaque)
		}
	}
}

func TestTableGivesMuchMemoryBack(t *testing.T) {
	var table Table[value]
	for opaque := range int32(5000) {
		table.Put(opaque)
	}
	for opaque := range int32(5000) {
		table.Remove(opaque)
	}
	if table.entries != nil || table.slots != nil {
		t.Errorf("an empty table keeps %d entries", len(table.entries))
	}
}

func TestAValueThatIsReplacedTakesNoMoreMemory(t *testing.T) {
	var table Table[value]
	for opaque := range int32(minSlots / 2) {
		table.Put(opaque)
	}
	before := table.Bytes()
	table.Get(0).n = 1
	table.Put(0).text = "t"
	if got := table.Get(0); *got != (value{text: "t"}) || table.Bytes() != before || table.Len() != minSlots/2 {
		t.Errorf("%d values take %d bytes, want %d", table.Len(), table.Bytes(), before)
	}
}
