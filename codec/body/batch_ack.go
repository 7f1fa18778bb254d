// SPDX-License-Identifier: Apache-2.0

package body

// ParseBatchAck returns the broker name in the body of a BATCH_ACK_MESSAGE request (Java:
// BatchAckMessageRequestBody). It borrows src. Errors are *Error.
func ParseBatchAck(src []byte) (brokerName string, err error) {
	c := &cursor{b: src, body: "BatchAckMessageRequestBody"}
	var seen span
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "brokerName":
			c.once(&seen, m, "brokerName")
			brokerName = c.str(m.value, "brokerName")
		case "acks":
			c.elements(m.value, "acks", func(span) {})
		}
	})
	if err := c.result(); err != nil {
		return "", err
	}
	return brokerName, nil
}
