// SPDX-License-Identifier: Apache-2.0

package host

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

// Level is the severity of a line, by Envoy's numbers.
type Level uint32

// The levels that the filter uses.
const (
	LevelInfo    Level = 2
	LevelWarning Level = 3
	LevelError   Level = 4
)

// log writes a line. It quotes and bounds whatever in it may come from others: see package logline.
func (h *Host) log(level Level, format string, arguments ...any) {
	h.WriteLog(level, "rocketmq_proxy: "+logline.Format(format, arguments...))
}

// LogError writes an error-level line to Envoy's log.
func (h *Host) LogError(format string, arguments ...any) { h.log(LevelError, format, arguments...) }

// LogWarning writes a warning-level line to Envoy's log.
func (h *Host) LogWarning(format string, arguments ...any) { h.log(LevelWarning, format, arguments...) }

// LogInfo writes an info-level line to Envoy's log.
func (h *Host) LogInfo(format string, arguments ...any) { h.log(LevelInfo, format, arguments...) }

// LogConnectionError writes an error-level line that a connection has caused, unless there are too many of them
// already.
func (h *Host) LogConnectionError(x *instance.Instance, format string, arguments ...any) {
	if x.MayLog(Now()) {
		h.LogError(format, arguments...)
	}
}
