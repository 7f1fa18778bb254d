// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
)

// tracked follows a request for the policy and for observers. It is nil where neither is configured.
type tracked struct {
	bill     policy.Bill
	observed bool // and not yet ended
	start    Instant
	record   Record
}

// tracksBody reports whether a request must be complete for the policy or for an observer.
func (s *Session) tracksBody(kind *requests.Type, h *codec.Header) bool {
	return s.policy != nil && s.policy.NeedsBody(kind, h) || s.environment.CountsMessages && kind.IsBatch(h)
}

// track begins the record of the request that is being judged.
func (s *Session) track(code requests.Code, kind *requests.Type, f framing.Frame) {
	h := f.Header
	t := &tracked{observed: true, start: s.now, record: Record{
		Recorder:     s.recorder,
		Client:       s.remote,
		Local:        s.local,
		Code:         code,
		Opaque:       h.Opaque,
		Language:     h.Language,
		Version:      h.Version,
		Oneway:       h.IsOneway(),
		LongPoll:     kind.Wait(h) > 0,
		Broker:       s.brokerName,
		RequestBytes: f.Size,
	}}
	if f.Complete() || !kind.IsBatch(h) {
		t.record.Messages = kind.CountMessages(h, f.Body())
	}
	if f.Complete() || !kind.NamesInBody() {
		var buffer [1]body.Subject
		subjects, _ := kind.AppendSubjects(buffer[:0], h, f.Body())
		about := common(subjects)
		t.record.Topic, t.record.ProducerGroup, t.record.ConsumerGroup = text(about.Topic), text(about.ProducerGroup), text(about.ConsumerGroup)
	}
	s.tracking = t
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

// askPolicy returns why the policy refuses a request; nil: it does not.
func (s *Session) askPolicy(code requests.Code, kind *requests.Type, f framing.Frame) *codec.Reply {
	bill, refusal := s.policy.Judge(&policy.Request{
		Code:   code,
		Type:   kind,
		Header: f.Header,
		Body:   f.Body(),
		Size:   f.Size,
	}, s.now)
	if bill != nil {
		if s.tracking == nil {
			s.tracking = &tracked{}
		}
		s.tracking.bill = bill
	}
	return refusal
}

// goesTo notes the upstream of a request.
func (t *tracked) goesTo(u *upstream) {
	if t != nil {
		t.record.Server = u.address
		if u.target.broker != "" {
			t.record.Broker = u.target.broker
		}
	}
}

// answered charges the answer from upstream, in bytes.
func (t *tracked) answered(s *Session, bytes int) {
	if t != nil {
		t.bill.Pay(bytes, s.now)
		t.record.ResponseBytes = bytes
	}
}

// report passes the record of a request that has ended to the observers, once.
func (t *tracked) report(s *Session, o *outcome) {
	if t != nil && t.observed {
		t.fill(s, o)
	}
}

func (t *tracked) fill(s *Session, o *outcome) {
	t.observed = false
	r := &t.record
	r.Answered, r.ResponseCode, r.Cause = o.answered && !r.Oneway, o.code, o.cause
	if o.cause != "" && o.reply != nil {
		r.Remark = o.reply.Remark
	}
	r.Duration = s.now - t.start
	s.observe(r)
}

func (s *Session) observe(r *Record) {
	for _, o := range s.environment.Observers {
		o.Ended(r)
	}
}

// observeConnection passes the record of this connection, which has ended, to the observers.
func (s *Session) observeConnection() {
	if len(s.environment.Observers) > 0 {
		s.observe(&Record{Client: s.remote, Local: s.local, Connection: true, Requests: s.requestCount, Duration: s.now - s.opened})
	}
}
