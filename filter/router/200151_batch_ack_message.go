// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// BATCH_ACK_MESSAGE (200151), no header, body BatchAckMessageRequestBody, which names the broker.
// Sent by pop consumers from 5.1.3 on.
func byBody(r *Request) ([]byte, *codec.Reply) {
	name, err := body.ParseBatchAck(r.Body)
	if err != nil {
		return nil, Unreadable(err)
	}
	if name == "" {
		return nil, unnamed
	}
	return []byte(name), nil
}
