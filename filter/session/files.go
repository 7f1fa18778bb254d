// SPDX-License-Identifier: Apache-2.0

package session

import (
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Files bounds the files that the sessions of all configs of a process have open: an Envoy that cannot make a socket for
// tcp_proxy dies.
type Files struct {
	total
	limit   atomic.Int64
	sources sources
}

// SetLimit sets how many files sessions may have open. Those that have more already keep them.
func (f *Files) SetLimit(n int64) { f.limit.Store(n) }

// takeFiles counts n more open files; it returns false, and counts nothing, if that is above a limit.
func (s *Session) takeFiles(n int) bool {
	f := s.environment.Files
	if f == nil {
		return true
	}
	why := f.take(&s.fileSource.files, int64(n), f.limit.Load(), int64(s.environment.Config.Limits.MaxSourcePercent))
	if why == sourceTaken {
		s.recorder.Inc(stats.SourceOverLimit)
	}
	return why == granted
}

// giveBackFiles counts n files that are closed.
func (s *Session) giveBackFiles(n int) {
	if f := s.environment.Files; f != nil {
		s.fileSource.files.Add(-int64(n))
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
