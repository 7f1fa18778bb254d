// SPDX-License-Identifier: Apache-2.0

package stock

import (
	"os"
	"runtime"
)

// provideProcessors gives Go a processor for each thread of Envoy and of the module that calls it, and one
// to spare, unless the user has set GOMAXPROCS. A thread keeps its processor when it is back in C; once none is
// left, Go's monitor takes them away every 20 µs, and each call has to get one again.
func provideProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2*runtime.GOMAXPROCS(0) + 2)
	}
}
