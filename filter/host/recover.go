// SPDX-License-Identifier: Apache-2.0

package host

import (
	"runtime/debug"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// maxStacks is how many stacks are logged in the life of the process; further faults are a line each, as far as
// max_log_lines_per_minute allows, and count.
const maxStacks = 10

var stacks atomic.Int32

// Recover is deferred around every entry from Envoy. It keeps a fault of ours from ending the process:
// it is counted and logged, and `abandon` closes the one connection it happened on.
func Recover(x *instance.Instance, abandon func()) {
	fault := recover()
	if fault == nil {
		return
	}
	if x != nil {
		x.Stats.Recorder().Inc(stats.Panic)
	}
	if x == nil || x.MayLog(Now()) {
		logFault(x != nil, fault)
	}
	defer func() { _ = recover() }() // of abandon: nothing is left to try
	abandon()
}

func logFault(ofConnection bool, fault any) {
	if ofConnection {
		LogError("fault, its connection is closed: %v", fault)
	} else {
		LogError("fault: %v", fault)
	}
	if stacks.Add(1) <= maxStacks {
		for _, line := range logline.Stack(debug.Stack()) {
			LogError("%v", line)
		}
	}
}
