// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
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
	codes := []codec.RequestCode{codec.RequestSendMessageV2, codec.RequestPullMessage, codec.RequestHeartBeat, codec.RequestPopMessage, 4711}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		RequestCodeID(codes[i%len(codes)])
	}
}
