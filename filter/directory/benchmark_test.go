// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// BenchmarkLearnRoute measures a route that says nothing new, which nearly all do.
func BenchmarkLearnRoute(b *testing.B) {
	for _, n := range []int{2, 100, 1000} {
		b.Run(fmt.Sprintf("brokers=%d", n), func(b *testing.B) {
			var route body.TopicRouteData
			for i := range n {
				route.Brokers = append(route.Brokers, body.Address{
					Cluster: "c", BrokerName: fmt.Sprintf("broker-%d", i), Addr: fmt.Sprintf("10.0.%d.%d:10911", i/250, i%250),
				})
			}
			d := New(nil, time.Hour, NameServersForget, roomy, &fakeSource{})
			d.LearnRoute(RouteSource{}, "T", &route)
			b.ReportAllocs()
			for b.Loop() {
				d.LearnRoute(RouteSource{}, "T", &route)
			}
		})
	}
}

// BenchmarkTopic measures how a topic's brokers are found among many.
func BenchmarkTopic(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("topics=%d", n), func(b *testing.B) {
			d := New(nil, time.Hour, NameServersForget, Bounds{Brokers: 1, Topics: 4 * n}, &fakeSource{})
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("topic-%d", i)
				d.LearnRoute(RouteSource{}, names[i], &body.TopicRouteData{Brokers: []body.Address{{BrokerName: "b", Addr: "10.0.0.2:1"}}})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if d.Topic(names[i%n]) == nil {
					b.Fatal("unknown")
				}
			}
		})
	}
}
