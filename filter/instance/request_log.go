// SPDX-License-Identifier: Apache-2.0

package instance

import (
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/requestlog"
)

// requestLogs are shared by configs that write to one file.
var requestLogs = newRegistry((*requestlog.Log).Close)

func openRequestLog(c *apiv1.RequestLogConfig, atEnd *cleanup) *requestlog.Log {
	return acquire(atEnd, requestLogs, c.Path, func() *requestlog.Log { return requestlog.Open(c.Path) })
}
