// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

func TestCodesAreJavas(t *testing.T) {
	java := golden.JavaConstants(t, "java-request-codes.txt")
	if len(java) != 166 {
		t.Fatalf("only %d constants", len(java))
	}
	for value, name := range java {
		if got := Code(value).String(); got != name {
			t.Errorf("%d: got %s, want %s", value, got, name)
		}
	}
	last := Code(-1)
	for _, c := range Codes() {
		if c <= last || !c.Known() {
			t.Errorf("%d behind %d", c, last)
		}
		last = c
		// Older than the recorded release.
		acl := c >= UpdateAndCreateACLConfig && c <= GetBrokerClusterACLConfig
		if java[int32(c)] == "" && !acl {
			t.Errorf("%v (%d) is not Java's", c, c)
		}
	}
	if got, want := Code(4711).String(), "UNKNOWN_REQUEST_CODE_4711"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestGoldenRequestsHaveTheCodesOfTheirNames compares with what clients and brokers have sent.
func TestGoldenRequestsHaveTheCodesOfTheirNames(t *testing.T) {
	for _, g := range golden.All(t) {
		typ := codec.JSON
		if g.Header[0] != '{' {
			typ = codec.ROCKETMQ
		}
		var h codec.Header
		if err := h.Parse(typ, g.Header); err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		_, base, _ := strings.Cut(g.Name, "/")
		if name, _, _ := strings.Cut(base, "."); !h.IsResponse() && CodeOf(&h).String() != name {
			t.Errorf("%s: code %v", g.Name, CodeOf(&h))
		}
	}
}

func TestCutOffCodesGetTheirNumberBack(t *testing.T) {
	for _, tt := range []struct {
		code int32
		want Code
	}{
		{3442, PopMessage},
		{3443, AckMessage},
		{3448, PopRollback},
		{3449, 3449},
		{3441, 3441},
		{3462, PopLiteMessage},
		{3471, TriggerLiteDispatch},
		{3543, BatchAckMessage},
		{310, SendMessageV2},
		{-1, -1},
	} {
		h := codec.Header{Type: codec.ROCKETMQ, Code: tt.code}
		if got := CodeOf(&h); got != tt.want {
			t.Errorf("%d: got %v, want %v", tt.code, got, tt.want)
		}
		h.Type = codec.JSON
		if got := CodeOf(&h); got != Code(tt.code) {
			t.Errorf("%d in JSON: got %v", tt.code, got)
		}
	}
	for _, c := range Codes() {
		h := codec.Header{Type: codec.ROCKETMQ, Code: int32(int16(c))}
		if got := CodeOf(&h); got != c {
			t.Errorf("%v arrives as %d and is taken for %v", c, h.Code, got)
		}
	}
}
