// SPDX-License-Identifier: Apache-2.0

package router

import (
	"encoding/binary"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

func TestMessagesThatARequestSends(t *testing.T) {
	one := append(binary.BigEndian.AppendUint32(nil, 22), make([]byte, 18)...)
	three := append(append(one, one...), one...)
	for _, each := range []struct {
		code           codec.RequestCode
		field, value   string
		batch, fetches bool
		want           int
	}{
		{codec.RequestSendMessage, "batch", "false", false, false, 1},
		{codec.RequestSendMessage, "batch", "true", true, false, 3},
		{codec.RequestSendMessageV2, "m", "false", false, false, 1},
		{codec.RequestSendMessageV2, "m", "true", true, false, 3},
		{codec.RequestSendBatchMessage, "x", "", true, false, 3},
		{codec.RequestSendReplyMessageV2, "m", "true", false, false, 1},
		{codec.RequestEndTransaction, "m", "true", false, false, 0},
		{codec.RequestPullMessage, "m", "true", false, true, 0},
		{codec.RequestPopMessage, "m", "true", false, true, 0},
		{codec.RequestNotification, "m", "true", false, false, 0},
	} {
		r := requestWith(t, codec.Command{Code: int32(each.code), Opaque: 1, Fields: []codec.Field{{Name: each.field, Value: each.value}}, Body: three})
		kind := Of(each.code)
		if got := kind.Messages(r); got != each.want || kind.IsBatch(r.Header) != each.batch || kind.Sends() != (each.want > 0) || kind.Fetches() != each.fetches {
			t.Errorf("%v with %s=%s: %d messages, batch %v, fetches %v; want %d", each.code, each.field, each.value, got, kind.IsBatch(r.Header), kind.Fetches(), each.want)
		}
	}
}
