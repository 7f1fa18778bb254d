// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// QUERY_ASSIGNMENT (400), no header, body QueryAssignmentRequestBody. Sent by consumers that leave
// the sharing of queues to a broker; any broker of the topic will do, the same for the whole group.
func queryAssignment(r Request, k Knowledge) ([]byte, *Refusal) {
	about, err := onlySubject(body.QueryAssignmentSubjects, r.Body)
	if err != nil {
		return nil, Unreadable(err)
	}
	return anyBroker(string(about.Topic), string(about.ConsumerGroup), k)
}
