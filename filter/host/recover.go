// SPDX-License-Identifier: Apache-2.0

package host

import (
	"runtime/debug"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// maxStacks is how many stacks are logged in the life of the process; further panics are a line each, as far as
// max_log_lines_per_minute allows, and count.
const maxStacks = 10

// Recover is deferred around every entry from Envoy. It keeps a panic of ours from ending the process: the panic is
// counted and logged, and `abandon` closes the one connection it happened on.
func (h *Host) Recover(x *instance.Instance, abandon func()) {
	cause := recover()
	if cause == nil {
		return
	}
	if x != nil {
		x.Stats.Recorder().Inc(stats.Panic)
	}
	if x == nil || x.MayLog(Now()) {
		h.logPanic(x != nil, cause)
	}
	defer func() { _ = recover() }() // of abandon: nothing is left to try
	abandon()
}

func (h *Host) logPanic(ofConnection bool, cause any) {
	if ofConnection {
		h.LogError("fault, its connection is closed: %v", cause)
	} else {
		h.LogError("fault: %v", cause)
	}
	if h.stacks.Add(1) <= maxStacks {
		for _, line := range logline.Stack(debug.Stack()) {
			h.LogError("%v", line)
		}
	}
}
