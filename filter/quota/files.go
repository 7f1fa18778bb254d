// SPDX-License-Identifier: Apache-2.0

package quota

import "sync/atomic"

// Files bounds the files that the connections of all configs of a process have open: an Envoy that cannot make a socket
// for tcp_proxy dies.
type Files struct {
	total   Total
	limit   atomic.Int64
	sources sources
}

// SetLimit sets how many files connections may have open. Those that have more already keep them.
func (f *Files) SetLimit(n int64) { f.limit.Store(n) }

// Used returns how many files are open.
func (f *Files) Used() int64 { return f.total.Used() }

// Sources returns how many client addresses have files open.
func (f *Files) Sources() int { return f.sources.size() }
