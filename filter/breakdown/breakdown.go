// SPDX-License-Identifier: Apache-2.0

// Package breakdown counts requests by topic and by group, for those that the config lists.
package breakdown

import (
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// other stands for all that is not listed.
const other = "_other"

// The counters of a topic or a group, in the order of their IDs.
const (
	request stats.ID = iota
	failure
	messagesSent
	bytesSent
	bytesFetched
	counters
)

// Rows are the counters of each topic and each group, by their name behind topic.<topic>. or group.<group>.
var Rows = [counters]stats.Def{
	request:      {Kind: stats.Counter, Name: "requests", Meaning: "requests that name it and have ended"},
	failure:      {Kind: stats.Counter, Name: "errors", Meaning: "those that were refused, got no answer or one that is not what was hoped for"},
	messagesSent: {Kind: stats.Counter, Name: "messages_sent", Meaning: "messages that brokers took, those of a batch one by one"},
	bytesSent:    {Kind: stats.Counter, Name: "bytes_sent", Meaning: "bytes of the frames that sent them"},
	bytesFetched: {Kind: stats.Counter, Name: "bytes_fetched", Meaning: "bytes of the frames that answered pulls and pops"},
}

// Stats are the counters of a config's own.
func Stats(config *apiv1.BreakdownConfig) (defs []stats.Def) {
	if config == nil {
		return nil
	}
	for _, list := range []struct {
		kind  string
		names []string
	}{{"topic.", config.Topics}, {"group.", config.Groups}} {
		for _, name := range append([]string{other}, list.names...) {
			for _, row := range Rows {
				row.Name = list.kind + name + "." + row.Name
				defs = append(defs, row)
			}
		}
	}
	return defs
}

// Breakdown is an observer that counts.
type Breakdown struct {
	topics, groups         map[string]stats.ID // the first counter of each
	otherTopic, otherGroup stats.ID
}

// New makes a Breakdown whose Stats have the IDs from `first` on.
func New(config *apiv1.BreakdownConfig, first stats.ID) *Breakdown {
	b := &Breakdown{otherTopic: first}
	b.topics, first = place(config.Topics, first+counters)
	b.otherGroup = first
	b.groups, _ = place(config.Groups, first+counters)
	return b
}

func place(names []string, first stats.ID) (ids map[string]stats.ID, next stats.ID) {
	ids = make(map[string]stats.ID, len(names))
	for _, name := range names {
		ids[name] = first
		first += counters
	}
	return ids, first
}

// Ended implements session.Observer.
func (b *Breakdown) Ended(r *session.Record) {
	count(r, r.Topic, b.topics, b.otherTopic)
	count(r, r.ProducerGroup, b.groups, b.otherGroup)
	count(r, r.ConsumerGroup, b.groups, b.otherGroup)
}

func count(r *session.Record, name string, ids map[string]stats.ID, first stats.ID) {
	if name == "" {
		return
	}
	if id, listed := ids[name]; listed {
		first = id
	}
	r.Recorder.Inc(first + request)
	kind := router.Of(r.Code)
	switch {
	case r.IsError():
		r.Recorder.Inc(first + failure)
	case kind.Sends():
		r.Recorder.Add(first+messagesSent, int64(r.Messages))
		r.Recorder.Add(first+bytesSent, int64(r.RequestBytes))
	case kind.Fetches():
		r.Recorder.Add(first+bytesFetched, int64(r.ResponseBytes))
	}
}
