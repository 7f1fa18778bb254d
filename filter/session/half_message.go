// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strconv"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/router"
)

// maxHalfMessages is how many of the last half messages are remembered.
const maxHalfMessages = 1024

// halfMessages remembers which broker has which half message, for the END_TRANSACTION that follows:
// not every client names the broker in it.
type halfMessages struct {
	places map[router.HalfMessage]place
	ring   []router.HalfMessage
	next   int
}

// rememberCheck takes in a CHECK_TRANSACTION_STATE.
func (m *halfMessages) rememberCheck(at place, h *codec.Header) {
	if half, ok := router.HalfMessageOf(h); ok {
		m.remember(half, at)
	}
}

// rememberSent takes in the answer to a prepared send. The client takes the offset in the log from the
// message id that the broker gave: hex of its address (4 or 16 bytes), port (4 bytes) and offset
// (8 bytes) (MessageDecoder.decodeMessageId).
func (m *halfMessages) rememberSent(at place, h *codec.Header) {
	id, _ := h.Field("msgId")
	state, ok := h.IntField("queueOffset")
	if !ok || len(id) != 32 && len(id) != 56 {
		return
	}
	if log, err := strconv.ParseUint(string(id[len(id)-16:]), 16, 63); err == nil {
		m.remember(router.HalfMessage{TranStateTableOffset: state, CommitLogOffset: int64(log)}, at)
	}
}

func (m *halfMessages) remember(half router.HalfMessage, at place) {
	if m.places == nil {
		m.places = make(map[router.HalfMessage]place)
	}
	if _, ok := m.places[half]; !ok {
		if len(m.ring) < maxHalfMessages {
			m.ring = append(m.ring, half)
		} else {
			delete(m.places, m.ring[m.next])
			m.ring[m.next] = half
			m.next = (m.next + 1) % maxHalfMessages
		}
	}
	m.places[half] = at
}

func (m *halfMessages) find(half router.HalfMessage) (place, bool) {
	at, ok := m.places[half]
	return at, ok
}
