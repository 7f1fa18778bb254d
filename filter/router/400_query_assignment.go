// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// QUERY_ASSIGNMENT (400), no header, body QueryAssignmentRequestBody. Sent by consumers that leave
// the sharing of queues to a broker; any broker of the topic will do, the same for the whole group.
//
// CHECK_CLIENT_CONFIG (46), no header, body CheckClientRequestBody. Sent by consumers that filter by
// SQL, to any broker of the topic, which compiles the expression.
func byTopic(r *Request, v View) ([]byte, *codec.Reply) {
	var one [1]body.Subject
	about, err := r.Type.Body.AppendSubjects(one[:0], r.Body)
	if err != nil {
		return nil, Unreadable(err)
	}
	return anyBroker(string(about[0].Topic), string(about[0].ConsumerGroup), v)
}
