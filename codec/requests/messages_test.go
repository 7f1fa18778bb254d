// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"encoding/binary"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

func TestMessagesThatARequestSends(t *testing.T) {
	one := append(binary.BigEndian.AppendUint32(nil, 22), make([]byte, 18)...)
	three := append(append(one, one...), one...)
	for _, each := range []struct {
		code           Code
		field, value   string
		batch, fetches bool
		want           int
	}{
		{SendMessage, "batch", "false", false, false, 1},
		{SendMessage, "batch", "true", true, false, 3},
		{SendMessageV2, "m", "false", false, false, 1},
		{SendMessageV2, "m", "true", true, false, 3},
		{SendBatchMessage, "x", "", true, false, 3},
		{SendReplyMessageV2, "m", "true", false, false, 1},
		{EndTransaction, "m", "true", false, false, 0},
		{PullMessage, "m", "true", false, true, 0},
		{PopMessage, "m", "true", false, true, 0},
		{Notification, "m", "true", false, false, 0},
	} {
		h := headerOf(t, codec.Command{Code: int32(each.code), Opaque: 1, Fields: []codec.Field{{Name: each.field, Value: each.value}}, Body: three})
		kind := Of(each.code)
		if got := kind.CountMessages(h, three); got != each.want || kind.IsBatch(h) != each.batch || kind.SendsMessages() != (each.want > 0) || kind.Fetches() != each.fetches {
			t.Errorf("%v with %s=%s: %d messages, batch %v, fetches %v; want %d", each.code, each.field, each.value, got, kind.IsBatch(h), kind.Fetches(), each.want)
		}
	}
}
