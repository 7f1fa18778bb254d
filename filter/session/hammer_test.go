// SPDX-License-Identifier: Apache-2.0

package session

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// TestEventsFromManyThreads throws events at sessions from several goroutines; the race detector
// watches. In the end nothing may be left.
func TestEventsFromManyThreads(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	for range 20 {
		h := dial(t, e, 19876, terminal)
		var threads sync.WaitGroup
		for thread := range 8 {
			threads.Go(func() {
				random := rand.New(rand.NewPCG(uint64(thread), 1))
				for range 200 {
					opaque, id := int32(random.IntN(50)), UpstreamID(random.IntN(6))
					switch now := Instant(random.Int64N(int64(20 * time.Second))); random.IntN(8) {
					case 0, 1, 2:
						h.DownstreamData(now, [][]byte{sendV2(opaque, []string{"broker-a", "broker-b", "broker-z"}[random.IntN(3)], "t")})
					case 3:
						h.DownstreamData(now, [][]byte{request(requests.HeartBeat, opaque, heartbeatBody)})
					case 4:
						h.UpstreamConnected(now, id)
					case 5:
						h.UpstreamData(now, id, [][]byte{response(codec.ResponseSuccess, opaque, "")})
					case 6:
						h.Wake(now)
					default:
						if random.IntN(4) == 0 {
							h.UpstreamClosed(now, id)
						}
					}
				}
			})
		}
		threads.Wait()
		h.wantIdle()
	}
}
