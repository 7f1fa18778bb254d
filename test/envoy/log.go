// SPDX-License-Identifier: Apache-2.0

package envoy

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
)

// Errors returns the lines of an Envoy's log that report an error or worse, and what the Go runtime prints when it gives
// up.
func Errors(logFile string) (bad []string, err error) {
	f, err := os.Open(logFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if isErrorLine(line) {
			bad = append(bad, strings.TrimSpace(line))
		}
		if errors.Is(err, io.EOF) {
			return bad, nil
		}
		if err != nil {
			return bad, err
		}
	}
}

func isErrorLine(line string) bool {
	for _, mark := range []string{"][error][", "][critical]["} { // [time][thread][level][component]
		if strings.Contains(line, mark) {
			return true
		}
	}
	for _, start := range []string{"panic: ", "fatal error: ", "SIG", "==ERROR", "==WARNING"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}
