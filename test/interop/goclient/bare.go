// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// barePull pulls from each queue of a topic without messages: no send comes before that might be refused already.
func barePull(r *run) error {
	c, err := rocketmq.NewPullConsumer(consumer.WithNsResolver(r.resolver()), consumer.WithGroupName(r.group("consumer")), consumer.WithInstance(instance()))
	if err != nil {
		return err
	}
	if err := c.Subscribe(r.topic(), everything); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	r.close(c.Shutdown)
	for _, broker := range []string{"broker-a", "broker-b"} {
		for i := range queuesPerBroker {
			q := &primitive.MessageQueue{Topic: r.topic(), BrokerName: broker, QueueId: i}
			res, err := c.PullFrom(context.Background(), q, 0, 1)
			if err != nil {
				return err
			}
			if res.Status != primitive.PullNoNewMsg {
				return fmt.Errorf("pull status %d", res.Status)
			}
		}
	}
	return nil
}
