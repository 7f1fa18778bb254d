// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// routeExchange asks for a topic's route, of which so many brokers are part; broker-a is among them.
func routeExchange(brokers int) exchange {
	datas := make([]string, brokers)
	queues := make([]string, brokers)
	for i := range brokers {
		name, address := "broker-a", brokerAAddress
		if i > 0 {
			name, address = fmt.Sprintf("broker-%d", i), fmt.Sprintf("10.1.%d.%d:10911", i/250, i%250)
		}
		datas[i] = fmt.Sprintf(`{"brokerAddrs":{0:"%s"},"brokerName":"%s","cluster":"c"}`, address, name)
		queues[i] = fmt.Sprintf(`{"brokerName":"%s","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}`, name)
	}
	route := fmt.Sprintf(`{"brokerDatas":[%s],"filterServerTable":{},"queueDatas":[%s]}`, strings.Join(datas, ","), strings.Join(queues, ","))
	return exchange{
		"route",
		func(opaque int32) []byte {
			return request(requests.GetRouteInfoByTopic, opaque, "", fieldsOf("topic", "T")...)
		},
		func(opaque int32) []byte { return response(codec.ResponseSuccess, opaque, route) },
	}
}

// BenchmarkRoute measures a route's way through a session: asked for, learned by the directory, and rewritten.
func BenchmarkRoute(b *testing.B) {
	for _, path := range paths {
		for _, brokers := range []int{2, 100, 1000} {
			b.Run(fmt.Sprintf("%s/brokers=%d", path.name, brokers), func(b *testing.B) {
				x := routeExchange(brokers)
				h := dial(b, newEnvironment(b, path.mode, fakeNameServers{}), 9876, path.capabilities)
				h.send(x.request(1000))
				upstream := h.to(h.host.address[h.host.order[0]])
				h.receive(upstream, x.answer(1000))
				if len(h.tookDown()) != 1 {
					b.Fatal("no answer")
				}
				h.Session.host = idleHost{path.capabilities}
				requests, answers := [][]byte{x.request(1001)}, [][]byte{x.answer(1001)}
				b.SetBytes(int64(len(answers[0])))
				b.ReportAllocs()
				for b.Loop() {
					h.DownstreamData(2*time.Second, requests)
					h.UpstreamData(2*time.Second, upstream, answers)
				}
				if got := h.environment.Stats.Value(stats.ResponseSuccess); h.state != open || got != int64(b.N)+1 {
					b.Fatalf("%d of %d requests were answered", got-1, b.N)
				}
			})
		}
	}
}

// BenchmarkLargeAnswer measures a pull whose answer of 64 KiB comes in four reads.
func BenchmarkLargeAnswer(b *testing.B) {
	const reads = 4
	x := exchanges[1]
	x.answer = func(opaque int32) []byte {
		return response(codec.ResponseSuccess, opaque, strings.Repeat("m", 64<<10), fieldsOf("suggestWhichBrokerId", "0", "nextBeginOffset", "15")...)
	}
	for _, path := range paths {
		b.Run(path.name, func(b *testing.B) {
			s := newSteady(b, path.mode, path.port, path.capabilities, x, 1)
			all := s.answers[0]
			var pieces [reads][][]byte
			for i := range pieces {
				pieces[i] = [][]byte{all[i*len(all)/reads : (i+1)*len(all)/reads]}
			}
			b.SetBytes(int64(len(all)))
			b.ReportAllocs()
			for b.Loop() {
				s.DownstreamData(2*time.Second, s.requests)
				for _, piece := range pieces {
					s.UpstreamData(2*time.Second, s.upstream, piece)
				}
			}
			if s.inFlight.all != 0 || s.state != open {
				b.Fatal("requests are left")
			}
		})
	}
}
