// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

type state uint8

const (
	// waiting for the directory: what the client sends is kept.
	waiting state = iota
	open
	closed
)

// Session is one client connection. Its methods may be called from any thread.
type Session struct {
	environment  *Environment
	host         Host
	capabilities Capabilities
	recorder     *stats.Recorder
	local        string // "ip:port" that the client dialled
	remote       string // "ip:port" of the client
	brokerName   string // that the dialled port stands for; empty: none
	mode         mode
	policy       *policy.Client // nil: none

	mu    sync.Mutex // guards everything below
	now   Instant    // of the current event
	state state

	lastByteAt Instant          // either way
	quota      quota.Connection // what this session takes of what all share

	requests   framing.Cutter
	toUpstream framing.Passage // requests that pass unchanged
	toClient   framing.Passage // answers that pass unchanged
	cutThrough *framing.Cutter // that of answers which go on before they are complete; nil: none do
	backlog    backlog         // what came while nothing may be judged
	replies    []byte          // the proxy's own answers that must not cut an answer in two

	full    bool    // the client has not taken what it was sent: nothing is judged until it has
	unsent  int     // bytes that were written to the client while it was full, and count as kept
	abortAt Instant // when a connection that is being closed has had its time

	upstreams    map[UpstreamID]*upstream
	lastUpstream UpstreamID
	inFlight     inFlight    // over all upstreams and broadcasts
	queued       int         // bytes of the client in the queues of all upstreams
	wakeAt       Instant     // what WakeAt was last asked for; 0: nothing
	openDeadline Instant     // end of the waiting state
	refreshed    func()      // wakes this session after a refresh of the directory; identity matters
	called       atomic.Bool // refreshed has asked for a wake

	tracking     *tracked // the request that is being judged; nil for most
	opened       Instant
	requestCount int64
}

// enter begins an event.
func (s *Session) enter(now Instant) {
	s.mu.Lock()
	s.now = now
}

// leave ends it.
func (s *Session) leave() {
	s.inFlight.flush(s.recorder)
	s.quota.Pending.ReleaseTo(s.inFlight.all)
	s.mu.Unlock()
}

// newCutter makes a cutter of one direction of a connection.
func (s *Session) newCutter() framing.Cutter {
	return framing.Cutter{Limits: s.environment.Config.FrameLimits(), Whole: s.mode.wholeFrames(), Memory: &s.quota.Memory}
}

// Open starts the session.
func (s *Session) Open(now Instant) {
	s.enter(now)
	defer s.leave()
	s.opened, s.lastByteAt = now, now
	s.recorder.Inc(stats.DownstreamActive)
	s.quota.Join(&s.environment.totals, s.environment.Files, &s.environment.Config.Limits, s.remote, s.recorder)
	if !s.quota.Admit(s.mode.ownFiles()) {
		s.recorder.Inc(stats.DownstreamOverLimit)
		s.closeDownstream()
		return
	}
	s.openDeadline = now + s.environment.Config.Timeouts.Directory
	s.tryOpen()
	s.armClient()
}

// tryOpen leaves the waiting state, or stays in it until the directory has been refreshed.
func (s *Session) tryOpen() {
	switch {
	case s.mode.open():
	case s.now < s.openDeadline:
		s.state = waiting
		s.arm(s.openDeadline) // before Await: a wake by it must not be replaced by this one
		s.environment.Clusters.Await(&s.refreshed)
		if s.mode.open() { // the refresh was done in between
			s.environment.Clusters.Forget(&s.refreshed)
		} else {
			s.mode.await()
		}
	default:
		s.mode.openUnknown()
	}
}

// DownstreamData takes bytes from the client; they are borrowed. It returns true if all of them
// go on to the upstream as they are, which it does only where the host works InPlace.
func (s *Session) DownstreamData(now Instant, in [][]byte) (untouched bool) {
	s.enter(now)
	defer s.leave()
	s.lastByteAt = now
	s.mode.follow()
	switch s.state {
	case closed:
		return false
	case waiting:
		s.keepEarly(in)
		return false
	}
	judged, untouched := s.cutRequests(in, s.capabilities.InPlace)
	if s.full {
		s.keep(in, judged)
	}
	return untouched
}

// keepEarly keeps bytes that come while the session waits: as many as may wait later, and a frame more.
func (s *Session) keepEarly(in [][]byte) {
	size := s.backlog.size()
	for _, b := range in {
		size += len(b)
	}
	if limits := &s.environment.Config.Limits; size > limits.MaxBufferedBytes+limits.MaxFrameBytes {
		s.recorder.Inc(stats.DownstreamRefused)
		s.closeDownstream()
		return
	}
	s.keep(in, 0)
}

