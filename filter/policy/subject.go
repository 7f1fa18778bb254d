// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// subject is what a request is about; what it does not name is empty.
type subject struct{ topic, producerGroup, consumerGroup string }

// subjects are what a request is about: one, but for heartbeats.
func (c *Client) subjects(r *Request) ([]subject, error) {
	c.room = c.room[:0]
	if r.Kind.Code == codec.RequestHeartBeat {
		return c.heartbeat(r.Body)
	}
	request := router.Request{Header: r.Header, Body: r.Body}
	producer, consumer, err := r.Kind.GroupsOf(request)
	c.room = append(c.room, subject{
		topic:         c.topic.of(r.Kind.TopicOf(request)),
		producerGroup: c.producerGroup.of(producer),
		consumerGroup: c.consumerGroup.of(consumer),
	})
	return c.room, err
}

// heartbeat gives each producer group of a heartbeat, and each consumer group with each of its topics.
func (c *Client) heartbeat(content []byte) ([]subject, error) {
	data, err := body.ParseHeartbeatData(content)
	if err != nil {
		return nil, err
	}
	var all []subject
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
