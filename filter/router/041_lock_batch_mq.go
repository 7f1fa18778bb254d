// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42), empty header, bodies LockBatchRequestBody and
// UnlockBatchRequestBody. Sent by orderly consumers, one request for the queues of one broker, which
// the queues name. With onlyThisBroker it is one broker speaking to another.
func lockBatch(r Request, k Knowledge) ([]byte, *Refusal) {
	queue, onlyThisBroker, err := body.ParseLockBatch(r.Body)
	switch {
	case err != nil:
		return nil, unreadable(err)
	case onlyThisBroker:
		return nil, RefusedInternal
	case queue.BrokerName == "":
		return nil, unnamed
	}
	if !isLogical(queue.BrokerName) {
		return []byte(queue.BrokerName), nil
	}
	if name, ok := k.QueueBroker(queue.Topic, queue.BrokerName, queue.QueueID); ok {
		return []byte(name), nil
	}
	return nil, unmapped
}

func lockTopic(b []byte) (string, error) {
	queue, _, err := body.ParseLockBatch(b)
	return queue.Topic, err
}
