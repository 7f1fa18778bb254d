// SPDX-License-Identifier: Apache-2.0

package session

import "sync/atomic"

// Files bounds the files that the sessions of all configs of a process have open: an Envoy that cannot make a socket for
// tcp_proxy dies. The methods of a nil one bound nothing. They may be called from any thread.
type Files struct {
	used, limit atomic.Int64
}

// SetLimit sets how many files sessions may have open. Those that have more already keep them.
func (f *Files) SetLimit(n int64) { f.limit.Store(n) }

// take counts n more open files; it returns false, and counts nothing, if that is above the limit.
func (f *Files) take(n int) bool {
	if f != nil && f.used.Add(int64(n)) > f.limit.Load() {
		f.used.Add(-int64(n))
		return false
	}
	return true
}

// giveBack counts n files that are closed.
func (f *Files) giveBack(n int) {
	if f != nil {
		f.used.Add(-int64(n))
	}
}

// files is how many files a session has open from its begin to its end: the client's connection and, if it has a single
// one, the upstream's. On unified connections each upstream connection is counted by itself.
func (s *Session) files() int {
	if s.unified != nil {
		return 1
	}
	return 2
}
