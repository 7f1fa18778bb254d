// SPDX-License-Identifier: Apache-2.0

// Package opaque has a table of values by the opaque of a request, which a client chooses.
package opaque

import (
	"iter"
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// Table holds values by opaque. It is a map for one purpose: an opaque is found by one multiplication, entries stay where
// they are, nothing is allocated once the table has its size, and its size in memory is known before it grows.
//
// The multiplier is random, so that a client cannot choose opaques that all meet in one slot. The zero value is empty.
type Table[V any] struct {
	slots      []int32 // 1 + index in entries, or 0; a power of two, at most half of them used
	shift      int     // 32 - log2(len(slots))
	multiplier uint32
	entries    []entry[V]
	free       int32 // 1 + index of the first entry without a value, or 0
	count      int
}

type entry[V any] struct {
	value  V
	opaque int32
	used   bool
	free   int32 // the next without a value, as in Table
}

const (
	minSlots = 16
	// spareSlots is how many slots are kept by a table that has become empty.
	spareSlots = 1 << 10
)

// Bytes returns how many bytes of memory the table takes.
func (t *Table[V]) Bytes() int { return bytesFor[V](len(t.slots)) }

// bytesFor returns how many bytes a table with so many slots takes: half of them have an entry.
func bytesFor[V any](slots int) int {
	return slots*int(unsafe.Sizeof(int32(0))) + slots/2*int(unsafe.Sizeof(entry[V]{}))
}

// Needs returns how many bytes more the table takes with one more value.
func (t *Table[V]) Needs() int {
	if 2*(t.count+1) <= len(t.slots) {
		return 0
	}
	return bytesFor[V](t.nextSlots()) - t.Bytes()
}

func (t *Table[V]) nextSlots() int { return max(minSlots, 2*len(t.slots)) }

// Len returns the number of values.
func (t *Table[V]) Len() int { return t.count }

func (t *Table[V]) home(opaque int32) int {
	return int(uint32(opaque) * t.multiplier >> t.shift)
}

// slotOf returns the slot of an opaque, or the free one where it would go.
func (t *Table[V]) slotOf(opaque int32) int {
	for slot := t.home(opaque); ; slot = (slot + 1) & (len(t.slots) - 1) {
		if n := t.slots[slot]; n == 0 || t.entries[n-1].opaque == opaque {
			return slot
		}
	}
}

// Get returns the value with this opaque; nil if there is none. The table owns it: it is zeroed when it is removed, and
// changes to it are lost after the next Put or Grow.
func (t *Table[V]) Get(opaque int32) *V {
	if t.count == 0 {
		return nil
	}
	if n := t.slots[t.slotOf(opaque)]; n != 0 {
		return &t.entries[n-1].value
	}
	return nil
}

// Has reports whether there is a value with this opaque.
func (t *Table[V]) Has(opaque int32) bool {
	return t.count != 0 && t.slots[t.slotOf(opaque)] != 0
}

// Put adds a zero value, or puts one in the place of that with the same opaque, and returns it as Get does.
func (t *Table[V]) Put(opaque int32) *V {
	if 2*(t.count+1) > len(t.slots) && !t.Has(opaque) {
		t.Grow()
	}
	slot := t.slotOf(opaque)
	if n := t.slots[slot]; n != 0 {
		var zero V
		t.entries[n-1].value = zero
		return &t.entries[n-1].value
	}
	if t.free == 0 {
		t.entries = append(t.entries, entry[V]{})
		t.free = int32(len(t.entries))
	}
	n := t.free
	e := &t.entries[n-1]
	t.free = e.free
	e.opaque, e.used, e.free = opaque, true, 0 // its value is zero since it was taken out
	t.slots[slot] = n
	t.count++
	return &e.value
}

// Grow doubles the table, by the bytes that Needs returns while it is full.
func (t *Table[V]) Grow() {
	if t.multiplier == 0 {
		t.multiplier = rand.Uint32() | 1
	}
	t.slots = make([]int32, t.nextSlots())
	t.entries = append(make([]entry[V], 0, len(t.slots)/2), t.entries...)
	t.shift = 33 - bits.Len(uint(len(t.slots)))
	for i := range t.entries {
		if e := &t.entries[i]; e.used {
			t.slots[t.slotOf(e.opaque)] = int32(i + 1)
		}
	}
}

// Remove takes out the value with this opaque, if there is one.
func (t *Table[V]) Remove(opaque int32) {
	if t.count == 0 {
		return
	}
	slot := t.slotOf(opaque)
	n := t.slots[slot]
	if n == 0 {
		return
	}
	t.entries[n-1] = entry[V]{free: t.free} // and nothing is referred to any longer
	t.free = n
	t.count--
	if t.count == 0 && len(t.slots) > spareSlots {
		*t = Table[V]{}
		return
	}
	t.closeGap(slot)
}

// closeGap empties a slot, and moves those that had to go past it so that each is found from its home.
func (t *Table[V]) closeGap(gap int) {
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

// All iterates over all values, as Get returns them. The table may be changed meanwhile; what is added may be visited or
// not.
func (t *Table[V]) All() iter.Seq2[int32, *V] {
	return func(yield func(int32, *V) bool) {
		for i := 0; i < len(t.entries); i++ {
			if e := &t.entries[i]; e.used && !yield(e.opaque, &e.value) {
				return
			}
		}
	}
}
