// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// SEND_MESSAGE (10) and SEND_MESSAGE_V2 (310), headers SendMessageRequestHeader and
// SendMessageRequestHeaderV2 (the same with names of one letter), body: the message. Sent by every
// producer to the broker of the queue it has chosen. A prepared message is the first half of a
// transaction: END_TRANSACTION must reach the broker that stores it.

// Two bits of sysFlag (MessageSysFlag).
const (
	transactionMask     = 3 << 2
	transactionPrepared = 1 << 2
)

func prepared(sysFlag string) func(*codec.Header) bool {
	return func(h *codec.Header) bool {
		flags, ok := h.IntField(sysFlag)
		return ok && flags&transactionMask == transactionPrepared
	}
}
