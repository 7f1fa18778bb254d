// SPDX-License-Identifier: Apache-2.0

package session

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"

// closeTime is how long a connection that is being closed may take to send what was written to it; and, where it was
// full, what is left once it has caught up.
const closeTime = 5e9

// maxUncounted is the most bytes of a broker that are passed on without asking whether the client takes them: far less
// than the host buffers, and it does not read brokers while a client is full.
const maxUncounted = 64 << 10

// writeDownstream sends bytes of the proxy itself to the client, between two answers of an upstream.
func (s *Session) writeDownstream(b []byte) {
	if s.state == closed {
		return
	}
	if s.cutThrough != nil && s.cutThrough.MidFrame() {
		if len(s.replies) >= s.environment.Config.Limits.MaxBufferedBytes {
			s.overMemory()
			return
		}
		var ok bool
		if s.replies, ok = s.quota.Memory.Append(s.replies, b); !ok {
			s.overMemory()
		}
		return
	}
	s.sendReplies(b)
}

// sendReplies sends bytes of the proxy itself behind everything that was judged before them.
func (s *Session) sendReplies(b []byte) {
	s.toClient.Flush()
	s.sendDownstream(b)
}

// flushReplies sends what had to wait for the end of an answer.
func (s *Session) flushReplies() {
	if len(s.replies) == 0 {
		return
	}
	replies := s.replies
	s.replies = nil
	s.quota.Memory.ReleaseBytes(replies)
	s.sendReplies(replies)
}

// passDownstream sends bytes of a broker on to the client.
func (s *Session) passDownstream(_ UpstreamID, b []byte) {
	if len(b) <= maxUncounted && s.state != closed {
		s.host.WriteDownstream(b)
	} else {
		s.sendDownstream(b)
	}
}

// sendDownstream writes to the client. What a full client is sent counts as kept until it has caught up, and it gets no
// answers of the proxy itself meanwhile. One that is being closed gets nothing more.
func (s *Session) sendDownstream(b []byte) {
	if s.state == closed {
		return
	}
	s.host.WriteDownstream(b)
	if !s.host.DownstreamFull() {
		return
	}
	if !s.full {
		s.full = true
		s.recorder.Inc(stats.DownstreamFull)
	}
	if s.quota.Memory.Reserve(len(b)) {
		s.unsent += len(b)
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
	if s.state != closed {
		s.arm(s.clientDeadline())
	}
}

// closeDownstream ends the session and the client connection.
func (s *Session) closeDownstream() {
	if s.state == closed {
		return
	}
	s.end()
	s.endDownstream()
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
