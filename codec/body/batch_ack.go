// SPDX-License-Identifier: Apache-2.0

package body

// ParseBatchAck gives the broker name in the body of a BATCH_ACK_MESSAGE request (Java:
// BatchAckMessageRequestBody), "" when there is none. It borrows src. Errors are
// *Error.
func ParseBatchAck(src []byte) (brokerName string, err error) {
	c := &cursor{b: src, body: "BatchAckMessageRequestBody"}
	brokerName = c.stringMember(c.root(), c.body, "brokerName")
	if err := c.result(); err != nil {
		return "", err
	}
	return brokerName, nil
}
