// SPDX-License-Identifier: Apache-2.0

package session

import (
	"math"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/addressing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// patience is how long a request waits on a connection that stands for one upstream. The proxy does
// not answer for the broker there, it only stops counting what nobody can be waiting for any more.
const patience = 10 * 60 * 1e9

var deadlinePassed = &router.Refusal{Code: codec.ResponseSystemError, Remark: "no answer came in time"}

// never is later than every deadline.
const never = Instant(math.MaxInt64)

// deadlineOf is when a request's time is over.
func (s *Session) deadlineOf(kind *requests.Type, wait Instant) Instant {
	if s.role.Kind != addressing.ToAll {
		return s.now + patience
	}
	timeout := kind.Timeout
	if timeout == 0 {
		timeout = s.environment.Config.Timeouts.Request
	}
	return s.now + timeout + wait
}

// clientDeadline is when the client's connection ends if nothing comes from it, or when to look at it again.
func (s *Session) clientDeadline() Instant {
	if s.state == waiting {
		return never // it is the client that waits
	}
	timeouts := &s.environment.Config.Timeouts
	full := s.host.DownstreamFull()
	deadline := s.heard + timeouts.Idle
	if s.active.all > 0 && !full {
		deadline = s.now + timeouts.Idle // by then it may have stopped reading its answers
	}
	if !s.requests.SawFrame() {
		deadline = min(deadline, s.opened+timeouts.Handshake)
	}
	// A client whose broker has stopped reading is not read either, in the middle of a frame: while it waits for an
	// answer the rest may be on its way. On a unified connection such a broker is refused instead. Nor is a client read
	// that does not read.
	if s.requests.Holds() && (s.role.Kind == addressing.ToAll || s.active.all == 0) && !full {
		deadline = min(deadline, s.requests.Began()+timeouts.Frame)
	}
	return deadline
}

// stallDeadline is when u's connection ends if nothing comes from it.
func (u *upstream) stallDeadline() Instant {
	if u.answers.Holds() {
		return u.answers.Grew() + u.session.environment.Config.Timeouts.UpstreamStall
	}
	return never
}

// expire ends what is past its deadline and arms the next wake.
func (s *Session) expire() {
	next := never
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
	if s.unified != nil {
		next = min(next, s.unified.expire(s))
	}
	if s.state == waiting {
		next = min(next, s.giveUp)
	}
	s.quota.Pending.GiveBackSpare()
	s.quota.Memory.GiveBackSpare()
	if next != never {
		s.arm(next)
	}
}

// expireUpstream ends what is past its deadline at u, and gives the next deadline.
func (s *Session) expireUpstream(u *upstream) Instant {
	if u.waits {
		if s.retryWaiting(u); s.upstreams[u.id] != u {
			return never
		}
	}
	var next Instant
	expired := false
	switch {
	case !u.connected && u.deadline <= s.now:
		s.host.CloseUpstream(u.id)
		s.connectFailed(u, s.losses().timedOut)
		return never
	case !u.connected:
		next = u.deadline
	case u.stallDeadline() <= s.now:
		s.recorder.Inc(stats.UpstreamTimeout)
		s.host.CloseUpstream(u.id)
		s.loseUpstream(u, s.losses().lost)
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
		u.unheard++
		if p.fanOut == nil {
			s.recorder.Inc(stats.RequestExpired)
		}
		if s.role.Kind == addressing.ToAll {
			s.fail(u, opaque, p, deadlinePassed)
		} else {
			s.finish(u, opaque, p)
			s.recorder.Inc(stats.ResponseError)
			p.noted.end(s, ending{cause: causeDeadline})
		}
	}
	if u.waits && expired && u.pending.Len() == 0 { // for nobody any more
		u.leaving = true
	}
	if s.unified != nil && u.connected && !u.leaving && u.unheard >= maxUnheard {
		s.retire(u, stats.UpstreamSilent)
	}
	s.endIfLeft(u)
	return next
}
