// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// Sends tells whether a request sends messages.
func (k *Kind) Sends() bool {
	switch k.Code {
	case requests.SendMessage, requests.SendMessageV2, requests.SendBatchMessage,
		requests.SendReplyMessage, requests.SendReplyMessageV2:
		return true
	}
	return false
}

// Fetches tells whether a request is answered with messages.
func (k *Kind) Fetches() bool { return Fetches(k.Code) }

// Fetches reports whether requests with a code are answered with messages that a consumer takes.
func Fetches(code requests.Code) bool {
	switch code {
	case requests.PullMessage, requests.LitePullMessage, requests.PopMessage, requests.PopLiteMessage, requests.PeekMessage:
		return true
	}
	return false
}

// IsBatch tells whether a request sends several messages in one body. Brokers go by the field, whatever the code
// (SendMessageProcessor).
func (k *Kind) IsBatch(h *codec.Header) bool {
	field := ""
	switch k.Code {
	case requests.SendBatchMessage:
		return true
	case requests.SendMessage:
		field = "batch"
	case requests.SendMessageV2:
		field = "m"
	default:
		return false
	}
	value, _ := h.Field(field)
	return string(value) == "true"
}

// Messages is how many messages a request sends. Of a batch it needs the body.
func (k *Kind) Messages(r Request) int {
	switch {
	case !k.Sends():
		return 0
	case k.IsBatch(r.Header):
		return body.CountBatch(r.Body)
	}
	return 1
}
