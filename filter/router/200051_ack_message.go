// SPDX-License-Identifier: Apache-2.0

package router

import (
	"bytes"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// ACK_MESSAGE (200051) and CHANGE_MESSAGE_INVISIBLETIME (200053), headers AckMessageRequestHeader and
// ChangeInvisibleTimeRequestHeader, no body. Sent by pop consumers to the broker that the message
// came from; its receipt, extraInfo, names it.

// receiptBroker is the position of the broker's name among the blank-separated parts of a receipt
// (ExtraInfoUtil).
const receiptBroker = 5

func byReceipt(r *Request, v View) ([]byte, *codec.Reply) {
	if name := AcknowledgedBroker(r); len(name) > 0 {
		return name, nil
	}
	return onlyBroker(r, v)
}

// AcknowledgedBroker returns the broker that an acknowledgement says its message came from; empty if it says none.
func AcknowledgedBroker(r *Request) []byte {
	if name := namedBroker(r); len(name) > 0 {
		return name
	}
	receipt, _ := r.Header.Field("extraInfo")
	for range receiptBroker {
		_, receipt, _ = bytes.Cut(receipt, []byte(" "))
	}
	name, _, _ := bytes.Cut(receipt, []byte(" "))
	return name
}
