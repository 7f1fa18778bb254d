// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/quota"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
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
	role         addressing.Role
	policy       *policy.Client // nil: none

	mu    sync.Mutex // guards everything below
	now   Instant    // of the current event
	state state

	heard Instant          // when bytes came last, either way
	quota quota.Connection // what this session takes of what all share

	requests framing.Cutter
	goingUp  framing.Passage // requests that pass unchanged
	coming   framing.Passage // answers that pass unchanged
	backlog  backlog         // what came while nothing may be judged
	late     []byte          // the proxy's own answers that must not cut an answer in two

	full    bool    // the client has not taken what it was sent: nothing is judged until it has
	unsent  int     // bytes that were written to the client while it was full, and count as kept
	abortAt Instant // when a connection that is being closed has had its time

	upstreams    map[UpstreamID]*upstream
	lastUpstream UpstreamID
	only         *upstream   // the single upstream, unless role is ToAll
	active       active      // over all upstreams and fan-outs
	queued       int         // bytes of the client in the queues of all upstreams
	wakeAt       Instant     // what WakeAt was last asked for; 0: nothing
	giveUp       Instant     // end of the waiting state
	refreshed    func()      // wakes this session after a refresh of the directory; identity matters
	called       atomic.Bool // refreshed has asked for a wake

	noting  *noted // of the request that is being judged; nil for most
	opened  Instant
	judged  int64    // requests
	unified *unified // what only a ToAll connection needs
}

// New makes the session of a connection that a client at `remote` made to `local` (both "ip:port"). Open
// starts it.
func New(environment *Environment, host Host, local, remote string) *Session {
	s := &Session{
		environment:  environment,
		host:         host,
		capabilities: host.Capabilities(),
		recorder:     environment.Stats.Recorder(),
		local:        local,
		remote:       remote,
	}
	s.policy = environment.Policy.Client(remote, s.recorder)
	address, _ := netip.ParseAddrPort(local) // port 0 if it is none: no rule names that
	environment.Own.Arrived(address)
	s.role = environment.Rules.Role(address.Port())
	s.backlog.memory = &s.quota.Memory
	s.requests = s.newCutter()
	s.requests.Paused = &s.full
	if s.role.Kind == addressing.ToAll {
		s.unified = newUnified()
	}
	s.goingUp.Write = func(to UpstreamID, b []byte) {
		if u := s.upstreams[to]; u != nil {
			u.write(b)
		}
	}
	s.coming.Write = s.passDownstream
	s.refreshed = func() {
		s.called.Store(true)
		s.host.WakeAt(0)
	}
	return s
}

// enter begins an event.
func (s *Session) enter(now Instant) {
	s.mu.Lock()
	s.now = now
}

// leave ends it.
func (s *Session) leave() {
	s.active.tell(s.recorder)
	s.quota.Pending.ReleaseTo(s.active.all)
	s.mu.Unlock()
}

// newCutter makes a cutter of one direction of a connection.
func (s *Session) newCutter() framing.Cutter {
	return framing.Cutter{Limits: s.environment.frameLimits(), Whole: s.role.Kind == addressing.ToAll, Memory: &s.quota.Memory}
}

// Open starts the session.
func (s *Session) Open(now Instant) {
	s.enter(now)
	defer s.leave()
	s.opened, s.heard = now, now
	s.recorder.Inc(stats.DownstreamActive)
	s.quota.Join(&s.environment.totals, s.environment.Files, &s.environment.Config.Limits, s.remote, s.recorder)
	if !s.quota.Admit(s.ownFiles()) {
		s.recorder.Inc(stats.DownstreamOverLimit)
		s.closeDownstream()
		return
	}
	s.giveUp = now + s.environment.Config.Timeouts.Directory
	s.tryOpen()
	if s.state != closed {
		s.arm(s.clientDeadline())
	}
}

// ownFiles returns how many files a session has open from its begin to its end: the client's connection and, if it has a
// single one, the upstream's. On unified connections each upstream connection is counted by itself.
func (s *Session) ownFiles() int {
	if s.unified != nil {
		return 1
	}
	return 2
}

// tryOpen leaves the waiting state, or stays in it until the directory has been refreshed.
func (s *Session) tryOpen() {
	switch {
	case s.openNow():
	case s.now < s.giveUp:
		s.state = waiting
		s.arm(s.giveUp) // before Await: a wake by it must not be replaced by this one
		s.environment.Clusters.Await(&s.refreshed)
		if s.openNow() { // the refresh was done in between
			s.environment.Clusters.Forget(&s.refreshed)
		} else if s.role.Kind != addressing.ToAll {
			s.environment.Clusters.RefreshSoon()
		}
	case s.role.Kind == addressing.ToAll:
		s.state = open // requests are answered as far as it goes
	default:
		s.recorder.Inc(stats.DownstreamRefused)
		s.recorder.Inc(stats.BrokerUnknown)
		s.closeDownstream()
	}
}

