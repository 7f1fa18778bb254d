// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/proxyprotocol"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyrouted"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// target is what an upstream connection leads to.
type target struct {
	cluster *directory.Directory
	broker  string // its name, on a connection to a shared address; empty for a name server
}

// upstream is one connection of this session to a broker or a name server.
type upstream struct {
	session *Session
	id      UpstreamID
	target  target
	address string

	tried      []string // addresses that could not be reached before this one
	connected  bool
	replays    bool    // the last heartbeat is in queue
	full       bool    // takes nothing now: requests are refused
	leaving    bool    // gets no more requests, and ends when none waits for it any more
	unanswered int     // requests that have expired since the last byte from the broker
	deadline   Instant // for connecting
	usedAt     Instant // by the last request of the client, or when it was opened
	queue      []byte  // what waits for the connection
	queued     int     // bytes of the client in it
	kept       int     // bytes that the host keeps for it

	slot  *envoyrouted.Slot // its place in the circuit of its cluster; nil where there is none
	waits bool              // for room in the circuit: it is not opening yet

	answers framing.Cutter
	pending pendingTable
}

// failures are what requests get whose upstream connection fails.
type failures struct{ failed, failedLocally, overflow, timedOut, lost, unreadable failure }

var (
	upstreamFailed = failure{causeUpstreamFailed, &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the connection to the broker or name server could not be opened"}}
	upstreamLost   = failure{causeUpstreamLost, &codec.Reply{Code: codec.ResponseSystemError, Remark: "the connection to the broker or name server broke before the answer came"}}
	plainFailures  = failures{failed: upstreamFailed, failedLocally: upstreamFailed, overflow: upstreamFailed, timedOut: upstreamFailed, lost: upstreamLost, unreadable: upstreamLost}

	deadlinePassed = failure{causeDeadline, &codec.Reply{Code: codec.ResponseSystemError, Remark: "no answer came in time"}}
	overLimit      = failure{causeRefused, &codec.Reply{Code: codec.ResponseSystemBusy, Remark: "too much is waiting on this connection"}}
)

// of returns the failure of a cause.
func (f *failures) of(cause ConnectFailure) failure {
	switch cause {
	case LocalFailure:
		return f.failedLocally
	case ConnectOverflow:
		return f.overflow
	case ConnectTimeout:
		return f.timedOut
	}
	return f.failed
}

// plainUpstreams is the part of a mode whose upstream connections ask nothing of Envoy's clusters.
type plainUpstreams struct{ session *Session }

func (plainUpstreams) mayReach(target, string) *codec.Reply { return nil }
func (plainUpstreams) crowded(target, string) bool          { return false }
func (plainUpstreams) mayDial(*upstream) bool               { return true }
func (plainUpstreams) dialNext(*upstream) bool              { return false }
func (plainUpstreams) mayQueue(*upstream) *codec.Reply      { return nil }
func (plainUpstreams) failures() *failures                  { return &plainFailures }
func (p plainUpstreams) connectTimeout(*upstream) Instant {
	return p.session.environment.Config.Timeouts.Connect
}

// connect opens an upstream connection, if it may go to that address.
func (s *Session) connect(to target, address string) (*upstream, *codec.Reply) {
	if refusal := s.mayConnect(to, address); refusal != nil {
		return nil, refusal
	}
	s.lastUpstream++
	u := &upstream{
		session:   s,
		id:        s.lastUpstream,
		target:    to,
		address:   address,
		connected: s.capabilities.InPlace,
		usedAt:    s.now,
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
	if s.state != closed && s.mode.mayDial(u) { // closed: the header was too much to keep
		s.dial(u)
	}
	return u, nil
}

// dial begins to open u.
func (s *Session) dial(u *upstream) {
	s.recorder.Inc(stats.UpstreamConnect)
	if !u.connected {
		u.deadline = s.now + s.mode.connectTimeout(u)
		s.arm(u.deadline)
	}
	destination := u.address
	if egress := s.egress(); egress != "" {
		destination = egress
	}
	s.host.ConnectUpstream(u.id, destination)
}

// egress returns where upstream connections go first; empty: straight to their destination.
func (s *Session) egress() string {
	if s.capabilities.InPlace {
		return ""
	}
	return s.environment.Config.Egress
}

// egressHeader returns the PROXY protocol header that names a connection's destination to the egress listener.
func (s *Session) egressHeader(address string) []byte {
	source, _ := netip.ParseAddrPort(s.remote)
	destination, _ := netip.ParseAddrPort(address)
	return proxyprotocol.Header(source, destination)
}

// send writes bytes of the client to u, behind everything that was judged before them. It returns false if the session has
// ended.
func (u *upstream) send(b []byte) bool {
	s := u.session
	if !s.flushRequests() {
		return false
	}
	u.write(b)
	return s.state != closed
}

// sendOwn is send for bytes of the proxy itself: they do not count against the client's max_buffered_bytes.
func (u *upstream) sendOwn(b []byte) bool {
	s := u.session
	if !s.flushRequests() {
		return false
	}
	u.writeOwn(b)
	return s.state != closed
}

// flushRequests writes what has been judged so far, so that what follows goes out, and is accounted for, after it. It
// returns false if the session has ended.
func (s *Session) flushRequests() bool {
	s.toUpstream.Flush()
	return s.state != closed
}

// write passes bytes of the client to the host, or keeps them until u is connected.
func (u *upstream) write(b []byte) {
	if !u.connected {
		u.queued += len(b)
		u.session.queued += len(b)
	}
	u.writeOwn(b)
}

// writeOwn is write for bytes of the proxy itself.
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

// mayKeep reports whether n bytes more for u, which have to be kept, are within the limits: what waits for connections to
// open has not reached max_buffered_bytes, and there is memory for them. No frame within max_frame_bytes is too large by
// itself.
func (s *Session) mayKeep(u *upstream, n int) bool {
	s.flushRequests() // it counts
	return (u.connected || s.queued < s.environment.Config.Limits.MaxBufferedBytes) && s.quota.Memory.HasRoom(n)
}

// freeQueue drops what waits for the connection.
func (u *upstream) freeQueue() {
	u.session.queued -= u.queued
	u.queued = 0
	u.session.quota.Memory.ReleaseBytes(u.queue)
	u.queue = nil
}

// forget takes u out of the session.
func (s *Session) forget(u *upstream) {
	delete(s.upstreams, u.id)
	u.freeQueue()
	if u.slot != nil {
		u.slot.Leave()
	}
	u.drained(u.kept)
	if s.state != closed { // else it may be in use, up the stack
		u.answers.Discard()
	}
	s.mode.forget(u)
	s.recorder.Add(stats.UpstreamActive, -1)
}

// closeIfIdle ends a connection at which nothing waits any more, if it is leaving or others want its place.
func (s *Session) closeIfIdle(u *upstream) {
	if u.pending.Len() == 0 && s.upstreams[u.id] == u && (u.leaving || u.isSpare()) {
		s.host.CloseUpstream(u.id)
		s.forget(u)
		u.freePending()
	}
}

// isSpare reports whether u has nothing to do, and others wait for its place in the circuit.
func (u *upstream) isSpare() bool {
	return u.slot != nil && u.connected && !u.answers.Holds() && u.slot.Spare()
}

// closeUpstream ends a connection of which the other side need not know why, and what waits at it.
func (s *Session) closeUpstream(u *upstream, why failure) {
	s.host.CloseUpstream(u.id)
	s.loseUpstream(u, why)
}

// loseUpstream ends what waits at u, whose connection is gone.
func (s *Session) loseUpstream(u *upstream, why failure) {
	s.forget(u)
	u.target.cluster.RefreshSoon()
	s.mode.upstreamLost(u, why)
}

// connectFailed goes on to another address where the mode has one, and otherwise ends what waits at u. Behind an egress
// listener it is not the destination that has failed.
func (s *Session) connectFailed(u *upstream, why failure) {
	s.recorder.Inc(stats.UpstreamConnectFailure)
	if s.egress() == "" {
		u.target.cluster.Failed(u.address)
		u.tried = append(u.tried, u.address)
		if s.mode.dialNext(u) {
			return
		}
	}
	s.loseUpstream(u, why)
}

// redial opens u, which could not be opened, to another address. What waits at it goes there.
func (s *Session) redial(u *upstream, address string) {
	delete(s.upstreams, u.id)
	s.lastUpstream++
	u.id, u.address = s.lastUpstream, address
	s.upstreams[u.id] = u
	s.dial(u)
}

// UpstreamConnected is called when an upstream connection is open.
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
	s.closeIfIdle(u) // it may have been for a request that wants no answer
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

// UpstreamFull is called when an upstream connection has taken too little of what was written to it for a while, and when
// it has caught up. It returns true if the session refuses meanwhile what is for it, so that what is for others need not
// wait.
func (s *Session) UpstreamFull(now Instant, id UpstreamID, full bool) (refuses bool) {
	s.enter(now)
	defer s.leave()
	u := s.upstreams[id]
	return u != nil && s.mode.upstreamFull(u, full)
}

// UpstreamFailed is called when an upstream connection could not be opened.
func (s *Session) UpstreamFailed(now Instant, id UpstreamID, cause ConnectFailure) {
	s.enter(now)
	defer s.leave()
	if u := s.upstreams[id]; u != nil {
		s.connectFailed(u, s.mode.failures().of(cause))
	}
}

// UpstreamClosed is called when an open upstream connection has ended.
func (s *Session) UpstreamClosed(now Instant, id UpstreamID) {
	s.enter(now)
	defer s.leave()
	switch u := s.upstreams[id]; {
	case u == nil:
	case s.capabilities.InPlace && !u.answers.SawFrame() && !u.answers.Holds():
		s.connectFailed(u, s.mode.failures().failed) // as far as can be seen: tcp_proxy does not say when it is connected
	default:
		s.recorder.Inc(stats.UpstreamLost)
		s.loseUpstream(u, s.mode.failures().lost)
	}
}

// UpstreamData takes bytes from an upstream connection; they are borrowed. It returns true if all of them go on to the
// client as they are, which it does only where the host works InPlace.
func (s *Session) UpstreamData(now Instant, id UpstreamID, in [][]byte) (untouched bool) {
	s.enter(now)
	defer s.leave()
	s.lastByteAt = now
	u := s.upstreams[id]
	if u == nil {
		return false
	}
	u.unanswered = 0
	s.toClient.Begin(now, in)
	proceed, err := u.answers.Feed(&s.toClient, u)
	if !u.answers.MidFrame() {
		s.flushReplies()
		s.closeIfIdle(u)
	}
	untouched = s.toClient.End(s.capabilities.InPlace && proceed)
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
		s.closeUpstream(u, s.mode.failures().unreadable)
	}
	return untouched
}
