// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// limit is one rate limit at work.
type limit struct {
	apiv1.RateLimitConfig
	messages, bytes rate
	listenerBuckets buckets // of the key LISTENER
	byKey           *table
	send, fetch     *codec.Reply
	exceeded        stats.ID // counts requests over the limit
}

func newLimit(config apiv1.RateLimitConfig, set *stats.Set) *limit {
	remark := fmt.Sprintf("over the rate limit %q of this proxy's policy: come back later, or ask its operator for a greater one", config.Name)
	return &limit{
		RateLimitConfig: config,
		messages:        newRate(config.Messages),
		bytes:           newRate(config.Bytes),
		byKey:           newTable(config.MaxKeys),
		send:            &codec.Reply{Code: codec.ResponseSystemBusy, Remark: remark},
		fetch:           &codec.Reply{Code: codec.ResponseFlowControl, Remark: remark},
		exceeded:        set.Define(stats.Def{Kind: stats.Counter, Name: "policy.rate_limit." + config.Name, Meaning: "requests over the rate limit"}),
	}
}

// Bill is who pays for the answer to a request.
type Bill []charge

// charge is what is taken from one limit.
type charge struct {
	limit   *limit
	buckets *buckets
}

// Pay takes the bytes of an answer.
func (b Bill) Pay(bytes int, now time.Duration) {
	for _, c := range b {
		c.buckets.bytes.spend(c.limit.bytes, bytes, now)
	}
}

// limit holds a request against all limits that match it, and takes from all of them or from none.
func (c *Client) limit(r *Request, s *subject, now time.Duration) (Bill, *codec.Reply) {
	sends, fetches := r.Type.SendsMessages(), r.Type.Fetches()
	messages := 0
	switch {
	case sends && c.policy.counts:
		messages = r.Type.CountMessages(r.Header, r.Body)
	case !sends && !fetches:
		return nil, nil
	}
	c.taken = c.taken[:0]
	for i, l := range c.policy.limits {
		if !c.matches(&l.Match, r, s) {
			continue
		}
		at := c.bucketsOf(i, s, now)
		if at == nil {
			continue
		}
		if fetches && !at.bytes.inDebt(l.bytes, now) || sends && at.take(l, messages, r.Size, now) {
			c.taken = append(c.taken, charge{l, at})
			continue
		}
		c.recorder.Inc(l.exceeded)
		if l.Shadow || c.policy.config.Shadow {
			c.recorder.Inc(stats.PolicyShadowLimited)
			continue
		}
		if sends {
			c.giveBack(messages, r.Size)
		}
		c.recorder.Inc(stats.PolicyLimited)
		c.countOneway(r)
		if fetches {
			return nil, l.fetch
		}
		return nil, l.send
	}
	if fetches && len(c.taken) > 0 {
		return append(Bill(nil), c.taken...), nil
	}
	return nil, nil
}

func (c *Client) giveBack(messages, bytes int) {
	for _, t := range c.taken {
		t.buckets.messages.giveBack(t.limit.messages, messages)
		t.buckets.bytes.giveBack(t.limit.bytes, bytes)
	}
}

// take takes from both buckets or from none.
func (b *buckets) take(l *limit, messages, bytes int, now time.Duration) bool {
	if !b.messages.take(l.messages, messages, now) {
		return false
	}
	if !b.bytes.take(l.bytes, bytes, now) {
		b.messages.giveBack(l.messages, messages)
		return false
	}
	return true
}

// bucketsOf are the buckets of a limit that a request is counted in; nil where it has no value of the key.
func (c *Client) bucketsOf(i int, s *subject, now time.Duration) *buckets {
	l := c.policy.limits[i]
	var key string
	switch l.Key {
	case apiv1.RateLimit_LISTENER:
		return &l.listenerBuckets
	case apiv1.RateLimit_CONNECTION:
		return &c.own[i]
	case apiv1.RateLimit_TOPIC:
		key = s.topic
	case apiv1.RateLimit_PRODUCER_GROUP:
		key = s.producerGroup
	case apiv1.RateLimit_CONSUMER_GROUP:
		key = s.consumerGroup
	case apiv1.RateLimit_SOURCE:
		key = c.address
	}
	if key == "" {
		return nil
	}
	b, shared := l.byKey.of(key, now)
	if shared {
		c.recorder.Inc(stats.PolicyKeysFull)
	}
	return b
}
