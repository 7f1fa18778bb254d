// SPDX-License-Identifier: Apache-2.0

// Package policy decides what clients may do by the config's rules and rate limits. No I/O; time is an argument. One
// Policy serves all connections of a filter config, on any thread; a Client one connection, one call at a time.
package policy

import (
	"fmt"
	"net/netip"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Policy is the rules and rate limits of one filter config.
type Policy struct {
	config  apiv1.PolicyConfig
	denials []*codec.Reply // by rule; nil where it allows
	denied  *codec.Reply   // by default_action
	matches []stats.ID     // by rule: requests that it matched
	limits  []*limit
	rules   bool // or default_action: any request may be denied
	counts  bool // messages of batches
}

// New makes a policy and defines its counters. It returns nil for a config that has neither rules nor rate limits and
// allows everything.
func New(config apiv1.PolicyConfig, set *stats.Set) *Policy {
	if len(config.Rules) == 0 && len(config.RateLimits) == 0 && !config.DefaultDeny {
		return nil
	}
	p := &Policy{
		config:  config,
		rules:   len(config.Rules) > 0 || config.DefaultDeny,
		denials: make([]*codec.Reply, len(config.Rules)),
		denied: &codec.Reply{
			Code:   codec.ResponseNoPermission,
			Remark: "this proxy passes only what a rule of its policy allows, and none allows this request: ask its operator for one",
		},
	}
	for i, rule := range config.Rules {
		p.matches = append(p.matches, set.Define(stats.Def{Kind: stats.Counter, Name: "policy.rule." + rule.Name, Meaning: "requests that the rule matched"}))
		if rule.Deny {
			p.denials[i] = &codec.Reply{
				Code:   codec.ResponseNoPermission,
				Remark: fmt.Sprintf("denied by the rule %q of this proxy's policy: ask its operator if this client shall be allowed", rule.Name),
			}
		}
	}
	for _, each := range config.RateLimits {
		p.limits = append(p.limits, newLimit(each, set))
		p.counts = p.counts || each.Messages.PerSecond > 0
	}
	return p
}

// Client is the state of a policy for one connection.
type Client struct {
	policy   *Policy
	source   netip.Addr // invalid for a client without an IP address: no list of sources holds that
	address  string     // of source, for the key SOURCE
	recorder *stats.Recorder
	own      []buckets // by limit, of those with the key CONNECTION

	scratch                             []body.Subject // of the last request, for its memory
	matched                             []bool         // by rule: it has matched the request that is being judged
	taken                               []charge
	topic, producerGroup, consumerGroup remembered
}

// noAddress is the value of the key SOURCE for all clients without an IP address, which share a bucket.
const noAddress = "?"

// Client begins a connection from `remote`, an "ip:port", or another text for a client without an IP
// address (of a Unix socket). A nil Policy returns a nil Client.
func (p *Policy) Client(remote string, recorder *stats.Recorder) *Client {
	if p == nil {
		return nil
	}
	c := &Client{policy: p, address: noAddress, recorder: recorder, own: make([]buckets, len(p.limits)), matched: make([]bool, len(p.config.Rules))}
	if address, err := netip.ParseAddrPort(remote); err == nil {
		c.source = address.Addr().Unmap().WithZone("") // prefixes have no zone, and contain none
		c.address = c.source.String()
	}
	return c
}

// Request is what a policy is asked about.
type Request struct {
	Code   requests.Code
	Type   *requests.Type // of Code
	Header *codec.Header
	Body   []byte // all of it where NeedsBody
	Size   int    // of the frame, in bytes
}

// NeedsBody reports whether a request can be judged only with its body.
func (c *Client) NeedsBody(t *requests.Type, h *codec.Header) bool {
	return c.policy.rules && t.NamesInBody() || c.policy.counts && t.IsBatch(h)
}

// Judge returns the refusal of a request that may not pass, nil for others. For one that fetches messages and may pass it
// returns who pays for the answer.
func (c *Client) Judge(r *Request, now time.Duration) (Bill, *codec.Reply) {
	if !c.policy.rules && !r.Type.SendsMessages() && !r.Type.Fetches() {
		return nil, nil
	}
	subjects, err := c.subjects(r)
	if err != nil {
		return c.unreadable(r, err)
	}
	var about subject
	clear(c.matched)
	shadowDenied := false
	for i := range subjects {
		about = c.textOf(&subjects[i])
		refusal, shadow := c.judge(r, &about)
		if shadow && !shadowDenied {
			shadowDenied = true
			c.recorder.Inc(stats.PolicyShadowDenied)
		}
		if refusal != nil {
			c.recorder.Inc(stats.PolicyDenied)
			c.countOneway(r)
			return nil, refusal
		}
	}
	if len(c.policy.limits) == 0 || len(subjects) != 1 {
		return nil, nil
	}
	return c.limit(r, &about, now)
}

// judge returns what the first rule that matches a subject says, and whether one in shadow would have denied it.
func (c *Client) judge(r *Request, s *subject) (refusal *codec.Reply, shadow bool) {
	p := c.policy
	if p.config.DefaultDeny {
		refusal = p.denied
	}
	for i := range p.config.Rules {
		rule := &p.config.Rules[i]
		if !c.matches(&rule.Match, r, s) && !c.mayMatch(rule, r, s) {
			continue
		}
		if !c.matched[i] { // by another subject of this request
			c.matched[i] = true
			c.recorder.Inc(p.matches[i])
		}
		if !rule.Shadow {
			refusal = p.denials[i]
			break
		}
		shadow = shadow || rule.Deny
	}
	if refusal != nil && p.config.Shadow {
		return nil, true
	}
	return refusal, shadow
}

func (c *Client) matches(m *apiv1.MatchConfig, r *Request, s *subject) bool {
	return m.Requests.Has(r.Code) && m.Client(r.Header.Language, r.Header.Version, c.source) && m.Subject(s.topic, s.producerGroup, s.consumerGroup)
}

// mayMatch reports whether a rule denies what a request that hides its topic may be about.
func (c *Client) mayMatch(rule *apiv1.RuleConfig, r *Request, s *subject) bool {
	if !rule.Deny || !r.Type.HidesTopic {
		return false
	}
	anyTopic := rule.Match
	anyTopic.Topics = nil
	return c.matches(&anyTopic, r, s)
}

// unreadable refuses what a broker may read otherwise.
func (c *Client) unreadable(r *Request, err error) (Bill, *codec.Reply) {
	if c.policy.config.Shadow {
		c.recorder.Inc(stats.PolicyShadowDenied)
		return nil, nil
	}
	c.recorder.Inc(stats.PolicyDenied)
	c.countOneway(r)
	return nil, &codec.Reply{Code: codec.ResponseNoPermission, Remark: "this proxy's policy cannot tell what the request is about: " + err.Error()}
}

// countOneway counts what is refused without an answer.
func (c *Client) countOneway(r *Request) {
	if r.Header.IsOneway() {
		c.recorder.Inc(stats.PolicyOnewayDropped)
	}
}
