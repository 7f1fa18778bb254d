// SPDX-License-Identifier: Apache-2.0

package session

import "sync"

// maxHeldRoom is the greatest room for a held frame that is kept for others: what pull answers of Java
// clients need (256 KiB of messages and their header).
const maxHeldRoom = 260 << 10

// heldRooms are rooms of more than maxSpareHeld bytes, over all sessions.
var heldRooms sync.Pool

// takeHeldRoom gives room that a frame has left, or none: then it grows with the bytes that arrive.
func takeHeldRoom() []byte {
	if room, ok := heldRooms.Get().(*[]byte); ok {
		return (*room)[:0]
	}
	return nil
}

func giveHeldRoom(room []byte) {
	if cap(room) > 0 && cap(room) <= maxHeldRoom {
		heldRooms.Put(&room)
	}
}
