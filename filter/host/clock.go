// SPDX-License-Identifier: Apache-2.0

package host

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

var start = time.Now()

// Now is the sessions' clock.
func Now() session.Instant { return time.Since(start) }
