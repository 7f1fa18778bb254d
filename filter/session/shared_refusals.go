// SPDX-License-Identifier: Apache-2.0

package session

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// maxRefusalDelay is how long the refusal of a request is held back that might have waited at its broker. RocketMQ's C++
// client repeats a pull that was refused at once; others wait for longer than this anyway.
const maxRefusalDelay = time.Second

// holdRefusal keeps the refusal of a request that asks to wait at its broker, while there is room among what waits. What
// is refused because there is too much at the moment is answered at once: clients have a pace of their own for that.
func (s *shared) holdRefusal(h *codec.Header, refusal *codec.Reply) bool {
	code := s.mode.effectiveCode(h)
	kind := requests.Of(code)
	wait := kind.Wait(h)
	if wait == 0 || h.IsOneway() || refusal.Code == codec.ResponseSystemBusy || refusal.Code == codec.ResponseFlowControl {
		return false
	}
	if s.state == closed || s.held.Has(h.Opaque) || !s.reserve(&s.held) || !s.quota.Pending.Reserve(1) {
		return false
	}
	deadline := s.now + min(wait, maxRefusalDelay)
	p := s.held.Put(h.Opaque)
	p.kind, p.code, p.reply, p.tracked, p.refusal = kind, code, replyTo(h), s.tracking, refusal
	p.start, p.deadline = s.now, deadline
	s.inFlight.add(code, 1)
	s.arm(deadline)
	return true
}

// expireRefusals sends the refusals that were held back for long enough, and returns the next deadline.
func (s *shared) expireRefusals() Instant {
	next := never
	for opaque, p := range s.held.All() {
		if p.deadline > s.now {
			next = min(next, p.deadline)
			continue
		}
		s.conclude(&s.held, opaque, p, refusedWith(p.refusal))
	}
	return next
}
