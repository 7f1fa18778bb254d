// SPDX-License-Identifier: Apache-2.0

package refresher

import (
	"context"
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
		var outcomes []error
		r.Observe(func(err error) { outcomes = append(outcomes, err) })
		r.Start()
		defer r.Stop()
		synctest.Wait()
		if !r.Asked() || !r.Stale() || len(outcomes) != 1 || outcomes[0] == nil || !strings.HasPrefix(outcomes[0].Error(), "fault: an answer that nobody foresaw\ngoroutine ") {
			t.Fatalf("asked %v, stale %v, outcomes %v", r.Asked(), r.Stale(), outcomes)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if r.Stale() || len(outcomes) != 2 || outcomes[1] != nil {
			t.Errorf("stale %v, outcomes %v", r.Stale(), outcomes)
		}
	})
}
