// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestTheFirstOfFailingRefreshesIsInTheLog(t *testing.T) {
	lines := make(chan string, 10)
	before := Warn
	Warn = func(format string, arguments ...any) { lines <- fmt.Sprintf(format, arguments...) }
	x := Start(config(time.Hour), nil)
	line := <-lines
	for range 3 {
		x.watches[0].refreshed(errors.New("again"))
	}
	x.Close()
	Warn = before
	if len(lines) != 0 || !strings.HasPrefix(line, "the brokers' addresses cannot be refreshed, those known so far are kept: name server 127.0.0.1:1: dial tcp") {
		t.Errorf("got %q and %d more", line, len(lines))
	}
}
