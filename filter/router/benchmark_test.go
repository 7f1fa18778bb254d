// SPDX-License-Identifier: Apache-2.0

package router

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// BenchmarkLocate measures the rules of the requests that name their broker, and of one that leaves the
// choice to the proxy.
func BenchmarkLocate(b *testing.B) {
	var v View = fakeView{topics: map[string][]string{"T": {"broker-a", "broker-b"}}, groups: map[string][]string{"g": {"T"}}}
	for _, c := range []struct {
		code   requests.Code
		fields []codec.Field
	}{
		{requests.SendMessageV2, []codec.Field{{Name: "a", Value: "p"}, {Name: "b", Value: "T"}, {Name: "e", Value: "0"}, {Name: "n", Value: "broker-a"}}},
		{requests.PullMessage, []codec.Field{{Name: "bname", Value: "broker-a"}, {Name: "topic", Value: "T"}, {Name: "queueId", Value: "0"}}},
		{requests.GetConsumerListByGroup, []codec.Field{{Name: "consumerGroup", Value: "g"}}},
	} {
		b.Run(c.code.String(), func(b *testing.B) {
			r := &Request{Type: requests.Of(c.code), Header: header(b, c.code, c.fields...)}
			b.ReportAllocs()
			for b.Loop() {
				if _, refusal := Locate(r, v); refusal != nil {
					b.Fatal(refusal.Remark)
				}
			}
		})
	}
}
