// SPDX-License-Identifier: Apache-2.0

package router

import (
	"encoding/binary"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func TestMessagesThatARequestSends(t *testing.T) {
	one := append(binary.BigEndian.AppendUint32(nil, 22), make([]byte, 18)...)
	three := append(append(one, one...), one...)
	for _, each := range []struct {
		code           requests.Code
		field, value   string
		batch, fetches bool
		want           int
	}{
		{requests.SendMessage, "batch", "false", false, false, 1},
		{requests.SendMessage, "batch", "true", true, false, 3},
		{requests.SendMessageV2, "m", "false", false, false, 1},
		{requests.SendMessageV2, "m", "true", true, false, 3},
		{requests.SendBatchMessage, "x", "", true, false, 3},
		{requests.SendReplyMessageV2, "m", "true", false, false, 1},
		{requests.EndTransaction, "m", "true", false, false, 0},
		{requests.PullMessage, "m", "true", false, true, 0},
		{requests.PopMessage, "m", "true", false, true, 0},
		{requests.Notification, "m", "true", false, false, 0},
	} {
		r := requestWith(t, codec.Command{Code: int32(each.code), Opaque: 1, Fields: []codec.Field{{Name: each.field, Value: each.value}}, Body: three})
		kind := Of(each.code)
		if got := kind.Messages(r); got != each.want || kind.IsBatch(r.Header) != each.batch || kind.Sends() != (each.want > 0) || kind.Fetches() != each.fetches {
			t.Errorf("%v with %s=%s: %d messages, batch %v, fetches %v; want %d", each.code, each.field, each.value, got, kind.IsBatch(r.Header), kind.Fetches(), each.want)
		}
	}
}
