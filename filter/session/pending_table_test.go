// SPDX-License-Identifier: Apache-2.0

package session

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// A table does what a map does, whatever the order of what happens to it.
func TestPendingTableIsAMap(t *testing.T) {
	for round := range uint64(200) {
		r := rand.New(rand.NewPCG(round, 1))
		table, want := &pendingTable{}, map[int32]Instant{}
		opaques := 1 + r.IntN(3000)
		for range 20_000 {
			opaque := int32(r.IntN(opaques)) << (round % 20) // and far apart
			switch r.IntN(5) {
			case 0, 1:
				at := Instant(r.Int64())
				table.set(opaque, pending{start: at})
				want[opaque] = at
			default:
				table.remove(opaque)
				delete(want, opaque)
			}
			if p, ok := table.get(opaque); ok != table.has(opaque) || p.start != want[opaque] {
				t.Fatalf("round %d: %d is %v, %v; want %v", round, opaque, p.start, ok, want[opaque])
			}
		}
		compare(t, table, want)
		for opaque := range table.all() { // what is given may be taken out
			table.remove(opaque)
		}
		compare(t, table, nil)
	}
}

func compare(t *testing.T, table *pendingTable, want map[int32]Instant) {
	t.Helper()
	got := map[int32]Instant{}
	for opaque, p := range table.all() {
		got[opaque] = p.start
	}
	if !maps.Equal(got, want) || table.size() != len(want) {
		t.Fatalf("%d requests, size %d; want %d", len(got), table.size(), len(want))
	}
	for opaque := range want {
		if !table.has(opaque) {
			t.Fatalf("%d is not found", opaque)
		}
	}
}

func TestPendingTableGivesLargeRoomBack(t *testing.T) {
	var table pendingTable
	for opaque := range int32(5000) {
		table.set(opaque, pending{})
	}
	for opaque := range int32(5000) {
		table.remove(opaque)
	}
	if table.entries != nil || table.slots != nil {
		t.Errorf("an empty table keeps %d entries", len(table.entries))
	}
}

func TestARequestThatIsReplacedTakesNoMoreRoom(t *testing.T) {
	var table pendingTable
	for opaque := range int32(leastSlots / 2) {
		table.set(opaque, pending{})
	}
	room := table.room()
	table.set(0, pending{topic: "t"})
	if got, _ := table.get(0); got.topic != "t" || table.room() != room || table.size() != leastSlots/2 {
		t.Errorf("%d requests take %d bytes, want %d", table.size(), table.room(), room)
	}
}
