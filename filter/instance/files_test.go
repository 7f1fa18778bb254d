// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"math"
	"slices"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
)

func TestMaxConnectionsFitsTheFilesOfTheProcess(t *testing.T) {
	var lines []string
	warn := func(format string, arguments ...any) { lines = append(lines, fmt.Sprintf(format, arguments...)) }
	for _, test := range []struct {
		openFiles    int64
		config, want int
		warns        bool
	}{
		{1 << 20, apiv1.DefaultMaxConnections, 131072, false},
		{math.MaxInt32, 1 << 24, 1 << 24, false},
		{65536, apiv1.DefaultMaxConnections, 24576, false},
		{65536, 24576, 24576, false},
		{65536, 24577, 24576, true},
		{1024, apiv1.DefaultMaxConnections, 384, false},
		{1024, 100, 100, false},
		{256, 1000, 64, true},
	} {
		lines = nil
		limits := apiv1.LimitsConfig{MaxConnections: test.config}
		fitFiles(&limits, test.openFiles, warn)
		var want []string
		if test.warns {
			want = []string{fmt.Sprintf("limits.max_connections is %d, but %d files that the process may open (ulimit -n) are enough for %d connections", test.config, test.openFiles, test.want)}
		}
		if limits.MaxConnections != test.want || !slices.Equal(lines, want) {
			t.Errorf("%d of %d files: got %d, want %d; warned %q, want %q", test.config, test.openFiles, limits.MaxConnections, test.want, lines, want)
		}
	}
}
