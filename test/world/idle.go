// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
)

// idleLimit is how long gauges may take to be 0: they reach Envoy about once a second, and a client that ends takes
// its last connections along a little later.
const idleLimit = 15 * time.Second

// standing matches the gauges that are not 0 while there is a config: those of Go's runtime and of the version.
var standing = regexp.MustCompile(`\.(go_goroutines|go_heap_bytes|build_info\..*)$`)

// AwaitIdle waits until every gauge of the filter on these ways is 0, but for those that always stand for something, and
// gives those that are not in time, as "name: value".
func (w *World) AwaitIdle(ctx context.Context, ways ...Way) (notZero []string, err error) {
	for limit := time.Now().Add(idleLimit); ; {
		body, err := envoy.Get(ctx, w.Admin, "/stats?type=Gauges")
		if err != nil {
			return nil, err
		}
		notZero = nil
		for line := range strings.Lines(body) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			ours := slices.ContainsFunc(ways, func(way Way) bool { return strings.HasPrefix(name, way.StatPrefix) })
			if ours && value != "0" && !standing.MatchString(name) {
				notZero = append(notZero, name+": "+value)
			}
		}
		if len(notZero) == 0 || time.Now().After(limit) || ctx.Err() != nil {
			return notZero, ctx.Err()
		}
		time.Sleep(200 * time.Millisecond)
	}
}