// keep keeps the bytes of an event behind the first `judged` ones.
func (s *Session) keep(in [][]byte, judged int) {
	if s.state != closed && !s.backlog.add(in, judged) {
		s.overMemory()
	}
}

// judgeBacklog judges the bytes that were kept, as far as the client takes the answers.
func (s *Session) judgeBacklog() {
	if s.state != open || s.backlog.size() == 0 {
		return
	}
	judged, _ := s.cutRequests([][]byte{s.backlog.rest()}, false)
	if s.state != closed {
		s.backlog.drop(judged)
	}
}

// cutRequests judges bytes of the client up to where it is full: the first `judged` of them.
func (s *Session) cutRequests(in [][]byte, inPlace bool) (judged int, untouched bool) {
	s.toUpstream.Begin(s.now, in)
	proceed, err := s.requests.Feed(&s.toUpstream, requestJudge{s})
	judged = s.toUpstream.Consumed()
	untouched = s.toUpstream.End(inPlace && proceed)
	switch {
	case errors.Is(err, framing.ErrOverMemory):
		s.overMemory()
	case err != nil:
		s.recorder.Inc(stats.RequestDecodingError)
		s.noteFrameError(err, s.remote)
		s.closeDownstream()
	case s.requests.Holds():
		s.armClient()
	}
	return judged, untouched
}

// overMemory ends a session that would have to keep more than it may.
func (s *Session) overMemory() {
	if s.closeDownstream() {
		s.recorder.Inc(stats.MemoryOverLimit)
	}
}

// noteFrameError counts and logs bytes of `sender` ("ip:port") that are no frame; other errors are not its business.
func (s *Session) noteFrameError(err error, sender string) {
	var frameError *codec.FrameError
	if errors.As(err, &frameError) {
		s.recorder.Inc(stats.FrameErrorID(frameError.Kind))
		s.warn("the connection to %q is closed, it has sent what cannot be read: %v", sender, err)
	}
}

// warn writes a line to Envoy's log, by the rules of Environment.Warn.
func (s *Session) warn(format string, arguments ...any) {
	if s.environment.Warn != nil {
		s.environment.Warn(s.now, format, arguments...)
	}
}

// Wake does what is due: requests past their deadline, the end of waiting.
func (s *Session) Wake(now Instant) {
	s.enter(now)
	defer s.leave()
	s.called.Store(false)
	s.wakeAt = 0
	switch s.state {
	case closed:
		s.abortIfDue()
		return
	case waiting:
		s.lastByteAt = now // the silence was the proxy's
		s.tryOpen()
		s.judgeBacklog()
	case open:
		s.mode.follow()
	}
	s.expire()
}

// armClient schedules a wake-up for the client's deadline.
func (s *Session) armClient() {
	if s.state != closed {
		s.arm(s.clientDeadline())
	}
}

// arm schedules a wake-up at `deadline` at the latest. A session that has ended has a deadline only for its close.
func (s *Session) arm(deadline Instant) {
	if s.state != closed && (s.wakeAt == 0 || deadline < s.wakeAt) {
		s.wakeAt = deadline
		s.host.WakeAt(deadline)
		if s.called.Load() { // another thread's wake, which the one before this line has replaced
			s.host.WakeAt(0)
		}
	}
}

// Close ends the session: the client connection is gone.
func (s *Session) Close(now Instant) {
	s.enter(now)
	defer s.leave()
	s.end()
	s.abortAt, s.unsent = 0, 0
	s.recorder.Add(stats.DownstreamActive, -1)
	s.observeConnection()
	s.quota.Leave()
}

// end gives up everything the session holds, once: it returns false if the session has ended before. What the client has
// not taken counts until its connection is gone.
func (s *Session) end() bool {
	if s.state == closed {
		return false
	}
	s.state = closed
	s.environment.Clusters.Forget(&s.refreshed)
	s.flushRequests()
	for _, u := range s.upstreams {
		s.cancelAll(u)
		s.forget(u)
		s.host.CloseUpstream(u.id)
	}
	s.mode.close()
	s.backlog.bytes, s.replies = nil, nil
	s.quota.Pending.Close(0)
	s.quota.Memory.Close(s.unsent)
	return true
}

// Abandon ends the session after a panic in it: its state cannot be trusted.
func (s *Session) Abandon(now Instant) {
	s.enter(now)
	defer s.leave()
	if s.state == closed {
		return
	}
	s.endDownstream()    // first: the rest may fail too
	s.toUpstream.Abort() // views that may be gone
	s.toClient.Abort()
	s.end()
}
