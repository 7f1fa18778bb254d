// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestEveryLevelHasItsConfig(t *testing.T) {
	stub := stubAddresses{netip.MustParseAddrPort("127.0.0.1:40001"), netip.MustParseAddrPort("127.0.0.1:40002")}
	for _, l := range ladders {
		if !slices.IsSorted(l.levels) || len(l.workloads) == 0 {
			t.Errorf("%s: levels %v, %d workloads", l.Name, l.levels, len(l.workloads))
		}
		for _, level := range l.levels {
			for _, v := range l.variants {
				var edits []edit
				if l.edits != nil {
					edits = l.edits(level, v)
				}
				next := 50000
				config, err := v.config("../..", stub, func() (int, error) { next++; return next, nil }, edits...)
				if err != nil {
					t.Errorf("%d %s, %s: %v", level, l.Name, v, err)
				}
				has := map[string]int{}
				switch l.Name {
				case "routes":
					has["cluster: other}"], has[`["127.0.0.1:40001"]`] = level, 1
				case "brokers":
					has["refresh_interval: 1s"] = 1
					if v == perBroker {
						has[fmt.Sprintf("numbers: %d}", level)] = 1
					}
				}
				for text, want := range has {
					if got := strings.Count(config.yaml, text); got != want {
						t.Errorf("%d %s, %s: %q occurs %d times, want %d", level, l.Name, v, text, got, want)
					}
				}
			}
		}
	}
}
