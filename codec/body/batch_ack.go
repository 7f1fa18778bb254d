// SPDX-License-Identifier: Apache-2.0

package body

// ParseBatchAck gives the broker name in the body of a BATCH_ACK_MESSAGE request (Java:
// BatchAckMessageRequestBody) and the topic of its first acknowledgement, "" when there is
// none. It borrows src. Errors are *Error.
func ParseBatchAck(src []byte) (brokerName, topic string, err error) {
	c := &cursor{b: src, body: "BatchAckMessageRequestBody"}
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "brokerName":
			brokerName = c.str(m.value, "brokerName")
		case "acks":
			c.elements(m.value, "acks", func(e span) {
				if topic == "" {
					topic = c.stringMember(e, "BatchAck", "t")
				}
			})
		}
	})
	if err := c.result(); err != nil {
		return "", "", err
	}
	return brokerName, topic, nil
}
