// SPDX-License-Identifier: Apache-2.0

package body

// ParseQueryAssignment gives topic and consumer group of a QUERY_ASSIGNMENT request
// (Java: QueryAssignmentRequestBody), "" for what is missing. Its header has neither. It
// borrows src. Errors are *Error.
func ParseQueryAssignment(src []byte) (topic, group string, err error) {
	c := &cursor{b: src, body: "QueryAssignmentRequestBody"}
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "topic":
			topic = c.str(m.value, "topic")
		case "consumerGroup":
			group = c.str(m.value, "consumerGroup")
		}
	})
	if err := c.result(); err != nil {
		return "", "", err
	}
	return topic, group, nil
}

// ParseCheckClientConfig gives topic and consumer group of a CHECK_CLIENT_CONFIG request
// (Java: CheckClientRequestBody), "" for what is missing. Its header has neither. It
// borrows src. Errors are *Error.
func ParseCheckClientConfig(src []byte) (topic, group string, err error) {
	c := &cursor{b: src, body: "CheckClientRequestBody"}
	c.each(c.root(), c.body, func(m member) {
		switch string(c.text(m.name)) {
		case "group":
			group = c.str(m.value, "group")
		case "subscriptionData":
			topic = c.stringMember(m.value, "subscriptionData", "topic")
		}
	})
	if err := c.result(); err != nil {
		return "", "", err
	}
	return topic, group, nil
}
