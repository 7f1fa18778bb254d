// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// halfMessage is the place of a half message in its broker's logs.
type halfMessage struct{ tranStateTableOffset, commitLogOffset int64 }

// maxHalfMessages is how many of the last half messages are remembered.
const maxHalfMessages = 1024

// halfMessages remembers which broker has which half message, for the END_TRANSACTION that follows:
// not every client names the broker in it.
type halfMessages struct {
	brokers map[halfMessage]string
	ring    []halfMessage
	next    int
}

// rememberCheck takes in a CHECK_TRANSACTION_STATE.
func (m *halfMessages) rememberCheck(broker string, h *codec.Header) {
	state, hasState := h.IntField("tranStateTableOffset")
	log, hasLog := h.IntField("commitLogOffset")
	if hasState && hasLog {
		m.remember(halfMessage{state, log}, broker)
	}
}

// rememberSent takes in the answer to a prepared send. The client takes the offset in the log from the
// message id that the broker gave: hex of its address (4 or 16 bytes), port (4 bytes) and offset
// (8 bytes) (MessageDecoder.decodeMessageId).
func (m *halfMessages) rememberSent(broker string, h *codec.Header) {
	id, _ := h.Field("msgId")
	state, ok := h.IntField("queueOffset")
	if !ok || len(id) != 32 && len(id) != 56 {
		return
	}
	if log, err := strconv.ParseUint(string(id[len(id)-16:]), 16, 63); err == nil {
		m.remember(halfMessage{state, int64(log)}, broker)
	}
}

func (m *halfMessages) remember(k halfMessage, broker string) {
	if m.brokers == nil {
		m.brokers = make(map[halfMessage]string)
	}
	if _, ok := m.brokers[k]; !ok {
		if len(m.ring) < maxHalfMessages {
			m.ring = append(m.ring, k)
		} else {
			delete(m.brokers, m.ring[m.next])
			m.ring[m.next] = k
			m.next = (m.next + 1) % maxHalfMessages
		}
	}
	m.brokers[k] = broker
}

func (m *halfMessages) find(k halfMessage) (string, bool) {
	broker, ok := m.brokers[k]
	return broker, ok
}
