// SPDX-License-Identifier: Apache-2.0

package router

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// VIEW_MESSAGE_BY_ID (33), header ViewMessageRequestHeader, no body. It has an offset in the log of
// the broker whose address the client took from the message id and dialled, and nothing else.
func viewMessage(Request, Knowledge) ([]byte, *Refusal) {
	return nil, &Refusal{
		codec.ResponseVersionNotSupported,
		"an offset message id says only at its own address which broker is meant, and all brokers share this address: look for the unique id or the key instead",
	}
}

// HidesTopic reports whether the topic in such requests proves nothing: brokers answer VIEW_MESSAGE_BY_ID with the message at an
// offset, whatever topic the request names (QueryMessageProcessor).
func (k *Kind) HidesTopic() bool { return k.Code == requests.ViewMessageByID }
