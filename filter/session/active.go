// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// active counts a session's requests that wait for their answer. The gauges move once an event, since
// many requests come and go in one.
type active struct {
	all    int
	change [activeGauges]int32 // not told yet
	told   bool
}

// The gauges of requests that wait are those from RequestActive, which counts all of them, to GetTopicRouteActive.
const activeGauges = stats.GetTopicRouteActive - stats.RequestActive + 1

func (a *active) add(code requests.Code, delta int32) {
	a.all += int(delta)
	a.change[0] += delta
	a.told = false
	if own := stats.ActiveGauge(code); own != stats.RequestActive {
		a.change[own-stats.RequestActive] += delta
	}
}

// tell moves the gauges.
func (a *active) tell(r *stats.Recorder) {
	if a.told {
		return
	}
	for i, change := range &a.change {
		if change != 0 {
			r.Add(stats.RequestActive+stats.ID(i), int64(change))
			a.change[i] = 0
		}
	}
	a.told = true
}
