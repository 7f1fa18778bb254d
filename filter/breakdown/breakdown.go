// SPDX-License-Identifier: Apache-2.0

// Package breakdown counts requests by topic and by group, for those that the config lists.
package breakdown

import (
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// counters are those of a topic or a group, in the order of Rows.
type counters struct{ requests, errors, messagesSent, bytesSent, bytesFetched stats.ID }

// Rows are the counters of each topic and each group, by their name behind topic.<topic>. or group.<group>.
var Rows = [...]stats.Def{
	{Kind: stats.Counter, Name: "requests", Meaning: "requests that name it and have ended"},
	{Kind: stats.Counter, Name: "errors", Meaning: "requests that were refused, went unanswered, or were answered with an error"},
	{Kind: stats.Counter, Name: "messages_sent", Meaning: "messages that brokers took, those of a batch one by one"},
	{Kind: stats.Counter, Name: "bytes_sent", Meaning: "bytes of the frames that sent them"},
	{Kind: stats.Counter, Name: "bytes_fetched", Meaning: "bytes of the frames that answered pulls and pops"},
}

// define defines the counters of one topic or group; prefix ends with a dot.
func define(set *stats.Set, prefix string) (c counters) {
	for i, id := range []*stats.ID{&c.requests, &c.errors, &c.messagesSent, &c.bytesSent, &c.bytesFetched} {
		row := Rows[i]
		row.Name = prefix + row.Name
		*id = set.Define(row)
	}
	return c
}

// byName are the counters of all listed topics or groups, and of the others.
type byName struct {
	listed map[string]counters
	others counters
}

func defineAll(set *stats.Set, kind string, names []string) byName {
	b := byName{listed: make(map[string]counters, len(names)), others: define(set, kind+"."+apiv1.OtherName+".")}
	for _, name := range names {
		b.listed[name] = define(set, kind+"."+name+".")
	}
	return b
}

// Breakdown is an observer that counts.
type Breakdown struct{ topics, groups byName }

// New makes a Breakdown and defines its counters.
func New(config *apiv1.BreakdownConfig, set *stats.Set) *Breakdown {
	return &Breakdown{topics: defineAll(set, "topic", config.Topics), groups: defineAll(set, "group", config.Groups)}
}

// Ended implements session.Observer.
func (b *Breakdown) Ended(r *session.Record) {
	b.topics.count(r, r.Topic)
	b.groups.count(r, r.ProducerGroup)
	b.groups.count(r, r.ConsumerGroup)
}

// count adds a request to the counters of a name; "" is none.
func (b *byName) count(r *session.Record, name string) {
	if name == "" {
		return
	}
	c, ok := b.listed[name]
	if !ok {
		c = b.others
	}
	r.Recorder.Inc(c.requests)
	t := requests.Of(r.Code)
	switch {
	case r.IsError():
		r.Recorder.Inc(c.errors)
	case t.SendsMessages():
		r.Recorder.Add(c.messagesSent, int64(r.Messages))
		r.Recorder.Add(c.bytesSent, int64(r.RequestBytes))
	case t.Fetches():
		r.Recorder.Add(c.bytesFetched, int64(r.ResponseBytes))
	}
}
