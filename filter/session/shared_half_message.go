// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// maxHalfMessages is how many of the last half messages are remembered.
const maxHalfMessages = 1024

// halfMessages remembers which broker has which half message, for the END_TRANSACTION that follows:
// not every client names the broker in it.
type halfMessages struct {
	origins map[router.HalfMessage][]origin
	ring    []router.HalfMessage
	next    int
}

// origin is where a half message is. Brokers count by themselves, so several may have one at the same offsets.
type origin struct {
	target
	transactionID string
}

const transactionID = "transactionId"

// maxTransactionID is how much of a transaction's id is compared; clients make them of 32 to 64 digits.
const maxTransactionID = 256

// rememberCheck notes the half message of a CHECK_TRANSACTION_STATE.
func (m *halfMessages) rememberCheck(at target, h *codec.Header) {
	if half, ok := router.HalfMessageOf(h); ok {
		m.remember(half, at, h)
	}
}

// rememberSent notes the half message of the answer to a prepared send. The client takes the offset in the log from the
// message id that the broker gave: hex of its address (4 or 16 bytes), port (4 bytes) and offset
// (8 bytes) (MessageDecoder.decodeMessageId).
func (m *halfMessages) rememberSent(at target, h *codec.Header) {
	id, _ := h.Field("msgId")
	state, ok := h.IntField("queueOffset")
	if !ok || len(id) != 32 && len(id) != 56 {
		return
	}
	if log, err := strconv.ParseUint(string(id[len(id)-16:]), 16, 63); err == nil {
		m.remember(router.HalfMessage{TranStateTableOffset: state, CommitLogOffset: int64(log)}, at, h)
	}
}

func (m *halfMessages) remember(half router.HalfMessage, at target, h *codec.Header) {
	if m.origins == nil {
		m.origins = make(map[router.HalfMessage][]origin)
	}
	origins, known := m.origins[half]
	if !known {
		if len(m.ring) < maxHalfMessages {
			m.ring = append(m.ring, half)
		} else {
			delete(m.origins, m.ring[m.next])
			m.ring[m.next] = half
			m.next = (m.next + 1) % maxHalfMessages
		}
	}
	id, _ := h.Field(transactionID)
	id = id[:min(len(id), maxTransactionID)]
	origins = slices.DeleteFunc(origins, func(o origin) bool { return o.target == at })
	m.origins[half] = append(origins, origin{at, string(id)})
}

// find returns the broker of the half message that an END_TRANSACTION is about.
func (m *halfMessages) find(half router.HalfMessage, h *codec.Header) (target, bool) {
	origins := m.origins[half]
	if len(origins) == 0 {
		return target{}, false
	}
	id, _ := h.Field(transactionID)
	id = id[:min(len(id), maxTransactionID)]
	for _, o := range origins {
		if o.transactionID == string(id) {
			return o.target, true
		}
	}
	return origins[len(origins)-1].target, true
}
