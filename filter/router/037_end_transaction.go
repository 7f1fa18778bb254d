// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// END_TRANSACTION (37), header EndTransactionRequestHeader, oneway. Sent by transactional producers
// to the master that stored the half message: after their own send, and in answer to
// CHECK_TRANSACTION_STATE (39). Offsets mean nothing at another broker. When the request does not
// name the broker (4.x clients and brokers, Go), it is the one that stored the half message at these
// offsets or asked about it.
func byHalfMessage(r *Request, v View) ([]byte, *codec.Reply) {
	if name := namedBroker(r); len(name) > 0 {
		return name, nil
	}
	if half, ok := HalfMessageOf(r.Header); ok {
		if name, ok := v.HalfMessageBroker(half, r.Header); ok {
			return []byte(name), nil
		}
	}
	return onlyBroker(r, v)
}

// HalfMessage is the place of a half message in its broker's logs.
type HalfMessage struct{ TranStateTableOffset, CommitLogOffset int64 }

// HalfMessageOf returns the half message that an END_TRANSACTION or a CHECK_TRANSACTION_STATE is about.
func HalfMessageOf(h *codec.Header) (half HalfMessage, ok bool) {
	state, hasState := h.IntField("tranStateTableOffset")
	log, hasLog := h.IntField("commitLogOffset")
	return HalfMessage{state, log}, hasState && hasLog
}
