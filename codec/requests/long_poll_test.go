// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

func TestWaitsAreReadFromTheRequestAndBounded(t *testing.T) {
	with := func(code Code, fields ...codec.Field) *codec.Header {
		return headerOf(t, codec.Command{Code: int32(code), Fields: fields})
	}
	pull := func(flag, wait string) *codec.Header {
		return with(PullMessage, codec.Field{Name: "sysFlag", Value: flag}, codec.Field{Name: "suspendTimeoutMillis", Value: wait})
	}
	for _, c := range []struct {
		h    *codec.Header
		want time.Duration
	}{
		{pull("2", "15000"), 15 * time.Second},
		{pull("4", "15000"), 0},
		{pull("6", "-5"), 0},
		{pull("6", "99999999999"), maxWait},
		{pull("x", "15000"), 0},
		{with(PopMessage, codec.Field{Name: "pollTime", Value: "15000"}), 15 * time.Second},
		{with(SendMessage, codec.Field{Name: "pollTime", Value: "15000"}), 0},
	} {
		if got := Of(CodeOf(c.h)).Wait(c.h); got != c.want {
			t.Errorf("%v: got %v, want %v", CodeOf(c.h), got, c.want)
		}
	}
}

func TestOnlySendsOfHalfMessagesArePrepared(t *testing.T) {
	for _, c := range []struct {
		code  Code
		field string
		value string
		want  bool
	}{
		{SendMessage, "sysFlag", "4", true},
		{SendMessage, "sysFlag", "12", false}, // rolled back
		{SendMessage, "f", "4", false},
		{SendMessageV2, "f", "5", true},
		{SendMessageV2, "f", "x", false},
		{SendBatchMessage, "f", "4", false},
		{PullMessage, "sysFlag", "4", false},
	} {
		h := headerOf(t, codec.Command{Code: int32(c.code), Fields: []codec.Field{{Name: c.field, Value: c.value}}})
		if got := Of(c.code).IsPrepared(h); got != c.want {
			t.Errorf("%v with %s=%s: got %v", c.code, c.field, c.value, got)
		}
	}
}
