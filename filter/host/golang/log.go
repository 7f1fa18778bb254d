// SPDX-License-Identifier: Apache-2.0

package golang

/*
#cgo linux LDFLAGS: -Wl,-unresolved-symbols=ignore-all
#include <stdint.h>
void envoyGoFilterLog(uint32_t level, void* message, int size);
*/
import "C"

import (
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
)

func writeLog(level host.Level, line string) {
	C.envoyGoFilterLog(C.uint32_t(level), unsafe.Pointer(unsafe.StringData(line)), C.int(len(line)))
}
