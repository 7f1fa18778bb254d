// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// subject is what a request is about; what it does not name is empty.
type subject struct{ topic, producerGroup, consumerGroup string }

const (
	// maxName is the longest topic or group that is matched, in bytes: %RETRY% and a group of 255 characters
	// (Validators) have room in it. Rules may hold expressions, whose time grows with the name.
	maxName = 512
	// maxSubjects is how many pairs of a group and a topic of a heartbeat are matched.
	maxSubjects = 4096
)

var (
	errLongName   = errors.New("a topic or group of more than 512 bytes")
	errManyTopics = errors.New("a heartbeat of more than 4096 groups and topics")
)

// subjects are what a request is about: one, but for heartbeats. It fails for what cannot be read, and for names and
// heartbeats that no client makes and that would take long to match.
func (c *Client) subjects(r *Request) ([]subject, error) {
	c.room = c.room[:0]
	if r.Kind.Code == codec.RequestHeartBeat {
		return c.heartbeat(r.Body)
	}
	request := router.Request{Header: r.Header, Body: r.Body}
	producer, consumer, err := r.Kind.GroupsOf(request)
	topic := r.Kind.TopicOf(request)
	if err == nil && max(len(topic), len(producer), len(consumer)) > maxName {
		err = errLongName
	}
	if err != nil {
		return nil, err
	}
	c.room = append(c.room, subject{
		topic:         c.topic.of(topic),
		producerGroup: c.producerGroup.of(producer),
		consumerGroup: c.consumerGroup.of(consumer),
	})
	return c.room, nil
}

// heartbeat gives each producer group of a heartbeat, and each consumer group with each of its topics.
func (c *Client) heartbeat(content []byte) ([]subject, error) {
	data, err := body.ParseHeartbeatData(content)
	if err != nil {
		return nil, err
	}
	entries := len(data.Producers) + len(data.Consumers)
	for _, consumer := range data.Consumers {
		entries += len(consumer.Topics)
	}
	if entries > maxSubjects {
		return nil, errManyTopics
	}
	all := make([]subject, 0, entries)
	for _, group := range data.Producers {
		all = append(all, subject{producerGroup: group})
	}
	for _, consumer := range data.Consumers {
		for _, topic := range consumer.Topics {
			all = append(all, subject{topic: topic, consumerGroup: consumer.Group})
		}
		if len(consumer.Topics) == 0 {
			all = append(all, subject{consumerGroup: consumer.Group})
		}
	}
	for _, s := range all {
		if max(len(s.topic), len(s.producerGroup), len(s.consumerGroup)) > maxName {
			return nil, errLongName
		}
	}
	if len(all) == 0 {
		all = append(all, subject{})
	}
	return all, nil
}

// remembered is a text that mostly is the same again, and then need not be made anew.
type remembered string

func (r *remembered) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if string(b) != string(*r) {
		*r = remembered(b)
	}
	return string(*r)
}
