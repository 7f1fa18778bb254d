// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/proxyprotocol"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/compatible"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/opaque"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// upstream is one connection of this session to a broker or a name server.
type upstream struct {
	session *Session
	id      UpstreamID
	place   place
	address string

	connected bool
	replays   bool    // the last heartbeat is in queue
	full      bool    // takes nothing now: requests are refused
	leaving   bool    // gets no more requests, and ends when none waits for it any more
	unheard   int     // requests that have expired since the last byte from the broker
	deadline  Instant // for connecting
	queue     []byte  // what waits for the connection
	queued    int     // bytes of the client in it
	kept      int     // bytes that the host keeps for it

	slot  *compatible.Slot // its place in the circuit of its cluster; nil where there is none
	waits bool             // for room in the circuit: it is not opening yet

	answers framing.Cutter
	pending opaque.Table[pending]
}

// losses are what clients are told of requests whose upstream connection did not last.
type losses struct{ failed, failedLocally, overflow, timedOut, lost, unreadable *router.Refusal }

var (
	upstreamFailed = &router.Refusal{Code: codec.ResponseServiceNotAvailable, Remark: "the connection to the broker or name server could not be opened"}
	upstreamLost   = &router.Refusal{Code: codec.ResponseSystemError, Remark: "the connection to the broker or name server broke before the answer came"}
	ownLosses      = losses{failed: upstreamFailed, failedLocally: upstreamFailed, overflow: upstreamFailed, timedOut: upstreamFailed, lost: upstreamLost, unreadable: upstreamLost}

	// To a client on a shared connection GO_AWAY would mean that all brokers go.
	upstreamLeaving = &router.Refusal{Code: codec.ResponseServiceNotAvailable, Remark: "the broker is shutting down and has not processed the request"}
	overLimit       = &router.Refusal{Code: codec.ResponseSystemBusy, Remark: "too much is waiting on this connection"}
)

// connect opens an upstream connection, if it may go to that address.
func (s *Session) connect(to place, address string) (*upstream, *router.Refusal) {
	if refusal := s.mayConnect(to, address); refusal != nil {
		return nil, refusal
	}
	s.lastUpstream++
	u := &upstream{
		session:   s,
		id:        s.lastUpstream,
		place:     to,
		address:   address,
		connected: s.capabilities.InPlace,
	}
	u.answers = s.newCutter()
	if s.upstreams == nil {
		s.upstreams = make(map[UpstreamID]*upstream, 1)
	}
	s.upstreams[u.id] = u
	s.recorder.Inc(stats.UpstreamActive)
	if s.egress() != "" {
		u.writeOwn(s.egressHeader(address))
	}
	if s.state != closed && s.enterCircuit(u) { // closed: the header was too much to keep
		s.dial(u)
	}
	return u, nil
}

// dial begins to open u.
func (s *Session) dial(u *upstream) {
	s.recorder.Inc(stats.UpstreamConnect)
	if !u.connected {
		u.deadline = s.now + s.connectTimeout(u)
		s.arm(u.deadline)
	}
	destination := u.address
	if egress := s.egress(); egress != "" {
		destination = egress
	}
	s.host.ConnectUpstream(u.id, destination)
}

// egress is where upstream connections go first; empty: straight to their destination.
func (s *Session) egress() string {
	if s.capabilities.InPlace {
		return ""
	}
	return s.environment.Config.Egress
}

// egressHeader tells the egress listener where a connection shall go.
func (s *Session) egressHeader(address string) []byte {
	source, _ := netip.ParseAddrPort(s.remote)
	destination, _ := netip.ParseAddrPort(address)
	return proxyprotocol.Header(source, destination)
}

// maxUnheard is how many requests in a row may expire without a byte from the broker until its connection counts as
// dead. One or two may be slow requests; Java gives a connection up after the first (NettyRemotingClient), but has no
// other requests on it.
const maxUnheard = 3

// retire makes the next request for u's broker open another connection. The broker is about to end this one (GO_AWAY,
// NettyRemotingAbstract), or its end has not reached us. `why` counts.
func (s *Session) retire(u *upstream, why stats.ID) {
	s.recorder.Inc(why)
	u.leaving = true
	if s.unified.byAddress[u.address] == u { // else it has a successor already
		delete(s.unified.byAddress, u.address)
	}
}

