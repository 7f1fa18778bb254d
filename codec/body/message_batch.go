// SPDX-License-Identifier: Apache-2.0

package body

import "encoding/binary"

// leastBatched is the length of a message without body and properties (Java: MessageDecoder.encodeMessage).
const leastBatched = 4 + 4 + 4 + 4 + 4 + 2

// CountBatch counts the messages in the body of a SEND_BATCH_MESSAGE, which each begin with their length in bytes. What
// cannot be told apart counts as one.
func CountBatch(src []byte) (n int) {
	for len(src) > 0 {
		n++
		if len(src) < leastBatched {
			return n
		}
		size := int64(binary.BigEndian.Uint32(src))
		if size < leastBatched || size > int64(len(src)) {
			return n
		}
		src = src[size:]
	}
	return n
}
