// SPDX-License-Identifier: Apache-2.0

package session

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"

// closeTime is how long a connection that is being closed may take to send what was written to it; and, where it was
// full, the rest of it once it has caught up.
const closeTime = 5e9

// maxUncounted is how many bytes of a broker are passed on at most without asking whether the client takes them: far
// less than the host buffers, and it does not read brokers while a client is full.
const maxUncounted = 64 << 10

// writeDownstream sends bytes of the proxy itself to the client, between two answers of an upstream.
func (s *Session) writeDownstream(b []byte) {
	if s.cutThrough == nil || !s.cutThrough.MidFrame() {
		s.toClient.Flush()
		s.sendDownstream(b)
		return
	}
	if len(s.replies) >= s.environment.Config.Limits.MaxBufferedBytes {
		s.overMemory()
		return
	}
	var ok bool
	if s.replies, ok = s.quota.Memory.Append(s.replies, b); !ok {
		s.overMemory()
	}
}

// flushReplies sends what had to wait for the end of an answer. It returns false if the session has ended.
func (s *Session) flushReplies() bool {
	if len(s.replies) > 0 {
		replies := s.replies
		s.replies = nil
		s.quota.Memory.ReleaseBytes(replies)
		s.writeDownstream(replies)
	}
	return s.state != closed
}

// passDownstream sends bytes of a broker on to the client.
func (s *Session) passDownstream(_ UpstreamID, b []byte) {
	if s.handDownstream(b) && len(b) > maxUncounted {
		s.chargeUnsent(len(b))
	}
}

// sendDownstream sends bytes of the proxy itself to the client.
func (s *Session) sendDownstream(b []byte) {
	if s.handDownstream(b) {
		s.chargeUnsent(len(b))
	}
}

// handDownstream passes bytes for the client to the host. A client that is being closed gets nothing more.
func (s *Session) handDownstream(b []byte) bool {
	if s.state == closed {
		return false
	}
	s.host.WriteDownstream(b)
	return true
}

// chargeUnsent charges n bytes that were sent to a client which is full, until it has caught up. It gets no answers of the
// proxy itself meanwhile.
func (s *Session) chargeUnsent(n int) {
	if !s.host.DownstreamFull() {
		return
	}
	if !s.full {
		s.full = true
		s.recorder.Inc(stats.DownstreamFull)
	}
	if s.quota.Memory.Reserve(n) {
		s.unsent += n
		return
	}
	s.recorder.Inc(stats.MemoryOverLimit)
	s.end()
	s.host.AbortDownstream()
}

// DownstreamDrained is called when a client that was full has caught up.
func (s *Session) DownstreamDrained(now Instant) {
	s.enter(now)
	defer s.leave()
	if s.state == closed {
		if s.abortAt != 0 {
			s.abortLater() // the client reads: it may have the rest
		}
		return
	}
	if s.host.DownstreamFull() {
		return
	}
	s.lastByteAt = now // it has read
	if s.requests.Holds() {
		s.requests.Restart(now) // it was not read
	}
	s.quota.Memory.Release(s.unsent)
	s.full, s.unsent = false, 0
	s.judgeBacklog()
	s.armClient()
}

// closeDownstream ends the session and the client connection, once: it returns false if the session has ended before.
func (s *Session) closeDownstream() bool {
	ended := s.end()
	if ended {
		s.endDownstream()
	}
	return ended
}

// endDownstream ends the client connection, and again if the client does not read what it has still to get.
func (s *Session) endDownstream() {
	s.host.CloseDownstream()
	s.abortLater()
}

// abortLater aborts the connection in a while, unless it has ended by then.
func (s *Session) abortLater() {
	s.abortAt = s.now + closeTime
	s.host.WakeAt(s.abortAt)
}

// abortIfDue ends a connection that has had its time to close.
func (s *Session) abortIfDue() {
	switch {
	case s.abortAt == 0:
	case s.abortAt > s.now:
		s.host.WakeAt(s.abortAt) // this was an earlier wake
	default:
		s.abortAt = 0
		s.host.AbortDownstream()
	}
}
