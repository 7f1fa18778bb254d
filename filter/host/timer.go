// SPDX-License-Identifier: Apache-2.0

package host

import (
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// Timer wakes one session. Its methods may be called from any thread.
type Timer struct {
	wake func()

	mu      sync.Mutex // guards what follows; held during wake
	timer   *time.Timer
	stopped bool
}

// NewTimer makes a timer that calls `wake`, which must not call the timer.
func NewTimer(wake func()) *Timer { return &Timer{wake: wake} }

// Set schedules a wake at about `at`, soon if that is past, in place of an earlier Set.
func (t *Timer) Set(at session.Instant) {
	wait := max(at-Now(), 0)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.stopped:
	case t.timer == nil:
		t.timer = time.AfterFunc(wait, t.fire)
	default:
		t.timer.Reset(wait)
	}
}

func (t *Timer) fire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		t.wake()
	}
}

// Stop ends the timer: wake is not running when it returns, and will not be called again.
func (t *Timer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
