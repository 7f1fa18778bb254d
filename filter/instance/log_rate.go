// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// logRate counts the lines that connections have caused in the current minute.
type logRate struct {
	mu     sync.Mutex
	minute time.Duration // its start
	lines  int
}

// MayLog tells whether one more line that a connection causes may go to Envoy's log now, by any clock that all
// callers share; if not, it counts the line. It may be called from any thread.
func (x *Instance) MayLog(now time.Duration) bool {
	r := &x.logRate
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := now.Truncate(time.Minute); minute != r.minute {
		r.minute, r.lines = minute, 0
	}
	if r.lines >= x.Config.Limits.MaxLogLinesPerMinute {
		x.Stats.Recorder().Inc(stats.LogSuppressed)
		return false
	}
	r.lines++
	return true
}
