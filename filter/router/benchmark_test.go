// SPDX-License-Identifier: Apache-2.0

package router

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func BenchmarkOf(b *testing.B) {
	codes := []requests.Code{requests.SendMessageV2, requests.PullMessage, requests.HeartBeat, requests.PopMessage, 4711}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if Of(codes[i%len(codes)]) == nil {
			b.Fatal("no row")
		}
	}
}

// BenchmarkLocate measures the rules of the requests that name their broker, and of one that leaves the
// choice to the proxy.
func BenchmarkLocate(b *testing.B) {
	var k Knowledge = fakeKnowledge{topics: map[string][]string{"T": {"broker-a", "broker-b"}}, groups: map[string][]string{"g": {"T"}}}
	for _, c := range []struct {
		code   requests.Code
		fields []codec.Field
	}{
		{requests.SendMessageV2, []codec.Field{{Name: "a", Value: "p"}, {Name: "b", Value: "T"}, {Name: "e", Value: "0"}, {Name: "n", Value: "broker-a"}}},
		{requests.PullMessage, []codec.Field{{Name: "bname", Value: "broker-a"}, {Name: "topic", Value: "T"}, {Name: "queueId", Value: "0"}}},
		{requests.GetConsumerListByGroup, []codec.Field{{Name: "consumerGroup", Value: "g"}}},
	} {
		b.Run(c.code.String(), func(b *testing.B) {
			r := Request{Header: header(b, c.code, c.fields...)}
			b.ReportAllocs()
			for b.Loop() {
				if _, refusal := Of(c.code).Locate(r, k); refusal != nil {
					b.Fatal(refusal.Remark)
				}
			}
		})
	}
}
