// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

func TestCommandWritesJSONAsJavaDoes(t *testing.T) {
	c := Command{
		Code: 105, Language: LanguageGo, Version: 479, Opaque: -3, Flag: FlagOneway, Remark: "no \"route\"",
		Fields: []Field{{"topic", "T\x01"}, {"acceptStandardJsonOnly", "true"}}, Body: []byte("{}"),
	}
	want := `{"code":105,"extFields":{"topic":"T\u0001","acceptStandardJsonOnly":"true"},"flag":2,"language":"GO","opaque":-3,` +
		`"remark":"no \"route\"","serializeTypeCurrentRPC":"JSON","version":479}{}`
	got := c.Append([]byte("x"))
	if string(got[1+PrefixSize:]) != want {
		t.Errorf("got %s, want %s", got[1+PrefixSize:], want)
	}
	p, err := ParsePrefix(got[1:], Limits{})
	if err != nil || p.BodySize != 2 || p.FrameSize() != len(got)-1 {
		t.Errorf("got %+v, %v", p, err)
	}
	c = Command{Language: 77}
	if want := `{"code":0,"flag":0,"language":"OTHER","opaque":0,"serializeTypeCurrentRPC":"JSON","version":0}`; string(c.Append(nil)[PrefixSize:]) != want {
		t.Errorf("got %s, want %s", c.Append(nil)[PrefixSize:], want)
	}
}

// FuzzCommand demands that a frame the proxy makes reads as it was meant.
func FuzzCommand(f *testing.F) {
	f.Add(false, int32(105), byte(9), int32(479), int32(7), int32(1), "why", "topic", "T", []byte("body"))
	f.Add(true, int32(105), byte(0), int32(479), int32(-7), int32(2), "", "", "\x00\u2028", []byte(nil))
	f.Add(false, int32(-1), byte(200), int32(-1), int32(7), int32(1), "\xff\"\\\u009f", "\"", "\x7f", []byte("{"))
	storm.Fuzz(f, func(t *testing.T, binary bool, code int32, language byte, version, opaque, flag int32, remark, name, value string, body []byte) {
		c := Command{
			Code: code, Language: LanguageCode(language), Version: version, Opaque: opaque, Flag: flag,
			Remark: remark, Fields: []Field{{name, value}, {name + "2", ""}}, Body: body,
		}
		if binary {
			c.Type = ROCKETMQ
			if len(name) > 30000 {
				return
			}
		}
		frame := c.Append(nil)
		p, err := ParsePrefix(frame, Limits{MaxFrame: 1 << 30, MaxHeader: 1 << 24})
		if err != nil {
			if len(frame) > 1<<20 {
				return
			}
			t.Fatal(err)
		}
		if p.FrameSize() != len(frame) || !bytes.Equal(frame[PrefixSize+p.HeaderSize:], body) {
			t.Fatalf("%+v of %d bytes", p, len(frame))
		}
		var h Header
		if err := h.Parse(p.Type, frame[PrefixSize:PrefixSize+p.HeaderSize]); err != nil {
			if len(name) > 1<<15 {
				return
			}
			t.Fatal(err)
		}
		if language >= byte(languageCodes) {
			c.Language = LanguageOther
		}
		if binary {
			c.Code, c.Version = int32(int16(code)), int32(int16(version))
		}
		if h.Code != c.Code || h.Language != c.Language || h.Version != c.Version || h.Opaque != opaque || h.Flag != flag || h.Remark() != remark {
			t.Fatalf("got %+v, want %+v", h, c)
		}
		if got := fieldsOf(&h); !equalFields(got, c.Fields) {
			t.Fatalf("got %q, want %q", got, c.Fields)
		}
		if v, ok := h.Field(name); !ok || string(v) != value {
			t.Fatalf("got %q, %v; want %q", v, ok, value)
		}
	})
}
