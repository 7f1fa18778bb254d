// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"strings"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// summary says what is in a body. Messages, and bodies of a kind that is not known here, are only counted unless
// Bodies is set.
func (p *Printer) summary(f Frame, code requests.Code) string {
	size := f.Prefix.BodySize
	switch {
	case size == 0:
		return ""
	case requests.Of(code).Secret:
		return fmt.Sprintf("%d bytes, not shown: they may have a password", size)
	case len(f.Body) < size:
		return fmt.Sprintf("%d bytes, too long to read", size)
	}
	text, err := p.known(f, code)
	switch {
	case err != nil:
		return fmt.Sprintf("%d bytes, unreadable: %v", size, err)
	case text != "":
		return fmt.Sprintf("%d bytes: %s", size, text)
	case p.Bodies:
		return fmt.Sprintf("%d bytes: %s", size, p.show(f.Body))
	}
	return fmt.Sprintf("%d bytes", size)
}

// known reads the bodies that package body can read.
func (p *Printer) known(f Frame, code requests.Code) (string, error) {
	t := requests.Of(code)
	if f.Header.IsResponse() {
		return p.answer(f, t.Answer)
	}
	switch t.Body {
	case nil:
		return "", nil
	case requests.HeartbeatBody:
		return p.heartbeat(f.Body)
	case requests.LockBatchBody:
		return p.queues(f.Body)
	}
	subjects, err := t.Body.AppendSubjects(nil, f.Body)
	if err != nil {
		return "", err
	}
	text := p.subjects(subjects)
	if t.Body == requests.BatchAckBody {
		broker, err := body.ParseBatchAck(f.Body)
		if err != nil {
			return "", err
		}
		text += ", broker " + p.show([]byte(broker))
	}
	return text, nil
}

// answer reads the bodies of answers.
func (p *Printer) answer(f Frame, kind requests.Answer) (string, error) {
	switch {
	case kind == requests.TopicRouteData:
		route, err := body.ParseTopicRouteData(f.Body)
		if err != nil {
			return "", err
		}
		return "TopicRouteData " + p.addresses(route.Brokers), nil
	case kind == requests.ClusterInfo:
		addresses, err := body.ParseClusterInfo(f.Body)
		if err != nil {
			return "", err
		}
		return "ClusterInfo " + p.addresses(addresses), nil
	case kind == requests.Messages && f.Header.ResponseCode() == codec.ResponseSuccess:
		return p.messages(f.Body)
	}
	return "", nil
}

// maxShown is how many entries of a list are shown.
const maxShown = 10

// list joins entries, of which n exist.
func (p *Printer) list(n int, entry func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i == maxShown && !p.Full {
			fmt.Fprintf(&b, " and %d more", n-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(entry(i))
	}
	return b.String()
}

func (p *Printer) addresses(all []body.Address) string {
	if len(all) == 0 {
		return "without brokers"
	}
	return p.list(len(all), func(i int) string {
		a := all[i]
		return fmt.Sprintf("%s/%d %s", p.show([]byte(a.BrokerName)), a.BrokerID, p.show([]byte(a.Addr)))
	})
}

// subjects returns the topics and groups of a body; each has one or both.
func (p *Printer) subjects(all []body.Subject) string {
	return p.list(len(all), func(i int) string {
		var parts []string
		for _, part := range []struct {
			name  string
			value []byte
		}{{"topic ", all[i].Topic}, {"group ", all[i].ConsumerGroup}} {
			if len(part.value) > 0 {
				parts = append(parts, part.name+p.show(part.value))
			}
		}
		return strings.Join(parts, ", ")
	})
}

func (p *Printer) queues(src []byte) (string, error) {
	queues, _, err := body.ParseLockBatch(src)
	if err != nil {
		return "", err
	}
	return p.list(len(queues), func(i int) string {
		q := queues[i]
		return fmt.Sprintf("topic %s, broker %s, queue %d", p.show([]byte(q.Topic)), p.show([]byte(q.BrokerName)), q.QueueID)
	}), nil
}

func (p *Printer) heartbeat(src []byte) (string, error) {
	h, err := body.ParseHeartbeatData(src)
	if err != nil {
		return "", err
	}
	text := "client " + p.show([]byte(h.ClientID))
	if len(h.Producers) > 0 {
		text += ", producers " + p.list(len(h.Producers), func(i int) string { return p.show([]byte(h.Producers[i])) })
	}
	if len(h.Consumers) > 0 {
		text += ", consumers " + p.list(len(h.Consumers), func(i int) string {
			c := h.Consumers[i]
			topics := p.list(len(c.Topics), func(j int) string { return p.show([]byte(c.Topics[j])) })
			return fmt.Sprintf("%s of (%s)", p.show([]byte(c.Group)), topics)
		})
	}
	if h.WithoutSub {
		text += ", subscriptions left out"
	}
	return text, nil
}

func (p *Printer) messages(src []byte) (string, error) {
	n := 0
	var first, last body.StoredMessage
	err := body.EachStoredMessage(src, func(m body.StoredMessage) {
		if n == 0 {
			first = m
		}
		n++
		last = m
	})
	if err != nil || n == 0 {
		return "", err
	}
	text := fmt.Sprintf("%d messages, the first of topic %s, queue %d, offset %d", n, p.show([]byte(first.Topic)), first.QueueID, first.Offset)
	if n > 1 {
		text += fmt.Sprintf(", the last of queue %d, offset %d", last.QueueID, last.Offset)
	}
	return text, nil
}
