// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// upstream is one connection of this session to a broker or a name server.
type upstream struct {
	session *Session
	id      UpstreamID
	broker  string // its name, on a ToAll connection; "" for a name server
	address string

	connected bool
	deadline  Instant // for connecting
	queue     []byte  // what waits for the connection

	answers cutter
	pending map[int32]pending
}

var (
	upstreamFailed = &router.Refusal{Code: codec.ResponseServiceNotAvailable, Remark: "the connection to the broker or name server could not be opened"}
	upstreamLost   = &router.Refusal{Code: codec.ResponseSystemError, Remark: "the connection to the broker or name server broke before the answer came"}
	overLimit      = &router.Refusal{Code: codec.ResponseSystemBusy, Remark: "too much is waiting on this connection"}
)

// connect opens an upstream connection.
func (s *Session) connect(broker, address string) *upstream {
	s.lastUpstream++
	u := &upstream{
		session:   s,
		id:        s.lastUpstream,
		broker:    broker,
		address:   address,
		connected: s.capabilities.InPlace,
		pending:   make(map[int32]pending),
	}
	u.answers = cutter{limits: s.environment.frameLimits(), whole: s.requests.whole}
	if s.upstreams == nil {
		s.upstreams = make(map[UpstreamID]*upstream, 1)
	}
	s.upstreams[u.id] = u
	s.recorder.Inc(stats.UpstreamConnect)
	s.recorder.Inc(stats.UpstreamActive)
	if !u.connected {
		u.deadline = s.now + s.environment.Config.Timeouts.Connect
		s.arm(u.deadline)
	}
	s.host.ConnectUpstream(u.id, address)
	return u
}

// write sends bytes to u, or keeps them until it is connected.
func (u *upstream) write(b []byte) {
	s := u.session
	if u.connected {
		s.host.WriteUpstream(u.id, b)
		return
	}
	u.queue = append(u.queue, b...)
	s.queued += len(b)
}

// canWrite tells whether u can take n bytes more within max_buffered_bytes.
func (u *upstream) canWrite(n int) bool {
	s := u.session
	return u.connected || s.queued+n <= s.environment.Config.Limits.MaxBufferedBytes
}

// dropQueue empties what waits for the connection.
func (u *upstream) dropQueue() {
	u.session.queued -= len(u.queue)
	u.queue = nil
}

// forget takes u out of the session.
func (s *Session) forget(u *upstream) {
	delete(s.upstreams, u.id)
	u.dropQueue()
	if s.unified != nil {
		s.unified.forget(u)
	}
	s.recorder.Add(stats.UpstreamActive, -1)
}

// UpstreamConnected tells that an upstream connection is open.
func (s *Session) UpstreamConnected(now Instant, id UpstreamID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	u := s.upstreams[id]
	if u == nil {
		return
	}
	u.connected = true
	if len(u.queue) > 0 {
		s.host.WriteUpstream(u.id, u.queue)
		u.dropQueue()
	}
}

// UpstreamFailed tells that an upstream connection could not be opened.
func (s *Session) UpstreamFailed(now Instant, id UpstreamID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	if u := s.upstreams[id]; u != nil {
		s.connectFailed(u)
	}
}

func (s *Session) connectFailed(u *upstream) {
	s.recorder.Inc(stats.UpstreamConnectFailure)
	s.loseUpstream(u, upstreamFailed)
}

// UpstreamClosed tells that an open upstream connection has ended.
func (s *Session) UpstreamClosed(now Instant, id UpstreamID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	if u := s.upstreams[id]; u != nil {
		s.recorder.Inc(stats.UpstreamLost)
		s.loseUpstream(u, upstreamLost)
	}
}

// loseUpstream ends what waits for u: with an answer on a unified connection. A connection that stood
// for u ends without one, as the client would see it without a proxy: Java retries asynchronous sends
// after a broken connection and not after an error answer.
func (s *Session) loseUpstream(u *upstream, reason *router.Refusal) {
	s.forget(u)
	s.environment.Directory.RefreshSoon()
	if u != s.only {
		s.failAll(u, reason)
		return
	}
	for opaque, p := range u.pending {
		s.finish(u, opaque, p)
		s.recorder.Inc(stats.ResponseError)
	}
	s.closeDownstream()
}

// UpstreamData takes bytes from an upstream connection; they are borrowed. It returns true if all of
// them shall go on to the client as they are, which only a host that works InPlace is ever told.
func (s *Session) UpstreamData(now Instant, id UpstreamID, in [][]byte) (untouched bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
	u := s.upstreams[id]
	if u == nil {
		return false
	}
	s.coming.begin(in)
	proceed, err := u.answers.feed(&s.coming, u)
	if !u.answers.midFrame() {
		s.flushLate()
	}
	untouched = s.coming.end(s.capabilities.InPlace && proceed)
	if err != nil {
		s.recorder.Inc(stats.Response)
		s.recorder.Inc(stats.ResponseDecodingError)
		s.countFrameError(err)
		s.host.CloseUpstream(u.id)
		s.loseUpstream(u, upstreamLost)
	}
	return untouched
}
