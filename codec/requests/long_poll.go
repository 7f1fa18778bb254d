// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// LongPoll says where a request has the time that its broker may hold it while there is nothing to answer.
type LongPoll struct {
	// Wait is the field with the time in milliseconds; "" where brokers answer at once.
	Wait string
	// Flag is what sysFlag must have for the broker to wait; 0: nothing.
	Flag int64
}

// Where pulls and pops have their waits.
var (
	whileSuspended = LongPoll{Wait: "suspendTimeoutMillis", Flag: 1 << 1} // FLAG_SUSPEND (PullSysFlag)
	forPollTime    = LongPoll{Wait: "pollTime"}
)

// maxWait bounds what a client may ask the broker to wait.
const maxWait = 10 * time.Minute

// Wait returns how long the broker may hold a request before it answers.
func (t *Type) Wait(h *codec.Header) time.Duration {
	if t.LongPoll.Wait == "" {
		return 0
	}
	if flag := t.LongPoll.Flag; flag != 0 {
		if flags, ok := h.IntField(t.Fields.SysFlag); !ok || flags&flag == 0 {
			return 0
		}
	}
	millis, _ := h.IntField(t.LongPoll.Wait)
	return time.Duration(min(max(millis, 0), maxWait.Milliseconds())) * time.Millisecond
}
