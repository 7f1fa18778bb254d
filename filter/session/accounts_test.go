// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// slowHost keeps what brokers do not take now.
type slowHost struct {
	*fakeHost
	random *rand.Rand
	kept   map[UpstreamID]int
}

func (h *slowHost) WriteUpstream(id UpstreamID, b []byte) (kept int) {
	h.fakeHost.WriteUpstream(id, b)
	h.up[id].Reset()
	switch {
	case h.capabilities.InPlace:
	case h.kept[id] > 0:
		kept = len(b)
	case h.random.IntN(3) == 0:
		kept = h.random.IntN(len(b) + 1)
	}
	h.kept[id] += kept
	return kept
}

// wild is a client whose requests, servers and hosts do anything that they may, at limits that are soon reached.
type wild struct {
	*harness
	host     *slowHost
	random   *rand.Rand
	opaque   int32
	unsent   []byte                // of the client's last frame
	received map[UpstreamID][]byte // of the servers' last frames, still to come
	gone     bool
}

func (w *wild) oneIn(n int) bool { return w.random.IntN(n) == 0 }

func (w *wild) body() string {
	return strings.Repeat("x", []int{0, 100, 3000, 30_000, 70_000, 200_000}[w.random.IntN(6)])
}

func (w *wild) request() []byte {
	if !w.oneIn(60) { // else one is used again
		w.opaque++
	}
	broker := []string{"broker-a", "broker-b", "", "broker-x"}[w.random.IntN(4)]
	about := fieldsOf("bname", broker, "topic", "t", "producerGroup", "p", "consumerGroup", "g", "clientID", "1@2", "pollTime", "1000")
	switch w.random.IntN(9) {
	case 0:
		return oneway(requests.UpdateConsumerOffset, w.opaque, about...)
	case 1:
		groups := []string{"g", "h"}[:w.random.IntN(3)]
		return request(requests.HeartBeat, w.opaque, heartbeatOf(w.oneIn(3), groups, groups))
	case 2:
		return request(requests.UnregisterClient, w.opaque, "", about...)
	case 3:
		return request(requests.GetRouteInfoByTopic, w.opaque, "", about...)
	case 4:
		return request(requests.PutKVConfig, w.opaque, w.body(), about...)
	case 5:
		return request(requests.UpdateAndCreateTopic, w.opaque, w.body(), about...)
	case 6:
		return request(requests.PopMessage, w.opaque, "", about...)
	}
	return request(requests.SendMessage, w.opaque, w.body(), about...)
}

// cut returns the begin of some bytes, and what is to follow.
func (w *wild) cut(in []byte) (now, later []byte) {
	at := len(in)
	if at > 0 && w.oneIn(3) {
		at = w.random.IntN(at)
	}
	return in[:at], bytes.Clone(in[at:])
}

// asks sends some requests, or parts of them.
func (w *wild) asks() {
	in := w.unsent
	for range 1 + w.random.IntN(4) {
		in = append(in, w.request()...)
	}
	if in, w.unsent = w.cut(in); len(in) > 0 {
		w.DownstreamData(w.clock, [][]byte{in})
	}
}

// serve has something happen at an upstream connection.
func (w *wild) serve(u *upstream) {
	switch {
	case u.waits:
	case !u.connected && w.oneIn(5):
		w.UpstreamFailed(w.clock, u.id, ConnectFailure(w.random.IntN(4)))
	case !u.connected:
		w.UpstreamConnected(w.clock, u.id)
	case w.oneIn(20):
		w.UpstreamClosed(w.clock, u.id)
	case w.oneIn(10):
		w.UpstreamFull(w.clock, u.id, w.oneIn(2))
	case w.host.kept[u.id] > 0 && w.oneIn(2):
		n := 1 + w.random.IntN(w.host.kept[u.id])
		w.host.kept[u.id] -= n
		w.UpstreamDrained(w.clock, u.id, n)
	default:
		in := w.received[u.id]
		for opaque := range u.pending.All() {
			if code := []codec.ResponseCode{codec.ResponseSuccess, codec.ResponseSystemError, codec.ResponseGoAway}[w.random.IntN(3)]; !w.oneIn(3) {
				in = append(in, response(code, opaque, w.body())...)
			}
		}
		if w.oneIn(4) {
			in = append(in, request(requests.NotifyConsumerIDsChanged, 5, "")...)
		}
		if in, w.received[u.id] = w.cut(in); len(in) > 0 {
			w.UpstreamData(w.clock, u.id, [][]byte{in})
		}
	}
}

// step has one thing happen.
func (w *wild) step() {
	switch n := w.random.IntN(40); {
	case n == 0:
		w.gone = true
		w.Close(w.clock)
	case n < 15:
		w.asks()
	case n < 18:
		w.host.down.Reset()
		w.host.downFull = false
		w.DownstreamDrained(w.clock)
	case n < 21:
		w.Wake(w.clock)
	default:
		for id := range w.host.up {
			if u := w.upstreams[id]; u != nil && w.oneIn(2) {
				w.serve(u)
			}
		}
	}
}

