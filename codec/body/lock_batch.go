// SPDX-License-Identifier: Apache-2.0

package body

// MessageQueue is one queue of a topic. Java: MessageQueue.
type MessageQueue struct {
	Topic      string
	BrokerName string
	QueueID    int32
}

// ParseLockBatch reads the body of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ requests (Java:
// LockBatchRequestBody, UnlockBatchRequestBody): the first queue, empty when there is
// none, and whether the broker must not pass the lock on to the others of its name, as
// only brokers ask. Clients lock the queues of one broker per request: a body with
// queues of several is an error. It borrows src. Errors are *Error.
func ParseLockBatch(src []byte) (queue MessageQueue, onlyThisBroker bool, err error) {
	c := &cursor{b: src, body: "LockBatchRequestBody"}
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "onlyThisBroker":
			onlyThisBroker = c.boolean(m.value, "onlyThisBroker")
		case "mqSet":
			first := true
			c.elements(m.value, "mqSet", func(e span) {
				q := c.messageQueue(e)
				switch {
				case first:
					queue = q
				case q.BrokerName != queue.BrokerName:
					c.fail(e.from, "queues of several brokers")
				}
				first = false
			})
		}
	})
	if err := c.result(); err != nil {
		return MessageQueue{}, false, err
	}
	return queue, onlyThisBroker, nil
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
