// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// outcome is how a request ended. The zero value is that of one that wanted no answer.
type outcome struct {
	end      end
	answered bool               // the client gets an answer
	code     codec.ResponseCode // of it
	cause    string             // why there was no answer from upstream; empty: there was one, or none was wanted
	reply    *codec.Reply       // the proxy's own answer; nil: there is none
	body     []byte             // of reply
}

// end tells outcomes apart that count differently.
type end uint8

const (
	endOneway    end = iota // it wanted no answer
	endAnswered             // by an upstream
	endLocal                // answered by the proxy as an upstream would
	endRefused              // it went nowhere
	endFailed               // its upstream gave no answer that could be used
	endExpired              // its upstream gave none in time
	endCancelled            // the client is gone
	endReused               // its opaque was in use
)

// Causes of outcomes.
const (
	causeRefused        = "refused"
	causeOpaqueReused   = "opaque_reused"
	causeClientGone     = "client_gone"
	causeDeadline       = "deadline_passed"
	causeUpstreamFailed = "upstream_failed"
	causeUpstreamLost   = "upstream_lost"
	causeUnreadable     = "answer_unreadable"
)

// failure is why a request gets no answer from its upstream, and what the client gets instead.
type failure struct {
	cause string
	reply *codec.Reply
}

func answeredWith(code codec.ResponseCode) outcome {
	return outcome{end: endAnswered, answered: true, code: code}
}

func localWith(reply *codec.Reply, body []byte) outcome {
	return outcome{end: endLocal, answered: true, code: reply.Code, reply: reply, body: body}
}

func refusedWith(reply *codec.Reply) outcome {
	return outcome{end: endRefused, answered: true, code: reply.Code, cause: causeRefused, reply: reply}
}

// failedWith is the outcome of a request whose client gets the failure's reply.
func failedWith(why failure) outcome {
	o := unansweredWith(why)
	o.answered, o.code, o.reply = true, why.reply.Code, why.reply
	return o
}

// unansweredWith is the outcome of a request whose client gets no answer.
func unansweredWith(why failure) outcome {
	if why == deadlinePassed {
		return outcome{end: endExpired, cause: why.cause}
	}
	return outcome{end: endFailed, cause: why.cause}
}

var cancelled = outcome{end: endCancelled, cause: causeClientGone}

// conclude ends a request that waits, and is the only way out of a table of those: takes it out, counts, bills and
// observes it, and answers it if the outcome has a reply. A copy of a request ends for whoever collects the copies.
func (s *Session) conclude(waiting *pendingTable, opaque int32, p *pending, o outcome) {
	copyOf, tracked, reply := p.copyOf, p.tracked, p.reply // the table has p no longer once it is out
	s.takeOut(waiting, opaque, p)
	if copyOf != nil {
		copyOf.copyFailed(failure{o.cause, o.reply})
		return
	}
	s.ended(tracked, reply, opaque, &o)
}

// takeOut takes a request out of a table of those that wait.
func (s *Session) takeOut(waiting *pendingTable, opaque int32, p *pending) {
	if p.copyOf == nil {
		s.inFlight.add(p.code, -1)
	}
	before := waiting.Bytes()
	waiting.Remove(opaque)
	s.quota.Memory.Release(before - waiting.Bytes())
}

// ended counts and observes a request that has ended, whether it has waited or not, and writes the proxy's own answer.
func (s *Session) ended(t *tracked, to replyContext, opaque int32, o *outcome) {
	switch o.end {
	case endAnswered:
		s.recorder.Inc(stats.ResponseSuccess)
	case endRefused:
		s.recorder.Inc(stats.RequestRefused)
	case endFailed:
		s.recorder.Inc(stats.ResponseError)
	case endExpired:
		s.recorder.Inc(stats.RequestExpired)
		s.recorder.Inc(stats.ResponseError)
	case endCancelled:
		s.recorder.Inc(stats.RequestCancelled)
		s.recorder.Inc(stats.ResponseError)
	case endReused:
		s.recorder.Inc(stats.RequestOpaqueReused)
	}
	t.report(s, o)
	if o.reply != nil && !to.oneway {
		s.reply(to, opaque, o.reply, o.body)
	}
}
