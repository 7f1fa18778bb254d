// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// sameAsFirst demands that h, which has read other headers before, reads raw as a new Header does.
func sameAsFirst(t testing.TB, h *Header, raw []byte) (ok bool) {
	t.Helper()
	var first Header
	err, firstErr := h.Parse(JSON, raw), first.Parse(JSON, raw)
	if (err == nil) != (firstErr == nil) {
		t.Fatalf("got %v, first %v for %q", err, firstErr, raw)
	}
	if err != nil {
		return false
	}
	if h.Code != first.Code || h.Language != first.Language || h.Version != first.Version || h.Opaque != first.Opaque ||
		h.Flag != first.Flag || h.Type != first.Type || h.Remark() != first.Remark() || !equalFields(fieldsOf(h), fieldsOf(&first)) {
		t.Fatalf("got %+v, first %+v for %q", h, &first, raw)
	}
	if a, b := h.AppendWithOpaque(nil, -1, 0), first.AppendWithOpaque(nil, -1, 0); !bytes.Equal(a, b) {
		t.Fatalf("got %q, first %q", a, b)
	}
	return true
}

func TestHeadersLikeTheLastReadAsIfTheyWereTheFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	headers := [][]byte{
		[]byte(sendV2),
		[]byte(` { "opaque" : -5, "extFields" : { "n" : 1.25e3 , "b" : true, "u" : null, "\u0062" : "\"\\" }, "code" : 1 , "x" : [1, "y"] } `),
	}
	for _, g := range golden.All(t) {
		if goldenType(g) == JSON {
			headers = append(headers, g.Header)
		}
	}
	for _, raw := range headers {
		var h Header
		for range 100 {
			for range 2 { // the second one becomes the pattern
				sameAsFirst(t, &h, raw)
			}
			b := bytes.Clone(raw)
			for range 1 + r.IntN(2) {
				b[r.IntN(len(b))] = "0123456789-.eaZ\"\\ \x00{}:,"[r.IntN(23)]
			}
			sameAsFirst(t, &h, b)
		}
	}
}

func TestPatternIsOfTheLatestHeaderOnly(t *testing.T) {
	short := `{"code":1,"extFields":{"a":"1"},"opaque":2,"remark":"xxxxxxxxxxxxxx","version":479}`
	other := `{"code":1,"extFields":{"b":"1"},"opaque":2,"remark":"xxxxxxxxxxxxxx","version":479}`
	binary := string(binaryOf(0, "", 68, "\x00\x01a\x00\x00\x00\x3d"+string(make([]byte, 61))))
	for _, between := range []func(h *Header){
		func(h *Header) { _ = h.Parse(JSON, []byte(other)) },
		func(h *Header) { _ = h.Parse(JSON, []byte(sendV2)) },
		func(h *Header) { _ = h.Parse(JSON, []byte(short[:len(short)-1]+",")) },
		func(h *Header) { _ = h.Parse(ROCKETMQ, []byte(binary)) },
		func(h *Header) { _ = h.Parse(7, []byte(short)) },
		func(h *Header) { h.Code, h.Opaque, h.Flag, h.Version, h.Language, h.Type = 9, 9, 9, 9, 9, 9 },
	} {
		var h Header
		for range 3 {
			sameAsFirst(t, &h, []byte(short))
		}
		between(&h)
		sameAsFirst(t, &h, []byte(short))
		sameAsFirst(t, &h, []byte(short))
	}
}

// FuzzHeaderLikeTheLast changes some bytes of a header that was read before.
func FuzzHeaderLikeTheLast(f *testing.F) {
	for _, s := range []string{sendV2, pull, sendAnswer} {
		f.Add([]byte(s), uint16(9), []byte("11"))
		f.Add([]byte(s), uint16(len(s)-70), []byte("-0"))
	}
	storm.Fuzz(f, func(t *testing.T, raw []byte, at uint16, change []byte) {
		var h Header
		for range 2 {
			if !sameAsFirst(t, &h, raw) {
				return
			}
		}
		changed := bytes.Clone(raw)
		copy(changed[int(at)%len(raw):], change)
		sameAsFirst(t, &h, changed)
		sameAsFirst(t, &h, raw)
	})
}