// wantAccounts compares what the session has taken of the totals with what it has.
func (w *wild) wantAccounts() {
	s := w.Session
	if s.state == closed {
		return
	}
	memory := s.unsent + cap(s.backlog.bytes) + s.requests.Kept() + cap(s.replies)
	for _, u := range s.upstreams {
		if u.kept != w.host.kept[u.id] {
			w.Errorf("%d bytes count as kept by the host, which keeps %d", u.kept, w.host.kept[u.id])
		}
		memory += u.kept + cap(u.queue) + u.answers.Kept() + u.pending.Bytes()
	}
	if x := sharedOf(s); x != nil {
		memory += x.heartbeat.reserved + x.held.Bytes()
		for of, brokers := range x.routes {
			memory += of.size(brokers)
		}
		for b := range x.broadcasts {
			memory += b.kept
		}
	}
	if x, ok := s.mode.(*envoyRouted); ok {
		for m := range x.memberships {
			memory += m.size()
		}
	}
	if memory != s.quota.Memory.Needed() || s.inFlight.all != s.quota.Pending.Needed() {
		w.Fatalf("%d bytes and %d requests are counted, want %d and %d", s.quota.Memory.Needed(), s.quota.Pending.Needed(), memory, s.inFlight.all)
	}
}

// FuzzAccounts has three clients of two addresses share the totals of a config, the files of the process and the circuit of
// a cluster: what each has taken is right at every moment, and nothing is left in the end. Its input seeds what happens.
func FuzzAccounts(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed)
	}
	f.Add(uint64(296)) // a heartbeat that was cancelled and ended again
	storm.Fuzz(f, func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		e, port, capabilities := newEnvironment(t, unifiedMode, fakeNameServers{}), 19876, terminal
		switch random.IntN(5) {
		case 0:
			e, port, capabilities = newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace
		case 1:
			e, port = newEnvironment(t, perBroker, fakeNameServers{}), 20911
		case 2:
			e = compatibleEnvironment(t)
			cluster := envoyCluster()
			cluster.Breakers = envoyadmin.Breakers{MaxConnections: 1 + random.Uint32N(3), MaxConnectionsPerHost: math.MaxUint32, MaxPendingRequests: 1 + random.Uint32N(20)}
			e.EnvoyRouting.Endpoints = func() *envoyadmin.Snapshot { return envoyadmin.NewSnapshot(cluster) }
		case 3: // each server is at two addresses
			brokers := &movingBrokers{hosts: map[string][]string{"broker:10911": {brokerAAddress, brokerBAddress}}}
			brokers.set(brokerAt("broker-a", 0, "broker:10911"))
			d := newDirectory(t, []string{nameServerAddress, otherNameServer}, brokers)
			e = environmentOf(unifiedMode, directory.NewClusters(nil, d))
		}
		l := &e.Config.Limits
		l.MaxSessionBytes = 20_000 + random.IntN(300_000)
		l.MaxTotalBytes = l.MaxSessionBytes * 3 / 2
		l.MaxPendingRequests, l.MaxTotalPendingRequests = 1+random.IntN(50), 1+random.IntN(80)
		l.MaxSourcePercent = 50 + random.IntN(51)
		e.Files = &quota.Files{}
		e.Files.SetLimit(2 + random.Int64N(12))

		var all []*wild
		for i := range 3 {
			host := &slowHost{newFakeHost(capabilities), random, make(map[UpstreamID]int)}
			if random.IntN(2) == 0 {
				host.downLimit = 200 + random.IntN(20_000)
			}
			h := &harness{TB: t, host: host.fakeHost, clock: time.Second}
			h.Session = New(e, host, fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("10.1.1.%d:5000", i%2))
			h.Open(h.clock)
			all = append(all, &wild{harness: h, host: host, random: random, received: make(map[UpstreamID][]byte)})
		}
		for range 100 {
			w := all[random.IntN(len(all))]
			if w.gone {
				continue
			}
			if random.IntN(10) == 0 {
				w.clock += time.Duration(random.Int64N(int64(20 * time.Second)))
			}
			w.step()
			for _, each := range all {
				each.wantAccounts()
			}
		}
		for _, w := range all {
			if !w.gone {
				w.Close(w.clock)
			}
		}
		all[0].wantNothingLeft()
		if used, clients := e.Files.Used(), e.Files.Sources(); used != 0 || clients != 0 {
			t.Errorf("%d files of %d clients are still counted", used, clients)
		}
		if c := e.EnvoyRouting; c != nil && fmt.Sprint(c.Circuits["rocketmq"]) != fmt.Sprint(c.Circuits["nowhere"]) {
			t.Errorf("left in the circuit is %+v", c.Circuits["rocketmq"])
		}
	})
}
