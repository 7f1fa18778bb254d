// SPDX-License-Identifier: Apache-2.0

package framing

import "sync"

// maxPooledBuffer is the largest buffer that is kept for other streams, in bytes: as much as pull answers of Java clients
// need (256 KiB of messages and their header).
const maxPooledBuffer = 260 << 10

// buffers are those of more than maxSpareHeld bytes, over all streams.
var buffers sync.Pool

// getBuffer returns the buffer of a frame that is gone, or none: then it grows with the bytes that arrive.
func getBuffer() []byte {
	if buffer, ok := buffers.Get().(*[]byte); ok {
		return (*buffer)[:0]
	}
	return nil
}

func putBuffer(buffer []byte) {
	if cap(buffer) > 0 && cap(buffer) <= maxPooledBuffer {
		buffers.Put(&buffer)
	}
}
