// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// VIEW_MESSAGE_BY_ID (33), header ViewMessageRequestHeader, no body. It has an offset in the log of
// the broker whose address the client took from the message id and dialled, and nothing else.
func byMessageID() ([]byte, *codec.Reply) {
	return nil, &codec.Reply{
		Code:   codec.ResponseVersionNotSupported,
		Remark: "an offset message id says only at its own address which broker is meant, and all brokers share this address: look for the unique id or the key instead",
	}
}
