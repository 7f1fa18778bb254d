// SPDX-License-Identifier: Apache-2.0

package router

// END_TRANSACTION (37), header EndTransactionRequestHeader, oneway. Sent by transactional producers
// to the master that stored the half message: after their own send, and in answer to
// CHECK_TRANSACTION_STATE (39). Offsets mean nothing at another broker. When the request does not
// name the broker (4.x clients and brokers, Go), it is the one that stored the half message at these
// offsets or asked about it.
func endTransaction(r Request, k Knowledge) ([]byte, *Refusal) {
	if name, ok := r.Header.Field(longNames.broker); ok && len(name) > 0 {
		return name, nil
	}
	state, hasState := r.Header.IntField("tranStateTableOffset")
	log, hasLog := r.Header.IntField("commitLogOffset")
	if hasState && hasLog {
		if name, ok := k.HalfMessageBroker(state, log); ok {
			return []byte(name), nil
		}
	}
	return onlyBroker(r, k, longNames.topic)
}
