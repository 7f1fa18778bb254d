// SPDX-License-Identifier: Apache-2.0

package frame

import (
	"bytes"
	"slices"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

func templates(t testing.TB) map[string]*Template {
	t.Helper()
	all := map[string]*Template{}
	for name, body := range map[string][]byte{
		"SEND_MESSAGE_V2.request":  bytes.Repeat([]byte("b"), 300),
		"SEND_MESSAGE_V2.response": nil,
		"PULL_MESSAGE.request":     nil,
		"PULL_MESSAGE.response":    nil, // has a remark: the slow path
	} {
		template, err := GoldenTemplate(name, body)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = template
	}
	return all
}

func TestTemplateIsTheRecordedFrameWithAnotherOpaque(t *testing.T) {
	for name, template := range templates(t) {
		for _, opaque := range []int32{0, 7, 1_234_567, 2_147_483_647, -5} {
			b := template.Append([]byte("kept"), opaque)
			b, kept := bytes.CutPrefix(b, []byte("kept"))
			if !kept {
				t.Fatalf("%s: what was in dst is gone", name)
			}
			prefix, err := codec.ParsePrefix(b, codec.Limits{})
			if err != nil || prefix.FrameSize() != len(b) {
				t.Fatalf("%s: prefix %+v, %v of a frame of %d bytes", name, prefix, err, len(b))
			}
			var got, want codec.Header
			if err := got.Parse(prefix.Type, b[codec.PrefixSize:][:prefix.HeaderSize]); err != nil || got.Opaque != opaque {
				t.Errorf("%s: opaque %d, %v; want %d", name, got.Opaque, err, opaque)
			}
			recorded, err := golden.Read(golden.JSON, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := want.Parse(codec.JSON, recorded.Header); err != nil {
				t.Fatal(err)
			}
			if again := got.AppendWithOpaque(nil, want.Opaque, 0)[codec.PrefixSize:]; !bytes.Equal(again, recorded.Header) {
				t.Errorf("%s: header %s, want but for the opaque %s", name, again, recorded.Header)
			}
		}
		if got, want := template.Size(7), len(template.Append(nil, 1_234_567)); got != want {
			t.Errorf("%s: size %d, want %d", name, got, want)
		}
	}
}

func TestStreamFindsTheSameFramesHoweverCut(t *testing.T) {
	var stream []byte
	var want []Head
	opaque := int32(999_998) // the length of its digits changes
	for _, name := range []string{"SEND_MESSAGE_V2.request", "PULL_MESSAGE.response", "SEND_MESSAGE_V2.response", "PULL_MESSAGE.request"} {
		template := templates(t)[name]
		before := len(stream)
		stream = template.Append(stream, opaque)
		code := map[string]int32{"SEND_MESSAGE_V2.request": 310, "PULL_MESSAGE.request": 11}[name]
		want = append(want, Head{Code: code, Opaque: opaque, Size: len(stream) - before})
		opaque++
	}
	for piece := 1; piece <= len(stream); piece++ {
		var s Stream
		var got []Head
		for b := range slices.Chunk(stream, piece) {
			for len(b) > 0 {
				head, rest, ok, err := s.Next(b)
				if err != nil {
					t.Fatalf("pieces of %d: %v", piece, err)
				}
				if ok {
					got = append(got, head)
				} else if len(rest) > 0 {
					t.Fatalf("pieces of %d: %d bytes left without a frame", piece, len(rest))
				}
				b = rest
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("pieces of %d: %+v, want %+v", piece, got, want)
		}
	}
}

func TestStreamReportsWhatIsNoFrame(t *testing.T) {
	for _, bad := range []string{"GET / HTTP/1.1\r\n", "\x00\x00\x00\x06\x00\x00\x00\x02{}"} {
		if _, _, ok, err := new(Stream).Next([]byte(bad)); err == nil || ok {
			t.Errorf("%q is taken for a frame", bad)
		}
	}
}

func TestScanLeavesUnusualHeadersToTheParser(t *testing.T) {
	tail := string(afterOpaque)
	for header, want := range map[string]bool{
		`{"code":0,"flag":1,"opaque":12` + tail:          true,
		`{"code":0,"flag":1,"opaque":-12` + tail:         false,
		`{"code":0,"flag":1,"opaque":12345678901` + tail: false,
		`{"code":-1,"flag":1,"opaque":12` + tail:         false,
		`{"code":0,"flag":1,"bogus":12` + tail:           false,
		`{"flag":1,"opaque":12` + tail:                   false,
		`{"code":0` + tail:                               false,
		tail:                                             false,
	} {
		if _, _, ok := scan([]byte(header)); ok != want {
			t.Errorf("scan(%s) = %v", header, ok)
		}
	}
}

func TestNothingIsAllocatedPerFrame(t *testing.T) {
	template := templates(t)["SEND_MESSAGE_V2.request"]
	var s Stream
	buffer := template.Append(nil, 1_000_000)
	if n := testing.AllocsPerRun(100, func() {
		buffer = template.Append(buffer[:0], 1_000_001)
		if _, _, ok, err := s.Next(buffer); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