// endIfLeft ends a connection that nothing waits for any more, if it is retired or wanted by others.
func (s *Session) endIfLeft(u *upstream) {
	if u.pending.Len() == 0 && s.upstreams[u.id] == u && (u.leaving || u.isSpare()) {
		s.host.CloseUpstream(u.id)
		s.forget(u)
		u.dropPending()
	}
}

// write sends bytes of the client to u, or keeps them until it is connected.
func (u *upstream) write(b []byte) {
	if !u.connected {
		u.queued += len(b)
		u.session.queued += len(b)
	}
	u.writeOwn(b)
}

// writeOwn is write for bytes of the proxy itself: they do not count against the client's max_buffered_bytes.
func (u *upstream) writeOwn(b []byte) {
	s := u.session
	if u.connected {
		if kept := s.host.WriteUpstream(u.id, b); kept > 0 {
			u.keep(kept)
		}
		return
	}
	var ok bool
	if u.queue, ok = s.quota.Memory.Append(u.queue, b); !ok {
		s.overMemory()
	}
}

// keep charges the session for n bytes that the host keeps for u.
func (u *upstream) keep(n int) {
	if !u.session.quota.Memory.Reserve(n) {
		u.session.overMemory()
		return
	}
	u.kept += n
}

// maxUnasked is the largest frame that is written without asking whether there is memory for it, as long as the host
// keeps nothing for its upstream: a socket that has taken everything so far takes this much, too.
const maxUnasked = 64 << 10

// canWrite reports whether u can take n bytes more, of a frame that is about to be written: it is not full, what waits
// for connections to open has not reached max_buffered_bytes, and what has to be kept of the frame is within the limits
// of memory. No frame within max_frame_bytes is too large by itself.
func (u *upstream) canWrite(n int) bool {
	s := u.session
	switch {
	case u.full:
		return false
	case u.connected && s.unified == nil: // its client is not read while the host keeps much
		return true
	case u.connected && u.kept == 0 && n <= maxUnasked:
		return true
	}
	s.goingUp.Flush() // it counts
	return (u.connected || s.queued < s.environment.Config.Limits.MaxBufferedBytes) && s.quota.Memory.HasRoom(n)
}

// dropQueue empties what waits for the connection.
func (u *upstream) dropQueue() {
	u.session.queued -= u.queued
	u.queued = 0
	u.session.quota.Memory.ReleaseBytes(u.queue)
	u.queue = nil
}

// dropPending lets go of the table of what waits for u, which is empty.
func (u *upstream) dropPending() {
	u.session.quota.Memory.Release(u.pending.Bytes())
	u.pending = opaque.Table[pending]{}
}

// forget takes u out of the session.
func (s *Session) forget(u *upstream) {
	delete(s.upstreams, u.id)
	u.dropQueue()
	u.leaveCircuit()
	u.drained(u.kept)
	if s.state != closed { // else it may be in use, up the stack
		u.answers.Discard()
	}
	if s.unified != nil {
		s.unified.forget(u)
		s.quota.CloseFiles(1)
	}
	s.recorder.Add(stats.UpstreamActive, -1)
}

// UpstreamConnected tells that an upstream connection is open.
func (s *Session) UpstreamConnected(now Instant, id UpstreamID) {
	s.enter(now)
	defer s.leave()
	u := s.upstreams[id]
	if u == nil {
		return
	}
	u.connected = true
	if u.slot != nil {
		u.slot.Opened()
	}
	if u.replays {
		s.recorder.Inc(stats.HeartbeatReplayed)
	}
	if len(u.queue) > 0 {
		u.kept = s.host.WriteUpstream(u.id, u.queue)
		s.queued -= u.queued
		s.quota.Memory.Release(cap(u.queue) - u.kept)
		u.queued, u.queue = 0, nil
	}
	s.endIfLeft(u) // it may have been for a request that wants no answer
}

// UpstreamDrained is called when an upstream connection has taken n bytes that the host kept for it.
func (s *Session) UpstreamDrained(now Instant, id UpstreamID, n int) {
	s.enter(now)
	defer s.leave()
	if u := s.upstreams[id]; u != nil {
		u.drained(n)
	}
}

