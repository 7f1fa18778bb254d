// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// CHECK_CLIENT_CONFIG (46), no header, body CheckClientRequestBody. Sent by consumers that filter by
// SQL, to any broker of the topic, which compiles the expression.
func checkClientConfig(r Request, k Knowledge) ([]byte, *Refusal) {
	about, err := onlySubject(body.CheckClientSubjects, r.Body)
	if err != nil {
		return nil, Unreadable(err)
	}
	return anyBroker(string(about.Topic), string(about.ConsumerGroup), k)
}
