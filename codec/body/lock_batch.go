// SPDX-License-Identifier: Apache-2.0

package body

// MessageQueue is one queue of a topic. Java: MessageQueue.
type MessageQueue struct {
	Topic      string
	BrokerName string
	QueueID    int32
}

// ParseLockBatch reads the body of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ requests (Java:
// LockBatchRequestBody, UnlockBatchRequestBody): the queues, and whether the broker must
// not pass the lock on to the others of its name, as only brokers ask. It borrows src.
// Errors are *Error.
func ParseLockBatch(src []byte) (queues []MessageQueue, onlyThisBroker bool, err error) {
	c := &cursor{b: src, body: "LockBatchRequestBody"}
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "onlyThisBroker":
			onlyThisBroker = c.boolean(m.value, "onlyThisBroker")
		case "mqSet":
			c.elements(m.value, "mqSet", func(e span) {
				if c.room(len(queues), e, "queues") {
					queues = append(queues, c.messageQueue(e))
				}
			})
		}
	})
	if err := c.result(); err != nil {
		return nil, false, err
	}
	return queues, onlyThisBroker, nil
}

func (c *cursor) messageQueue(v span) (q MessageQueue) {
	c.each(v, "MessageQueue", func(m member) {
		switch string(c.text(m.name)) {
		case "topic":
			q.Topic = c.str(m.value, "topic")
		case "brokerName":
			q.BrokerName = c.str(m.value, "brokerName")
		case "queueId":
			q.QueueID = int32(c.integer(m.value, 32, "queueId"))
		}
	})
	return q
}
