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

// logf writes a line to Envoy's log. Tests replace it: without an Envoy there is nothing to call.
var logf = func(level int, format string, arguments ...any) {
	line := fmt.Sprintf("rocketmq_proxy: "+format, arguments...)
	C.envoyGoFilterLog(C.uint32_t(level), unsafe.Pointer(unsafe.StringData(line)), C.int(len(line)))
}

// LogError writes an error-level line to Envoy's log.
func LogError(format string, arguments ...any) { logf(levelError, format, arguments...) }
