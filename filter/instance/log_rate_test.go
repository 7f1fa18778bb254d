// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"slices"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func TestLogLinesAreBoundedByTheMinute(t *testing.T) {
	c := config(time.Minute)
	c.Limits.MaxLogLinesPerMinute = 2
	x := Start(c, Host{})
	defer x.Close()
	var got []bool
	for _, at := range []time.Duration{0, time.Second, 2 * time.Second, 59 * time.Second, 60 * time.Second, 61 * time.Second, 62 * time.Second} {
		got = append(got, x.MayLog(at))
	}
	if want := []bool{true, true, false, false, true, true, false}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if n := x.Stats.Value(stats.LogSuppressed); n != 3 {
		t.Errorf("log_suppressed is %d, want 3", n)
	}
}
