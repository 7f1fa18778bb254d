// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// Content is what requests send to be stored. SEND_MESSAGE and SEND_MESSAGE_V2 have the headers SendMessageRequestHeader
// and SendMessageRequestHeaderV2, which is the same with names of one letter; the body is the message.
type Content uint8

// The contents.
const (
	NoMessage Content = iota
	// Message is one message.
	Message
	// MessageOrBatch is one message, or several where a field says so. Brokers go by the field, whatever the code
	// (SendMessageProcessor). The message may be the first half of a transaction.
	MessageOrBatch
	// Batch is several messages.
	Batch
)

// SendsMessages reports whether a request sends messages.
func (t *Type) SendsMessages() bool { return t.Sends != NoMessage }

// IsBatch reports whether a request sends several messages in one body.
func (t *Type) IsBatch(h *codec.Header) bool {
	switch t.Sends {
	case Batch:
		return true
	case MessageOrBatch:
		value, _ := h.Field(t.Fields.Batch)
		return string(value) == "true"
	}
	return false
}

// CountMessages returns how many messages a request sends. It reads the body of a batch.
func (t *Type) CountMessages(h *codec.Header, content []byte) int {
	switch {
	case !t.SendsMessages():
		return 0
	case t.IsBatch(h):
		return body.CountBatch(content)
	}
	return 1
}

// Bits of sysFlag in the header of a send (MessageSysFlag).
const (
	transactionMask     = 3 << 2
	transactionPrepared = 1 << 2
)

// IsPrepared reports whether a request sends the half message of a transaction. The END_TRANSACTION that follows must reach
// the broker that stores it.
func (t *Type) IsPrepared(h *codec.Header) bool {
	if t.Sends != MessageOrBatch {
		return false
	}
	flags, ok := h.IntField(t.Fields.SysFlag)
	return ok && flags&transactionMask == transactionPrepared
}
