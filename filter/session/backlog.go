// SPDX-License-Identifier: Apache-2.0

package session

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"

// backlog holds bytes of the client that may not be judged yet.
type backlog struct {
	memory *quota.Share
	bytes  []byte
	judged int // of them
}

// size returns how many bytes wait.
func (b *backlog) size() int { return len(b.bytes) - b.judged }

// rest returns the bytes that wait.
func (b *backlog) rest() []byte { return b.bytes[b.judged:] }

// add appends what follows the first `skip` bytes of `in`. It returns false if there is no memory for that.
func (b *backlog) add(in [][]byte, skip int) (ok bool) {
	for _, each := range in {
		n := min(skip, len(each))
		skip -= n
		if b.bytes, ok = b.memory.Append(b.bytes, each[n:]); !ok {
			return false
		}
	}
	return true
}

// drop goes past n bytes, which have been judged. The memory stays until the last one has been.
func (b *backlog) drop(n int) {
	if b.judged += n; b.judged == len(b.bytes) {
		b.memory.ReleaseBytes(b.bytes)
		b.bytes, b.judged = nil, 0
	}
}
