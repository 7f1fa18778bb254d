// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/json"
)

// updateAndCreateTopicList is one request for many topics; brokers know it since 5.3.
const updateAndCreateTopicList = 18

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
		if err := waitUntil(ctx, nil, "the name server has the route of "+t, func() (bool, error) {
			known, err := b.world.queues(ctx, t)
			return known[b.Name] == queues, err
		}); err != nil {
			return err
		}
	}
	return nil
}
