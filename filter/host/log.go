// SPDX-License-Identifier: Apache-2.0

package host

/*
#cgo linux LDFLAGS: -Wl,-unresolved-symbols=ignore-all
#include <stdint.h>
void envoyGoFilterLog(uint32_t level, void* message, int size);
*/
import "C"

import (
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

// level is Envoy's.
type level uint32

const (
	levelInfo    level = 2
	levelWarning level = 3
	levelError   level = 4
)

// writeLog writes a line to Envoy's log; only log calls it. Tests replace it: without an Envoy there is nothing to call.
var writeLog = func(l level, line string) {
	C.envoyGoFilterLog(C.uint32_t(l), unsafe.Pointer(unsafe.StringData(line)), C.int(len(line)))
}

// log writes a line. It quotes and bounds whatever in it may come from others: see package logline.
func log(l level, format string, arguments ...any) {
	writeLog(l, "rocketmq_proxy: "+logline.Format(format, arguments...))
}

// LogError writes an error-level line to Envoy's log.
func LogError(format string, arguments ...any) { log(levelError, format, arguments...) }

// LogWarning writes a warning-level line to Envoy's log.
func LogWarning(format string, arguments ...any) { log(levelWarning, format, arguments...) }

// LogInfo writes an info-level line to Envoy's log.
func LogInfo(format string, arguments ...any) { log(levelInfo, format, arguments...) }

// LogConnectionError writes an error-level line that a connection has caused, unless there are too many of them
// already.
func LogConnectionError(x *instance.Instance, format string, arguments ...any) {
	if x.MayLog(Now()) {
		LogError(format, arguments...)
	}
}

// SetLogForTest has lines go to `write` until the end of a test.
func SetLogForTest(t interface{ Cleanup(func()) }, write func(line string)) {
	before := writeLog
	writeLog = func(_ level, line string) { write(line) }
	t.Cleanup(func() { writeLog = before })
}
