// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"

// CHECK_CLIENT_CONFIG (46), no header, body CheckClientRequestBody. Sent by consumers that filter by
// SQL, to any broker of the topic, which compiles the expression.
func checkClientConfig(r Request, k Knowledge) ([]byte, *Refusal) {
	topic, group, err := body.ParseCheckClientConfig(r.Body)
	if err != nil {
		return nil, unreadable(err)
	}
	return anyBroker(topic, group, k)
}

func checkTopic(b []byte) (string, error) {
	topic, _, err := body.ParseCheckClientConfig(b)
	return topic, err
}
