// SPDX-License-Identifier: Apache-2.0

package body

// ParseLockBatch reads the body of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ requests (Java:
// LockBatchRequestBody, UnlockBatchRequestBody): the broker name of the first queue, ""
// when there is none, and whether the broker must not pass the lock on to the others of
// its name, as only brokers ask. Clients lock the queues of one broker per request. It
// borrows src. Errors are *Error.
func ParseLockBatch(src []byte) (brokerName string, onlyThisBroker bool, err error) {
	c := &cursor{b: src, body: "LockBatchRequestBody"}
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "onlyThisBroker":
			onlyThisBroker = c.boolean(m.value, "onlyThisBroker")
		case "mqSet":
			first := true
			c.elements(m.value, "mqSet", func(e span) {
				if first {
					brokerName = c.stringMember(e, "MessageQueue", "brokerName")
				}
				first = false
			})
		}
	})
	if err := c.result(); err != nil {
		return "", false, err
	}
	return brokerName, onlyThisBroker, nil
}
