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
	change [len(activeGauges)]int32 // not told yet
	told   bool
}

// activeGauges are the gauges of what waits.
var activeGauges = [...]stats.ID{
	stats.RequestActive, stats.SendMessageV1Active, stats.SendMessageV2Active, stats.PopMessageActive, stats.GetTopicRouteActive,
}

func (a *active) add(code requests.Code, delta int32) {
	a.all += int(delta)
	a.change[0] += delta
	a.told = false
	switch code {
	case requests.SendMessage:
		a.change[1] += delta
	case requests.SendMessageV2:
		a.change[2] += delta
	case requests.PopMessage:
		a.change[3] += delta
	case requests.GetRouteInfoByTopic:
		a.change[4] += delta
	}
}

// tell moves the gauges.
func (a *active) tell(r *stats.Recorder) {
	if a.told {
		return
	}
	for i, change := range &a.change {
		if change != 0 {
			r.Add(activeGauges[i], int64(change))
			a.change[i] = 0
		}
	}
	a.told = true
}
