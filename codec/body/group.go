// SPDX-License-Identifier: Apache-2.0

package body

// ParseGroup gives a string member of the object that a body is, "" when it is missing: the group in requests whose header has
// none, as "consumerGroup" of LOCK_BATCH_MQ, UNLOCK_BATCH_MQ and BATCH_ACK_MESSAGE, and "groupName" of
// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP. It borrows src. Errors are *Error.
func ParseGroup(src []byte, name string) (group string, err error) {
	c := &cursor{b: src, body: "request body"}
	group = c.stringMember(c.root(), c.body, name)
	if err := c.result(); err != nil {
		return "", err
	}
	return group, nil
}
