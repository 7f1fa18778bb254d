// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func TestEveryLimitIsOnThePageWithStatsOfTrouble(t *testing.T) {
	page := limitsPage()
	for _, l := range apiv1.LimitTable {
		if n := strings.Count(page, "| `"+l.Option+"` |"); n != 1 {
			t.Errorf("%s is on the page %d times", l.Option, n)
		}
		if len(l.Stats) == 0 {
			t.Errorf("%s names no stat", l.Option)
		}
		for _, name := range l.Stats {
			i := slices.IndexFunc(stats.Table, func(def stats.Def) bool { return def.Name == name })
			if i < 0 || stats.Table[i].Signal != stats.Trouble {
				t.Errorf("%s names the stat %q, which is no stat of trouble", l.Option, name)
			}
		}
	}
}