// drained ends the charge for n bytes that the host kept.
func (u *upstream) drained(n int) {
	u.kept -= n
	u.session.quota.Memory.Release(n)
}

// UpstreamFull tells that an upstream connection has taken too little of what was written to it for a while, or has
// taken it. It returns true if the session refuses meanwhile what is for it, so that what is for others need not wait.
func (s *Session) UpstreamFull(now Instant, id UpstreamID, full bool) (refuses bool) {
	s.enter(now)
	defer s.leave()
	u := s.upstreams[id]
	if u == nil || s.unified == nil {
		return false
	}
	if full {
		s.recorder.Inc(stats.UpstreamFull)
	}
	u.full = full
	return full
}

// UpstreamFailed tells that an upstream connection could not be opened.
func (s *Session) UpstreamFailed(now Instant, id UpstreamID, cause ConnectFailure) {
	s.enter(now)
	defer s.leave()
	if u := s.upstreams[id]; u != nil {
		s.connectFailed(u, s.losses().of(cause))
	}
}

// of is the answer for a cause.
func (l *losses) of(cause ConnectFailure) *router.Refusal {
	switch cause {
	case LocalFailure:
		return l.failedLocally
	case ConnectOverflow:
		return l.overflow
	case ConnectTimeout:
		return l.timedOut
	}
	return l.failed
}

func (s *Session) connectFailed(u *upstream, reason *router.Refusal) {
	s.recorder.Inc(stats.UpstreamConnectFailure)
	s.loseUpstream(u, reason)
}

func (s *Session) losses() *losses {
	if s.environment.Compatible != nil {
		return &compatibleLosses
	}
	return &ownLosses
}

// UpstreamClosed tells that an open upstream connection has ended.
func (s *Session) UpstreamClosed(now Instant, id UpstreamID) {
	s.enter(now)
	defer s.leave()
	switch u := s.upstreams[id]; {
	case u == nil:
	case s.capabilities.InPlace && !u.answers.SawFrame() && !u.answers.Holds():
		s.connectFailed(u, s.losses().failed) // as far as can be seen: tcp_proxy does not tell when it is connected
	default:
		s.recorder.Inc(stats.UpstreamLost)
		s.loseUpstream(u, s.losses().lost)
	}
}

// loseUpstream ends what waits for u: with an answer on a unified connection. A connection that stood
// for u ends without one, as the client would see it without a proxy: Java retries asynchronous sends
// after a broken connection and not after an error answer.
func (s *Session) loseUpstream(u *upstream, reason *router.Refusal) {
	s.forget(u)
	u.place.cluster.RefreshSoon()
	if u != s.only {
		s.failAll(u, reason)
		u.dropPending()
		return
	}
	for opaque, p := range u.pending.All() {
		s.finish(u, opaque, p)
		s.recorder.Inc(stats.ResponseError)
		p.noted.end(s, ending{cause: causeOf(reason)})
	}
	s.closeDownstream()
}

// UpstreamData takes bytes from an upstream connection; they are borrowed. It returns true if all of
// them shall go on to the client as they are, which only a host that works InPlace is ever told.
func (s *Session) UpstreamData(now Instant, id UpstreamID, in [][]byte) (untouched bool) {
	s.enter(now)
	defer s.leave()
	s.heard = now
	u := s.upstreams[id]
	if u == nil {
		return false
	}
	u.unheard = 0
	s.coming.Begin(s.now, in)
	proceed, err := u.answers.Feed(&s.coming, u)
	if !u.answers.MidFrame() {
		s.flushLate()
		s.endIfLeft(u)
	}
	untouched = s.coming.End(s.capabilities.InPlace && proceed)
	switch {
	case errors.Is(err, framing.ErrOverMemory):
		s.recorder.Inc(stats.MemoryOverLimit)
	case err != nil:
		s.recorder.Inc(stats.ResponseDecodingError)
		s.noteFrameError(err, u.address)
	case u.answers.Holds():
		s.arm(u.stallDeadline())
	}
	if err != nil && s.upstreams[u.id] == u {
		s.host.CloseUpstream(u.id)
		s.loseUpstream(u, s.losses().unreadable)
	}
	return untouched
}
