// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"bytes"
	"testing"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// frames counts the answers in what a client got, by code.
func frames(t *testing.T, written []byte) map[codec.ResponseCode]int {
	t.Helper()
	counts := map[codec.ResponseCode]int{}
	for len(written) > 0 {
		prefix, err := codec.ParsePrefix(written, codec.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var h codec.Header
		if err := h.Parse(prefix.Type, written[codec.PrefixSize:codec.PrefixSize+prefix.HeaderSize]); err != nil {
			t.Fatal(err)
		}
		counts[h.ResponseCode()]++
		written = written[prefix.FrameSize():]
	}
	return counts
}

// TestWhatWaitsForAConnectionIsBounded has a client send 20 MB to a broker whose connection does not open: in contrib Envoy
// nothing holds the client back.
func TestWhatWaitsForAConnectionIsBounded(t *testing.T) {
	envoy, client, filter := dial(t)
	const sent, bound = 200, 4 << 20 // max_buffered_bytes
	large := func(opaque int32) []byte {
		command := codec.Command{
			Code: int32(requests.SendMessageV2), Opaque: opaque, Body: bytes.Repeat([]byte("b"), 100_000),
			Fields: []codec.Field{{Name: "n", Value: "broker-a"}},
		}
		return command.Append(nil)
	}
	for opaque := range int32(sent) {
		frame := large(100 + opaque)
		filter.OnData(frame[:len(frame)/2], false)
		filter.OnData(frame[len(frame)/2:], false)
	}
	kept := bound/len(large(100)) + 1 // one more comes while there is less than the bound
	if got := frames(t, client.written); len(got) != 1 || got[codec.ResponseSystemBusy] != sent-kept {
		t.Errorf("the client got %v, want SYSTEM_BUSY %d times", got, sent-kept)
	}
	broker := &fakeConnection{}
	envoy.last().OnPoolReady(broker)
	if want := kept * len(large(100)); len(broker.written) != want {
		t.Errorf("the broker got %d bytes, want %d", len(broker.written), want)
	}
	environment := &connectionOf(filter).instance.Environment
	filter.OnEvent(api.RemoteClose)
	for _, id := range []stats.ID{stats.MemoryKept, stats.RequestActive} {
		if n := environment.Stats.Value(id); n != 0 {
			t.Errorf("%s is %d after the end", stats.Table[id].Name, n)
		}
	}
}
