// SPDX-License-Identifier: Apache-2.0

package session

import (
	"iter"
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// pendingTable has what waits at one upstream, by opaque. It is a map that fits: opaques are found by one
// multiplication, entries stay where they are, and nothing is allocated once it has its size.
//
// The multiplier is random, so that a client cannot choose opaques that all meet in one slot.
type pendingTable struct {
	slots      []int32 // 1 + index in entries, or 0; a power of two, at most half of them used
	shift      int     // 32 - log2(len(slots))
	multiplier uint32
	entries    []pendingEntry
	free       int32 // 1 + index of the first entry without a request, or 0
	count      int
}

type pendingEntry struct {
	request pending
	opaque  int32
	used    bool
	free    int32 // the next without a request, as in pendingTable
}

const (
	leastSlots = 16
	// spareSlots is how many slots are kept by a table that has become empty.
	spareSlots = 1 << 10
)

// room is the bytes of memory that the table takes.
func (t *pendingTable) room() int { return roomFor(len(t.slots)) }

// roomFor is the bytes that a table with so many slots takes: half of them have an entry.
func roomFor(slots int) int {
	return slots*int(unsafe.Sizeof(int32(0))) + slots/2*int(unsafe.Sizeof(pendingEntry{}))
}

// needs is how many bytes more the table takes with one more request.
func (t *pendingTable) needs() int {
	if 2*(t.count+1) <= len(t.slots) {
		return 0
	}
	return roomFor(t.nextSlots()) - t.room()
}

func (t *pendingTable) nextSlots() int { return max(leastSlots, 2*len(t.slots)) }

// size is the number of requests.
func (t *pendingTable) size() int { return t.count }

func (t *pendingTable) home(opaque int32) int {
	return int(uint32(opaque) * t.multiplier >> t.shift)
}

// slotOf finds the slot of an opaque, or the free one where it would go.
func (t *pendingTable) slotOf(opaque int32) int {
	for slot := t.home(opaque); ; slot = (slot + 1) & (len(t.slots) - 1) {
		if n := t.slots[slot]; n == 0 || t.entries[n-1].opaque == opaque {
			return slot
		}
	}
}

// get gives the request with this opaque.
func (t *pendingTable) get(opaque int32) (pending, bool) {
	if t.count == 0 {
		return pending{}, false
	}
	if n := t.slots[t.slotOf(opaque)]; n != 0 {
		return t.entries[n-1].request, true
	}
	return pending{}, false
}

// has tells whether a request with this opaque waits.
func (t *pendingTable) has(opaque int32) bool {
	return t.count != 0 && t.slots[t.slotOf(opaque)] != 0
}

// set adds a request or replaces the one with the same opaque.
func (t *pendingTable) set(opaque int32, p pending) {
	if 2*(t.count+1) > len(t.slots) && !t.has(opaque) {
		t.grow()
	}
	slot := t.slotOf(opaque)
	if n := t.slots[slot]; n != 0 {
		t.entries[n-1].request = p
		return
	}
	if t.free == 0 {
		t.entries = append(t.entries, pendingEntry{})
		t.free = int32(len(t.entries))
	}
	n := t.free
	e := &t.entries[n-1]
	t.free = e.free
	*e = pendingEntry{request: p, opaque: opaque, used: true}
	t.slots[slot] = n
	t.count++
}

func (t *pendingTable) grow() {
	if t.multiplier == 0 {
		t.multiplier = rand.Uint32() | 1
	}
	t.slots = make([]int32, t.nextSlots())
	t.entries = append(make([]pendingEntry, 0, len(t.slots)/2), t.entries...)
	t.shift = 33 - bits.Len(uint(len(t.slots)))
	for i := range t.entries {
		if e := &t.entries[i]; e.used {
			t.slots[t.slotOf(e.opaque)] = int32(i + 1)
		}
	}
}

// remove takes the request with this opaque out, if there is one.
func (t *pendingTable) remove(opaque int32) {
	if t.count == 0 {
		return
	}
	slot := t.slotOf(opaque)
	n := t.slots[slot]
	if n == 0 {
		return
	}
	t.entries[n-1] = pendingEntry{free: t.free} // and nothing is referred to any longer
	t.free = n
	t.count--
	if t.count == 0 && len(t.slots) > spareSlots {
		*t = pendingTable{}
		return
	}
	t.close(slot)
}

// close empties a slot, and moves those that had to go past it so that each is found from its home.
func (t *pendingTable) close(gap int) {
	last := len(t.slots) - 1
	for slot := (gap + 1) & last; t.slots[slot] != 0; slot = (slot + 1) & last {
		home := t.home(t.entries[t.slots[slot]-1].opaque)
		if (slot-home)&last >= (slot-gap)&last {
			t.slots[gap] = t.slots[slot]
			gap = slot
		}
	}
	t.slots[gap] = 0
}

// all gives every request. The table may be changed meanwhile; what is added may be given or not.
func (t *pendingTable) all() iter.Seq2[int32, pending] {
	return func(yield func(int32, pending) bool) {
		for i := 0; i < len(t.entries); i++ {
			if e := &t.entries[i]; e.used && !yield(e.opaque, e.request) {
				return
			}
		}
	}
}
