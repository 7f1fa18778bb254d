// SPDX-License-Identifier: Apache-2.0

package router

import "bytes"

// ACK_MESSAGE (200051) and CHANGE_MESSAGE_INVISIBLETIME (200053), headers AckMessageRequestHeader and
// ChangeInvisibleTimeRequestHeader, no body. Sent by pop consumers to the broker that the message
// came from; its receipt, extraInfo, names it.

// receiptBroker is the place of the broker's name among the blank-separated parts of a receipt
// (ExtraInfoUtil).
const receiptBroker = 5

func byReceipt(r Request, k Knowledge) ([]byte, *Refusal) {
	if name, ok := r.Header.Field(longNames.broker); ok && len(name) > 0 {
		return name, nil
	}
	receipt, _ := r.Header.Field("extraInfo")
	for range receiptBroker {
		_, receipt, _ = bytes.Cut(receipt, []byte(" "))
	}
	if name, _, _ := bytes.Cut(receipt, []byte(" ")); len(name) > 0 {
		return name, nil
	}
	return onlyBroker(r, k, longNames.topic)
}
