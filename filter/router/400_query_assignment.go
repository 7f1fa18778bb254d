// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// QUERY_ASSIGNMENT (400), no header, body QueryAssignmentRequestBody. Sent by consumers that leave
// the sharing of queues to a broker; any broker of the topic will do, the same for the whole group.
func queryAssignment(r Request, k Knowledge) ([]byte, *Refusal) {
	topic, group, err := body.ParseQueryAssignment(r.Body)
	if err != nil {
		return nil, unreadable(err)
	}
	return anyBroker(topic, group, k)
}

func assignmentTopic(b []byte) (string, error) {
	topic, _, err := body.ParseQueryAssignment(b)
	return topic, err
}
