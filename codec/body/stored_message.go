// SPDX-License-Identifier: Apache-2.0

package body

import "encoding/binary"

// StoredMessage is the place of one message in a broker, as it is written in the body of a pull or pop
// answer.
type StoredMessage struct {
	Topic   string
	QueueID int32
	Offset  int64 // in its queue
}

// Magic words of stored messages: with the length of the topic in one byte, and in two (Java:
// MessageVersion).
const (
	messageMagicV1 = 0xDAA320A7
	messageMagicV2 = 0xDAA320AB
)

// The start of a stored message, and the two flags that make its hosts IPv6 (Java: MessageDecoder,
// MessageSysFlag).
const (
	storedMagic   = 4
	storedQueueID = 12
	storedOffset  = 20
	storedSysFlag = 36
	storedHosts   = 48 // after it: born host, store time, store host, and what storedAfter counts
	storedAfter   = 8 + 4 + 8

	bornHostV6  = 1 << 4
	storeHostV6 = 1 << 5
)

const storedMessages = "stored messages"

// EachStoredMessage calls f for each message in the body of a pull or pop answer. It borrows src and allocates a
// message's topic only. Errors are *Error, after the messages before the bad one.
func EachStoredMessage(src []byte, f func(StoredMessage)) error {
	for at := 0; at < len(src); {
		rest := src[at:]
		if len(rest) < storedHosts {
			return &Error{Body: storedMessages, Offset: at, Detail: "cut off"}
		}
		size := int(binary.BigEndian.Uint32(rest))
		if size < storedHosts || size > len(rest) {
			return &Error{Body: storedMessages, Offset: at, Detail: "a size beyond the body or too small"}
		}
		m, ok := storedMessage(rest[:size])
		if !ok {
			return &Error{Body: storedMessages, Offset: at, Detail: "malformed"}
		}
		f(m)
		at += size
	}
	return nil
}

// storedMessage reads one message, of at least storedHosts bytes.
func storedMessage(b []byte) (m StoredMessage, ok bool) {
	m.QueueID = int32(binary.BigEndian.Uint32(b[storedQueueID:]))
	m.Offset = int64(binary.BigEndian.Uint64(b[storedOffset:]))
	lengthBytes := 0
	switch binary.BigEndian.Uint32(b[storedMagic:]) {
	case messageMagicV1:
		lengthBytes = 1
	case messageMagicV2:
		lengthBytes = 2
	default:
		return m, false
	}
	flags := binary.BigEndian.Uint32(b[storedSysFlag:])
	at := storedHosts + hostSize(flags&bornHostV6) + hostSize(flags&storeHostV6) + storedAfter
	bodySize, at, ok := take(b, at, 4)
	if !ok || bodySize > len(b)-at {
		return m, false
	}
	topicSize, at, ok := take(b, at+bodySize, lengthBytes)
	if !ok || topicSize > len(b)-at {
		return m, false
	}
	m.Topic = string(b[at : at+topicSize])
	return m, true
}

// hostSize is an address and a port of four bytes.
func hostSize(isV6 uint32) int {
	if isV6 != 0 {
		return 16 + 4
	}
	return 4 + 4
}

// take reads an unsigned number of n bytes.
func take(b []byte, at, n int) (value, next int, ok bool) {
	if at > len(b)-n {
		return 0, 0, false
	}
	for _, c := range b[at : at+n] {
		value = value<<8 | int(c)
	}
	return value, at + n, true
}
