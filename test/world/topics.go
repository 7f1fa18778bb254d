// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
)

const (
	// updateAndCreateTopicList is one request for many topics; brokers know it since 5.3.
	updateAndCreateTopicList = 18
	getTopicStatsInfo        = 202
)

// CreateTopics makes many topics on this broker alone, with so many queues each, and waits until the name server's
// routes have them. It is much faster than CreateTopic for each.
func (b *Broker) CreateTopics(ctx context.Context, queues int, topics ...string) error {
	type topicConfig struct {
		Name        string `json:"topicName"`
		ReadQueues  int    `json:"readQueueNums"`
		WriteQueues int    `json:"writeQueueNums"`
		Perm        int    `json:"perm"`
		FilterType  string `json:"topicFilterType"`
	}
	var list struct {
		Configs []topicConfig `json:"topicConfigList"`
	}
	for _, t := range topics {
		list.Configs = append(list.Configs, topicConfig{t, queues, queues, 6, "SINGLE_TAG"})
	}
	body, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if _, err := b.world.call(ctx, b.Addr, updateAndCreateTopicList, nil, body); err != nil {
		return err
	}
	for _, t := range topics {
		if err := process.Await(ctx, nil, "the name server has the route of "+t, func() (bool, error) {
			known, err := b.world.queues(ctx, t)
			return known[b.Name] == queues, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// maxOffset is what the statistics of a topic say of each queue. Their body is not JSON: objects are its keys.
var maxOffset = regexp.MustCompile(`"maxOffset":(\d+)`)

// Stored asks the brokers themselves how many messages a topic has had.
func (w *World) Stored(ctx context.Context, topic string) (int64, error) {
	var sum int64
	for _, b := range w.Brokers {
		body, err := w.call(ctx, b.Addr, getTopicStatsInfo, map[string]string{"topic": topic}, nil)
		if err != nil {
			return 0, err
		}
		for _, m := range maxOffset.FindAllSubmatch(body, -1) {
			n, err := strconv.ParseInt(string(m[1]), 10, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, nil
}
