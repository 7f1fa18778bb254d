// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func TestEveryLimitIsOnThePageWithStatsThatExist(t *testing.T) {
	page := limitsPage()
	for _, l := range apiv1.LimitTable {
		if n := strings.Count(page, "| `"+l.Option+"` |"); n != 1 {
			t.Errorf("%s is on the page %d times", l.Option, n)
		}
		for _, name := range l.Stats {
			if !slices.ContainsFunc(stats.Table, func(def stats.Def) bool { return def.Name == name }) {
				t.Errorf("%s names the stat %q, which does not exist", l.Option, name)
			}
		}
	}
}
