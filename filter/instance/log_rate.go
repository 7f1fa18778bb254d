// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"sync"
	"time"
)

// logRate counts the lines that connections have logged in the current minute.
type logRate struct {
	mu     sync.Mutex
	minute time.Duration // its start
	lines  int
}

// admit reports whether one more line fits into a number of lines per minute, and counts it if so.
func (r *logRate) admit(now time.Duration, perMinute int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := now.Truncate(time.Minute); minute != r.minute {
		r.minute, r.lines = minute, 0
	}
	if r.lines >= perMinute {
		return false
	}
	r.lines++
	return true
}
