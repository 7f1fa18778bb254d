// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func BenchmarkRecorder(b *testing.B) {
	r := New().Recorder()
	b.Run("Inc", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Inc(Request)
		}
	})
	b.Run("Time", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Time(3*time.Millisecond, false)
		}
	})
}

func BenchmarkRequestCodeID(b *testing.B) {
	codes := []requests.Code{requests.SendMessageV2, requests.PullMessage, requests.HeartBeat, requests.PopMessage, 4711}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		RequestCodeID(codes[i%len(codes)])
	}
}
