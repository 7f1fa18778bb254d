// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func frame(header string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(header)))
	return append(b, header...)
}

func send(opaque, queue int) []byte {
	return frame(fmt.Sprintf(`{"code":310,"opaque":%d,"flag":0,"extFields":{"e":"%d"}}`, opaque, queue))
}

func sent(opaque, queue int) []byte {
	return frame(fmt.Sprintf(`{"code":0,"opaque":%d,"flag":1,"extFields":{"queueId":"%d"}}`, opaque, queue))
}

func TestAnswersToQuestionsAreFineHoweverTheyAreCut(t *testing.T) {
	var c Checker
	toServer, toClient := c.Connection("w")
	for _, b := range append(append(send(1, 3), send(2, 4)...), frame(`{"code":34,"opaque":9,"flag":2}`)...) {
		_, _ = toServer.Write([]byte{b})
	}
	_, _ = toClient.Write(append(sent(2, 4), sent(1, 3)...))
	// The server's own opaques are another matter.
	_, _ = toClient.Write(frame(`{"code":39,"opaque":1,"flag":0}`))
	_, _ = toServer.Write(frame(`{"code":0,"opaque":1,"flag":1}`))
	if count, first := c.Violations(); count != 0 || c.Matched() != 3 {
		t.Errorf("%d violations %q, %d matched; want 0 and 3", count, first, c.Matched())
	}
}

func TestBinaryHeadersAreRead(t *testing.T) {
	binaryFrame := func(opaque, flag uint32) []byte {
		h := []byte{0, 34, 0, 1, 0xdf}
		h = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(h, opaque), flag)
		b := binary.BigEndian.AppendUint32(nil, uint32(4+len(h)))
		return append(binary.BigEndian.AppendUint32(b, 1<<24|uint32(len(h))), h...)
	}
	var c Checker
	toServer, toClient := c.Connection("w")
	_, _ = toServer.Write(binaryFrame(7, 0))
	_, _ = toClient.Write(append(binaryFrame(7, 1), binaryFrame(7, 1)...))
	if count, _ := c.Violations(); count != 1 || c.Matched() != 1 {
		t.Errorf("%d violations, %d matched; want 1 and 1", count, c.Matched())
	}
}

func TestWhatNobodyAskedForIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		toServer, toClient []byte
		want               string
	}{
		"never asked":          {send(1, 0), sent(2, 0), "opaque 2 and code 0 to nobody's request"},
		"answered twice":       {send(1, 0), append(sent(1, 0), sent(1, 0)...), "opaque 1 and code 0 to nobody's request"},
		"for another queue":    {send(1, 0), sent(1, 5), "is for queue 5, the request was for 0"},
		"asked twice the same": {append(send(1, 0), send(1, 0)...), nil, "opaque 1 of request 310 that still waits"},
	} {
		var checker Checker
		toServer, toClient := checker.Connection("w")
		_, _ = toServer.Write(c.toServer)
		_, _ = toClient.Write(c.toClient)
		if count, first := checker.Violations(); count != 1 || !strings.Contains(first[0], c.want) {
			t.Errorf("%s: %d violations %q, want one that says %q", name, count, first, c.want)
		}
	}
}

func TestConnectionsDoNotMix(t *testing.T) {
	var c Checker
	one, _ := c.Connection("w")
	_, other := c.Connection("w")
	_, _ = one.Write(send(1, 0))
	_, _ = other.Write(sent(1, 0))
	if count, _ := c.Violations(); count != 1 {
		t.Errorf("%d violations, want 1", count)
	}
}

func TestOtherProtocolsAreLeftAlone(t *testing.T) {
	var c Checker
	toServer, toClient := c.Connection("w")
	_, _ = toServer.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	_, _ = toClient.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	if count, _ := c.Violations(); count != 0 || c.Matched() != 0 {
		t.Errorf("%d violations, %d matched", count, c.Matched())
	}
}
