// SPDX-License-Identifier: Apache-2.0

package session

import (
	"math"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// never is later than every deadline.
const never = Instant(math.MaxInt64)

// clientDeadline returns when the client's connection ends if nothing comes from it, or when to look at it again.
func (s *Session) clientDeadline() Instant {
	if s.state == waiting {
		return never // it is the client that waits
	}
	timeouts := &s.environment.Config.Timeouts
	full := s.host.DownstreamFull()
	deadline := s.lastByteAt + timeouts.Idle
	if s.inFlight.all > 0 && !full {
		deadline = s.now + timeouts.Idle // by then it may have stopped reading its answers
	}
	if !s.requests.SawFrame() {
		deadline = min(deadline, s.opened+timeouts.Handshake)
	}
	// A client that is not read cannot complete its frame: the rest may be on its way. Nor is a client read that does not
	// read.
	if s.requests.Holds() && !s.mode.stopsReading() && !full {
		deadline = min(deadline, s.requests.Began()+timeouts.Frame)
	}
	return deadline
}

// stallDeadline returns when u's connection ends if nothing comes from it.
func (u *upstream) stallDeadline() Instant {
	if u.answers.Holds() {
		return u.answers.Grew() + u.session.environment.Config.Timeouts.UpstreamStall
	}
	return never
}

// expire ends what is past its deadline and arms the next wake.
func (s *Session) expire() {
	next := s.mode.expire()
	for _, u := range s.upstreams {
		next = min(next, s.expireUpstream(u))
	}
	if s.state == closed {
		return
	}
	if s.clientDeadline() <= s.now {
		s.recorder.Inc(stats.DownstreamTimeout)
		s.closeDownstream()
		return
	}
	next = min(next, s.clientDeadline())
	if s.state == waiting {
		next = min(next, s.openDeadline)
	}
	s.quota.Pending.GiveBackSpare()
	s.quota.Memory.GiveBackSpare()
	if next != never {
		s.arm(next)
	}
}

// expireUpstream ends what is past its deadline at u, and returns the next deadline.
func (s *Session) expireUpstream(u *upstream) Instant {
	var next Instant
	expired := false
	switch {
	case !u.connected && u.deadline <= s.now:
		s.host.CloseUpstream(u.id)
		if s.connectFailed(u, s.mode.failures().timedOut); s.upstreams[u.id] != u {
			return never
		}
		next = u.deadline
	case !u.connected:
		next = u.deadline
	case u.stallDeadline() <= s.now:
		s.recorder.Inc(stats.UpstreamTimeout)
		s.closeUpstream(u, s.mode.failures().lost)
		return never
	default:
		next = u.stallDeadline()
	}
	for opaque, p := range u.pending.All() {
		if p.deadline > s.now {
			next = min(next, p.deadline)
			continue
		}
		expired = true
		u.unanswered++
		s.mode.fail(u, opaque, p, deadlinePassed)
	}
	if u.waits && expired && u.pending.Len() == 0 { // for nobody any more
		u.leaving = true
	}
	s.closeIfIdle(u)
	return next
}
