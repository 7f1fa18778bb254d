// SPDX-License-Identifier: Apache-2.0

package body

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// storedBytes writes a message as a broker does.
func storedBytes(m StoredMessage, magic uint32, flags uint32, content string) []byte {
	u32, u64 := binary.BigEndian.AppendUint32, binary.BigEndian.AppendUint64
	b := u32(nil, 0)
	b = u32(u32(u32(u32(b, magic), 0), uint32(m.QueueID)), 0)
	b = u64(u64(b, uint64(m.Offset)), 77)
	b = u64(u32(b, flags), 1)
	b = append(b, make([]byte, hostSize(flags&bornHostV6))...)
	b = u64(b, 2)
	b = append(b, make([]byte, hostSize(flags&storeHostV6))...)
	b = u64(u32(b, 0), 0)
	b = append(u32(b, uint32(len(content))), content...)
	if magic == messageMagicV2 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(m.Topic)))
	} else {
		b = append(b, byte(len(m.Topic)))
	}
	b = append(append(b, m.Topic...), 0, 0)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func TestStoredMessagesOfEveryKind(t *testing.T) {
	var src []byte
	var want []StoredMessage
	for _, magic := range []uint32{messageMagicV1, messageMagicV2} {
		for _, flags := range []uint32{0, bornHostV6, storeHostV6, bornHostV6 | storeHostV6} {
			m := StoredMessage{Topic: fmt.Sprintf("%%RETRY%%%x", magic), QueueID: int32(flags), Offset: 1 << 40}
			want = append(want, m)
			src = append(src, storedBytes(m, magic, flags, "content")...)
		}
	}
	var got []StoredMessage
	if err := EachStoredMessage(src, func(m StoredMessage) { got = append(got, m) }); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
}

func TestStoredMessagesThatLie(t *testing.T) {
	good := storedBytes(StoredMessage{Topic: "t"}, messageMagicV1, 0, "content")
	with := func(at int, value uint32) []byte {
		b := slices.Clone(good)
		binary.BigEndian.PutUint32(b[at:], value)
		return b
	}
	const bodySize = storedHosts + 16 + storedAfter
	for name, src := range map[string][]byte{
		"cut off":       good[:storedHosts-1],
		"no size":       with(0, 0),
		"small size":    with(0, storedHosts),
		"great size":    with(0, uint32(len(good))+1),
		"negative size": with(0, 1<<31),
		"magic":         with(storedMagic, 7),
		"body size":     with(bodySize, uint32(len(good))),
		"negative body": with(bodySize, 1<<31),
		"topic beyond":  append(slices.Clone(good[:len(good)-4]), 9, 't', 0, 0),
	} {
		if err := EachStoredMessage(src, func(StoredMessage) {}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzStoredMessages(f *testing.F) {
	f.Add(storedBytes(StoredMessage{Topic: "t"}, messageMagicV1, 0, "content"))
	f.Add(storedBytes(StoredMessage{Topic: "t"}, messageMagicV2, bornHostV6, ""))
	storm.Fuzz(f, func(t *testing.T, src []byte) {
		messages := 0
		_ = EachStoredMessage(src, func(StoredMessage) { messages++ })
		if messages > len(src)/storedHosts {
			t.Errorf("%d messages in %d bytes", messages, len(src))
		}
	})
}
