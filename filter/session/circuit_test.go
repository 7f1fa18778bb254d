// SPDX-License-Identifier: Apache-2.0

package session

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
)

// threadedHost is a fakeHost that other threads may wake, and that counts upstream connections over all hosts.
type threadedHost struct {
	*fakeHost
	woken      atomic.Bool
	open, most *atomic.Int64
}

func (h *threadedHost) WakeAt(Instant) { h.woken.Store(true) }

func (h *threadedHost) ConnectUpstream(id UpstreamID, address string) {
	n := h.open.Add(1)
	for most := h.most.Load(); n > most && !h.most.CompareAndSwap(most, n); most = h.most.Load() {
	}
	h.fakeHost.ConnectUpstream(id, address)
}

func (h *threadedHost) CloseUpstream(id UpstreamID) {
	if _, ok := h.up[id]; ok && !h.upClosed[id] {
		h.open.Add(-1)
	}
	h.fakeHost.CloseUpstream(id)
}

// TestCompatibleClientsTakeTurns has more clients than connections ask one question after the other, each on a thread: all
// get their answers, and there are never more connections than the cluster allows, but for the first one of a broker.
func TestCompatibleClientsTakeTurns(t *testing.T) {
	const clients, requests, connections = 8, 100, 3
	e := compatibleEnvironment(t)
	cluster := envoyCluster()
	cluster.Endpoints = cluster.Endpoints[:2]
	cluster.Breakers = envoyadmin.Breakers{MaxConnections: connections, MaxConnectionsPerHost: math.MaxUint32, MaxPendingRequests: clients}
	e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
	var open, most atomic.Int64
	var threads sync.WaitGroup
	for thread := range clients {
		host := &threadedHost{fakeHost: newFakeHost(terminal), open: &open, most: &most}
		s := New(e, host, "127.0.0.1:10911", "10.1.1.1:5000")
		threads.Go(func() {
			random := rand.New(rand.NewPCG(uint64(thread), 1))
			s.Open(time.Second)
			limit := time.Now().Add(time.Minute)
			for opaque := range int32(requests) {
				s.DownstreamData(time.Second, [][]byte{sendV2(opaque, []string{"broker-a", "broker-b"}[random.IntN(2)], "t")})
				for host.down.Len() == 0 {
					if time.Now().After(limit) {
						t.Errorf("request %d of client %d starves", opaque, thread)
						return
					}
					if host.woken.Swap(false) {
						s.Wake(time.Second)
					}
					for _, id := range host.order {
						if !host.upClosed[id] {
							s.UpstreamConnected(time.Second, id)
							if host.up[id].Len() > 0 {
								host.up[id].Reset()
								s.UpstreamData(time.Second, id, [][]byte{response(codec.ResponseSuccess, opaque, "")})
							}
						}
					}
					runtime.Gosched()
				}
				if got := one(t, take(t, &host.down)); got.ResponseCode() != codec.ResponseSuccess {
					t.Errorf("got %v %q", got.ResponseCode(), got.Remark())
				}
			}
			s.Close(time.Second)
		})
	}
	threads.Wait()
	circuit := e.EnvoyRouting.Circuits["rocketmq"]
	if most.Load() > connections+1 || open.Load() != 0 || circuit.IsFull(envoyadmin.Breakers{MaxPendingRequests: 1}) ||
		!circuit.HasRoom(brokerAAddress, envoyadmin.Breakers{}) || !circuit.HasRoom(brokerBAddress, envoyadmin.Breakers{}) {
		t.Errorf("%d connections at once, %d are left", most.Load(), open.Load())
	}
}
