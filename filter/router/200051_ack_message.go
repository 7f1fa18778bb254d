// SPDX-License-Identifier: Apache-2.0

package router

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// ACK_MESSAGE (200051) and CHANGE_MESSAGE_INVISIBLETIME (200053), headers AckMessageRequestHeader and
// ChangeInvisibleTimeRequestHeader, no body. Sent by pop consumers to the broker that the message
// came from; its receipt, extraInfo, names it.

// receiptBroker is the place of the broker's name among the blank-separated parts of a receipt
// (ExtraInfoUtil).
const receiptBroker = 5

func byReceipt(r Request, k Knowledge) ([]byte, *Refusal) {
	if name := AcknowledgedBroker(r.Header); len(name) > 0 {
		return name, nil
	}
	return onlyBroker(r, k, longNames.topic)
}

// AcknowledgedBroker is the broker that an acknowledgement says its message came from; empty if it does not.
func AcknowledgedBroker(h *codec.Header) []byte {
	if name, ok := h.Field(longNames.broker); ok && len(name) > 0 {
		return name
	}
	receipt, _ := h.Field("extraInfo")
	for range receiptBroker {
		_, receipt, _ = bytes.Cut(receipt, []byte(" "))
	}
	name, _, _ := bytes.Cut(receipt, []byte(" "))
	return name
}