// openNow opens the session if what it needs is known, or closes it if that may not be reached.
func (s *Session) openNow() bool {
	if s.role.Kind == addressing.ToAll {
		if c := s.environment.Compatible; !s.environment.Clusters.Asked() || c != nil && !c.known() {
			return false
		}
		s.state = open
		return true
	}
	address, known := s.destination()
	if !known {
		return false
	}
	s.state = open
	u, refusal := s.connect(place{cluster: s.environment.Clusters.First()}, address)
	if refusal != nil {
		s.recorder.Inc(stats.DownstreamRefused)
		s.closeDownstream()
	}
	s.only = u
	return true
}

// destination is where the single upstream of this connection goes to.
func (s *Session) destination() (address string, known bool) {
	snapshot := s.environment.Clusters.First().Snapshot()
	switch s.role.Kind {
	case addressing.ToBroker:
		return snapshot.Address(s.role.BrokerName, s.role.BrokerID)
	case addressing.ToNumber:
		return snapshot.Numbered(func(name string) bool {
			number, ok := addressing.NumberOf(name)
			return ok && number == s.role.Number
		}, s.role.BrokerID)
	case addressing.ToDialled:
		// Not to wherever a client wants: an Envoy whose listener was dialled directly would call itself.
		return s.local, snapshot.Known(s.local) || s.environment.Config.Addressing.PassUncovered
	}
	if s.capabilities.OwnDestination {
		return "", true
	}
	if servers := snapshot.NameServers(); len(servers) > 0 {
		return servers[0], true
	}
	return "", false
}

// DownstreamData takes bytes from the client; they are borrowed. It returns true if all of them
// shall go on to the upstream as they are, which only a host that works InPlace is ever told.
func (s *Session) DownstreamData(now Instant, in [][]byte) (untouched bool) {
	s.enter(now)
	defer s.leave()
	s.heard = now
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

// keepEarly keeps what comes while the session waits: as much as may wait later, and a frame more.
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

// keep keeps what follows the first `judged` bytes of an event.
func (s *Session) keep(in [][]byte, judged int) {
	if s.state != closed && !s.backlog.add(in, judged) {
		s.overMemory()
	}
}

// judgeBacklog judges what was kept, as far as the client takes the answers.
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
	s.goingUp.Begin(s.now, in)
	proceed, err := s.requests.Feed(&s.goingUp, requestJudge{s})
	judged = s.goingUp.Consumed()
	untouched = s.goingUp.End(inPlace && proceed)
	switch {
	case errors.Is(err, framing.ErrOverMemory):
		s.overMemory()
	case err != nil:
		s.recorder.Inc(stats.RequestDecodingError)
		s.noteFrameError(err, s.remote)
		s.closeDownstream()
	case s.requests.Holds():
		s.arm(s.clientDeadline())
	}
	return judged, untouched
}

// overMemory ends a session that would have to keep more than it may.
func (s *Session) overMemory() {
	if s.state != closed {
		s.recorder.Inc(stats.MemoryOverLimit)
		s.closeDownstream()
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
		s.heard = now // the silence was the proxy's
		s.tryOpen()
		s.judgeBacklog()
	}
	s.expire()
}

// arm has the session woken at `deadline` at the latest. One that has ended has a deadline only for its close.
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

// end gives up everything the session holds, once. What the client has not taken counts until its connection is gone.
func (s *Session) end() {
	if s.state == closed {
		return
	}
	s.state = closed
	s.environment.Clusters.Forget(&s.refreshed)
	s.goingUp.Flush()
	for _, u := range s.upstreams {
		s.cancelAll(u)
		s.forget(u)
		s.host.CloseUpstream(u.id)
	}
	if s.unified != nil {
		s.unified.cancel(s)
		s.leaveGroups()
	}
	s.backlog.bytes, s.late = nil, nil
	s.quota.Pending.Close(0)
	s.quota.Memory.Close(s.unsent)
}

// answer writes an answer of the proxy itself to a request with this opaque.
func (s *Session) answer(to asker, opaque int32, refusal *router.Refusal) {
	s.answerWith(to, opaque, refusal, nil)
}

// answerWith is answer with a body.
func (s *Session) answerWith(to asker, opaque int32, result *router.Refusal, content []byte) {
	s.writeCommand(codec.Command{
		Code:     int32(result.Code),
		Language: codec.LanguageOther,
		Version:  to.version,
		Opaque:   opaque,
		Flag:     codec.FlagResponse,
		Type:     to.serializeType,
		Remark:   result.Remark,
		Body:     content,
	})
}

// asker is what an answer must know of its request, beside the opaque.
type asker struct {
	version       int32
	serializeType codec.SerializeType
}

func askerOf(h *codec.Header) asker { return asker{h.Version, h.Type} }

func (s *Session) writeCommand(command codec.Command) {
	s.writeDownstream(command.Append(nil))
}

// Abandon ends the session after a fault of its own, whose state it does not trust.
func (s *Session) Abandon(now Instant) {
	s.enter(now)
	defer s.leave()
	if s.state == closed {
		return
	}
	s.endDownstream() // first: the rest may fail too
	s.goingUp.Abort() // views that may be gone
	s.coming.Abort()
	s.end()
}
