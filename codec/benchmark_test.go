// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

// BenchmarkParse measures the headers of the frames that pass most, as a 5.3.3 client and its servers
// write them, and one with many properties: "again" behind a header like it, "first" behind another.
func BenchmarkParse(b *testing.B) {
	parse := func(name string, typ SerializeType, raw []byte) {
		for _, order := range []string{"first", "again"} {
			b.Run(name+"/"+typ.String()+"/"+order, func(b *testing.B) {
				var h Header
				b.ReportAllocs()
				b.SetBytes(int64(len(raw)))
				for b.Loop() {
					if order == "first" {
						h.pattern.size = 0
					}
					if err := h.Parse(typ, raw); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	recorded := map[string][]byte{}
	for _, g := range golden.All(b) {
		recorded[g.Name] = g.Header
	}
	for _, name := range []string{
		"SEND_MESSAGE_V2.request", "SEND_MESSAGE_V2.response", "PULL_MESSAGE.request", "PULL_MESSAGE.response", "HEART_BEAT.request",
	} {
		parse(name, JSON, recorded["java-5.3.3-json/"+name])
		parse(name, ROCKETMQ, recorded["java-5.3.3-rocketmq/"+name])
	}
	parse("4 KiB of properties", JSON, []byte(strings.Replace(sendV2, `WAIT\u0001true\u0002`, strings.Repeat(`some.property\u0001with a value\u0002`, 110), 1)))
	parse("members in another order", JSON, []byte(`{"version":317,"opaque":15,"code":11,"flag":0,"language":"GO","remark":"","extFields":{"topic":"T","queueId":"3"}}`))
}

func BenchmarkField(b *testing.B) {
	h := mustParse(b, JSON, sendV2)
	for _, name := range []string{"n", "a", "bname"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.Field(name)
			}
		})
	}
}

func BenchmarkAppendWithOpaque(b *testing.B) {
	h := mustParse(b, JSON, sendV2)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = h.AppendWithOpaque(buf[:0], 99, 100)
	}
}
