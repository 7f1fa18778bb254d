// SPDX-License-Identifier: Apache-2.0

package envoy

import "testing"

func TestErrorLinesAreFound(t *testing.T) {
	for line, want := range map[string]bool{
		"[2026-01-01 00:00:00.000][1][error][golang] [x.cc:1] boom\n":    true,
		"[2026-01-01 00:00:00.000][1][critical][main] [x.cc:1] boom\n":   true,
		"[2026-01-01 00:00:00.000][1][warning][main] an [error] in text": false,
		"panic: runtime error\n":      true,
		"fatal error: concurrent map": true,
		"SIGSEGV: segmentation":       true,
		"":                            false,
	} {
		if got := isErrorLine(line); got != want {
			t.Errorf("%q: got %v, want %v", line, got, want)
		}
	}
}
