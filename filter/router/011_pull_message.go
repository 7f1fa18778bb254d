// SPDX-License-Identifier: Apache-2.0

package router

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361), header PullMessageRequestHeader, no body. Sent by
// every consumer, by broker name from the route. Long poll: with FLAG_SUSPEND (PullSysFlag) the
// broker holds the request up to suspendTimeoutMillis when there is nothing to read.

const pullFlagSuspend = 1 << 1

// maxWait bounds what a client may ask the broker to wait.
const maxWait = 10 * time.Minute

func pullWait(h *codec.Header) time.Duration {
	if flags, ok := h.IntField("sysFlag"); !ok || flags&pullFlagSuspend == 0 {
		return 0
	}
	return waitField(h, "suspendTimeoutMillis")
}

func waitField(h *codec.Header, name string) time.Duration {
	millis, _ := h.IntField(name)
	return time.Duration(min(max(millis, 0), maxWait.Milliseconds())) * time.Millisecond
}
