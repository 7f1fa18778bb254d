// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// noted is what is kept of a request until its end only where the config asks for it. A nil one is for nobody.
type noted struct {
	bill     policy.Bill
	observed bool // and not yet ended
	start    Instant
	record   Record
}

// needsBody tells whether a request must be whole for the policy or for an observer.
func (s *Session) needsBody(kind *requests.Type, h *codec.Header) bool {
	return s.policy != nil && s.policy.NeedsBody(kind, h) || s.environment.CountsMessages && kind.IsBatch(h)
}

// note begins to note what observers want to know of the request that is being judged.
func (s *Session) note(code requests.Code, kind *requests.Type, f framing.Frame) {
	h := f.Header
	n := &noted{observed: true, start: s.now, record: Record{
		Recorder:     s.recorder,
		Client:       s.remote,
		Local:        s.local,
		Code:         code,
		Opaque:       h.Opaque,
		Language:     h.Language,
		Version:      h.Version,
		Oneway:       h.IsOneway(),
		LongPoll:     kind.Wait(h) > 0,
		Broker:       s.role.BrokerName,
		RequestBytes: f.Size,
	}}
	if f.Complete() || !kind.IsBatch(h) {
		n.record.Messages = kind.CountMessages(h, f.Body())
	}
	if f.Complete() || !kind.NamesInBody() {
		var room [1]body.Subject
		subjects, _ := kind.AppendSubjects(room[:0], h, f.Body())
		about := common(subjects)
		n.record.Topic, n.record.ProducerGroup, n.record.ConsumerGroup = text(about.Topic), text(about.ProducerGroup), text(about.ConsumerGroup)
	}
	s.noting = n
}

// common returns what all subjects of a request agree on.
func common(subjects []body.Subject) (about body.Subject) {
	for i, s := range subjects {
		if i == 0 {
			about = s
			continue
		}
		for _, each := range []struct{ a, b *[]byte }{{&about.Topic, &s.Topic}, {&about.ProducerGroup, &s.ProducerGroup}, {&about.ConsumerGroup, &s.ConsumerGroup}} {
			if !bytes.Equal(*each.a, *each.b) {
				*each.a = nil
			}
		}
	}
	return about
}

// askPolicy has the policy judge a request. A frame that is not whole has all that the policy needs.
func (s *Session) askPolicy(code requests.Code, kind *requests.Type, f framing.Frame) *router.Refusal {
	bill, refusal := s.policy.Judge(&policy.Request{
		Code:   code,
		Type:   kind,
		Header: f.Header,
		Body:   f.Body(),
		Size:   f.Size,
	}, s.now)
	if bill != nil {
		if s.noting == nil {
			s.noting = &noted{}
		}
		s.noting.bill = bill
	}
	return refusal
}

// goesTo notes the way of a request.
func (n *noted) goesTo(u *upstream) {
	if n != nil {
		n.record.Server = u.address
		if u.place.broker != "" {
			n.record.Broker = u.place.broker
		}
	}
}

// answered notes the size of the answer from upstream.
func (n *noted) answered(s *Session, bytes int) {
	if n != nil {
		n.bill.Pay(bytes, s.now)
		n.record.ResponseBytes = bytes
	}
}

// Why there was no answer from upstream.
const (
	causeRefused        = "refused"
	causeOpaqueReused   = "opaque_reused"
	causeClientGone     = "client_gone"
	causeDeadline       = "deadline_passed"
	causeUpstreamFailed = "upstream_failed"
	causeUpstreamLost   = "upstream_lost"
	causeUnreadable     = "answer_unreadable"
)

// ending is how a request ended: zero if it wanted no answer.
type ending struct {
	answered bool
	code     codec.ResponseCode
	cause    string
	remark   string
}

func answeredWith(code codec.ResponseCode) ending { return ending{answered: true, code: code} }

func refusedWith(refusal *router.Refusal) ending {
	return ending{answered: true, code: refusal.Code, cause: causeRefused, remark: refusal.Remark}
}

func failedWith(reason *router.Refusal) ending {
	return ending{answered: true, code: reason.Code, cause: causeOf(reason), remark: reason.Remark}
}

// causeOf is the cause that a request without an answer from upstream failed for.
func causeOf(reason *router.Refusal) string {
	switch reason {
	case deadlinePassed:
		return causeDeadline
	case upstreamFailed, compatibleLosses.failed, compatibleLosses.timedOut:
		return causeUpstreamFailed
	case overLimit:
		return causeRefused
	}
	return causeUpstreamLost
}

// end tells the observers how a request has ended, once.
func (n *noted) end(s *Session, e ending) {
	if n != nil && n.observed {
		n.tell(s, e)
	}
}

func (n *noted) tell(s *Session, e ending) {
	n.observed = false
	r := &n.record
	r.Answered, r.ResponseCode, r.Cause, r.Remark = e.answered && !r.Oneway, e.code, e.cause, e.remark
	r.Duration = s.now - n.start
	s.observe(r)
}

func (s *Session) observe(r *Record) {
	for _, o := range s.environment.Observers {
		o.Ended(r)
	}
}

// observeConnection tells the observers of the end of this connection.
func (s *Session) observeConnection() {
	if len(s.environment.Observers) > 0 {
		s.observe(&Record{Client: s.remote, Local: s.local, Connection: true, Requests: s.judged, Duration: s.now - s.opened})
	}
}

// ending is how all requests of a fan-out that is finished have ended.
func (f *fanOut) ending() ending {
	answer := f.finished
	switch {
	case answer.own:
		return ending{answered: true, code: answer.code, cause: causeOf(f.lost), remark: answer.remark}
	case answer.frame != nil && f.refused != nil:
		return answeredWith(f.refused.Code)
	}
	return answeredWith(answer.code)
}
