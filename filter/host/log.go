// SPDX-License-Identifier: Apache-2.0

package host

/*
#cgo linux LDFLAGS: -Wl,-unresolved-symbols=ignore-all
#include <stdint.h>
void envoyGoFilterLog(uint32_t level, void* message, int size);
*/
import "C"

import (
	"fmt"
	"unsafe"
)

const levelError = 4

// writeLog writes a line to Envoy's log. Tests replace it: without an Envoy there is nothing to call.
var writeLog = func(line string) {
	C.envoyGoFilterLog(levelError, unsafe.Pointer(unsafe.StringData(line)), C.int(len(line)))
}

// LogError writes an error-level line to Envoy's log.
func LogError(format string, arguments ...any) {
	writeLog(fmt.Sprintf("rocketmq_proxy: "+format, arguments...))
}

// SetLogForTest has lines go to `write` until the end of a test.
func SetLogForTest(t interface{ Cleanup(func()) }, write func(line string)) {
	before := writeLog
	writeLog = write
	t.Cleanup(func() { writeLog = before })
}
