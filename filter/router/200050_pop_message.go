// SPDX-License-Identifier: Apache-2.0

package router

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// POP_MESSAGE (200050) and NOTIFICATION (200054), headers PopMessageRequestHeader and
// NotificationRequestHeader, no body. Long poll: the broker holds the request up to pollTime.
// The receipts of the answer name the broker the client asked, so a pop goes there and nowhere else.

func popWait(h *codec.Header) time.Duration { return waitField(h, "pollTime") }
