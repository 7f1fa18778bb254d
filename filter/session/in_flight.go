// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// inFlight counts a session's requests that wait for their answer. The gauges move once an event, since many requests come
// and go in one.
type inFlight struct {
	all     int
	change  [inFlightGauges]int32 // since the last flush
	flushed bool
}

// The gauges of requests that wait are those from RequestActive, which counts all of them, to GetTopicRouteActive.
const inFlightGauges = stats.GetTopicRouteActive - stats.RequestActive + 1

func (f *inFlight) add(code requests.Code, delta int32) {
	f.all += int(delta)
	f.change[0] += delta
	f.flushed = false
	if own := stats.ActiveGauge(code); own != stats.RequestActive {
		f.change[own-stats.RequestActive] += delta
	}
}

// flush moves the gauges.
func (f *inFlight) flush(r *stats.Recorder) {
	if f.flushed {
		return
	}
	for i, change := range &f.change {
		if change != 0 {
			r.Add(stats.RequestActive+stats.ID(i), int64(change))
			f.change[i] = 0
		}
	}
	f.flushed = true
}
