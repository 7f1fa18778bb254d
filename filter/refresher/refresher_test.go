// SPDX-License-Identifier: Apache-2.0

package refresher

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAFaultIsAFailureAndRefreshingGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r := New(time.Minute, func(context.Context) error {
			if calls++; calls == 1 {
				panic("an answer that nobody foresaw")
			}
			return nil
		})
		outcomes := make(chan error, 2)
		r.Observe(func(err error) { outcomes <- err })
		r.Start()
		defer r.Stop()
		var fault *Fault
		if err := <-outcomes; !errors.As(err, &fault) || err.Error() != "fault: an answer that nobody foresaw" || !strings.HasPrefix(string(fault.Stack), "goroutine ") {
			t.Errorf("got %v", err)
		}
		if !r.Asked() || !r.Stale() {
			t.Errorf("asked %v, stale %v", r.Asked(), r.Stale())
		}
		if err := <-outcomes; err != nil || r.Stale() {
			t.Errorf("got %v, stale %v", err, r.Stale())
		}
	})
}
