// SPDX-License-Identifier: Apache-2.0

package instance

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/requestlog"

// logs are shared by configs that write to one file.
var logs = newPool((*requestlog.Log).Close)

func (x *Instance) openRequestLog() {
	c := x.Config.RequestLog
	if c == nil {
		return
	}
	log := logs.acquire(c.Path, func() *requestlog.Log { return requestlog.Open(c.Path) })
	x.releases = append(x.releases, func() { logs.release(c.Path) })
	x.Observers = append(x.Observers, requestlog.NewObserver(c, log, x.Stats.Recorder()))
}
