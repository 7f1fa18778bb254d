// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42), empty header, bodies LockBatchRequestBody and
// UnlockBatchRequestBody. Sent by orderly consumers, one request for the queues of one broker, which
// the queues name. With onlyThisBroker it is one broker speaking to another.
func byQueues(r *Request, v View) ([]byte, *codec.Reply) {
	queues, onlyThisBroker, err := body.ParseLockBatch(r.Body)
	switch {
	case err != nil:
		return nil, Unreadable(err)
	case onlyThisBroker:
		return nil, RefusedInternal
	case len(queues) == 0:
		return nil, unnamed
	}
	broker := ""
	for i, queue := range queues {
		name, refusal := brokerOf(queue, v)
		if refusal != nil {
			return nil, refusal
		}
		if i > 0 && name != broker {
			return nil, severalBrokers
		}
		broker = name
	}
	return []byte(broker), nil
}

// brokerOf returns the broker that has a queue.
func brokerOf(queue body.MessageQueue, v View) (string, *codec.Reply) {
	switch {
	case queue.BrokerName == "":
		return "", unnamed
	case !isLogical(queue.BrokerName):
		return queue.BrokerName, nil
	}
	if name, ok := v.QueueBroker(queue.Topic, queue.BrokerName, queue.QueueID); ok {
		return name, nil
	}
	return "", unmapped
}
