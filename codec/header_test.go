// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

const (
	sendV2 = `{"code":310,"extFields":{"a":"CapProducer","b":"CapTopic","c":"TBW102","d":"4","e":"2","f":"0","g":"1795552586101",` +
		`"h":"0","i":"KEYS\u0001key-1\u0002UNIQ_KEY\u00017F000001A1B2C3D4E5F60718293A0001\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002",` +
		`"j":"0","k":"false","l":"0","m":"false","n":"broker-a"},"flag":0,"language":"JAVA","opaque":123456,"serializeTypeCurrentRPC":"JSON","version":479}`
	pull = `{"code":11,"extFields":{"bname":"broker-a","queueId":"3","maxMsgNums":"32","sysFlag":"3","commitOffset":"12","expressionType":"TAG",` +
		`"consumerGroup":"CapGroup","topic":"CapTopic","maxMsgBytes":"2147483647","suspendTimeoutMillis":"15000","queueOffset":"14","subVersion":"1795552586000"},` +
		`"flag":0,"language":"JAVA","opaque":-7,"serializeTypeCurrentRPC":"JSON","version":479}`
	sendAnswer = `{"code":0,"extFields":{"queueId":"2","TRACE_ON":"true","MSG_REGION":"DefaultRegion","msgId":"7F00000100007D150000000000000123","queueOffset":"5"},` +
		`"flag":1,"language":"JAVA","opaque":123456,"serializeTypeCurrentRPC":"JSON","version":479}`
)

func mustParse(t testing.TB, typ SerializeType, raw string) *Header {
	t.Helper()
	h := new(Header)
	if err := h.Parse(typ, []byte(raw)); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return h
}

func TestHeaderReadsJSON(t *testing.T) {
	h := mustParse(t, JSON, sendV2)
	if h.Code != 310 || h.Language != LanguageJava || h.Version != 479 || h.Opaque != 123456 || h.Flag != 0 {
		t.Errorf("got %+v", h)
	}
	if h.IsResponse() || h.IsOneway() || h.Remark() != "" {
		t.Error("want a two-way request without remark")
	}
	for name, want := range map[string]string{
		"a": "CapProducer", "n": "broker-a", "e": "2",
		"i": "KEYS\x01key-1\x02UNIQ_KEY\x017F000001A1B2C3D4E5F60718293A0001\x02WAIT\x01true\x02TAGS\x01TagA\x02",
	} {
		if got, ok := h.Field(name); !ok || string(got) != want {
			t.Errorf("field %s: got %q, %v; want %q", name, got, ok, want)
		}
	}
	if _, ok := h.Field("bname"); ok {
		t.Error("found a field that is not there")
	}
	if n, ok := h.IntField("g"); !ok || n != 1795552586101 {
		t.Errorf("got %d, %v", n, ok)
	}
	if _, ok := h.IntField("n"); ok {
		t.Error("broker-a is a number")
	}
	if _, ok := h.IntField("bname"); ok {
		t.Error("an absent field is a number")
	}
	n := 0
	for range h.Fields() {
		n++
	}
	if n != 14 {
		t.Errorf("got %d fields", n)
	}
}

func TestHeaderToleratesWhatClientsAndFastjsonDo(t *testing.T) {
	for _, tt := range []struct{ name, raw, field, want string }{
		{"blanks everywhere", " { \"code\" : 1 ,\n\t\"opaque\" : 2 , \"extFields\" : { \"a\" : \"b\" , \"c\" : \"d\" } } \r\n", "c", "d"},
		{"members in any order", `{"opaque":2,"extFields":{"a":"x"},"code":1}`, "a", "x"},
		{"empty extFields", `{"code":1,"opaque":2,"extFields":{ }}`, "", ""},
		{"null extFields, remark, language", `{"code":1,"opaque":2,"extFields":null,"remark":null,"language":null}`, "", ""},
		{"the last duplicate of a field", `{"code":1,"opaque":2,"extFields":{"a":"1","a":"2"}}`, "a", "2"},
		{"a number as field", `{"code":1,"opaque":2,"extFields":{"a":-15}}`, "a", "-15"},
		{"a boolean as field", `{"code":1,"opaque":2,"extFields":{"a":false,"b":"y"}}`, "a", "false"},
		{"an escaped field name", `{"code":1,"opaque":2,"extFields":{"\u0062name":"b1"}}`, "bname", "b1"},
		{"an escaped value", `{"code":1,"opaque":2,"extFields":{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}}`, "a", "\"\\/\b\f\n\r\té😀"},
		{"half a surrogate pair", `{"code":1,"opaque":2,"extFields":{"a":"x\ud83dy\ude00"}}`, "a", "x\ufffdy\ufffd"},
		{"raw control bytes", "{\"code\":1,\"opaque\":2,\"extFields\":{\"a\":\"k\x01v\x02\n\"}}", "a", "k\x01v\x02\n"},
		{"bytes that are not UTF-8", "{\"code\":1,\"opaque\":2,\"extFields\":{\"a\":\"\xff\xfe\"}}", "a", "\xff\xfe"},
		{"an empty value", `{"code":1,"opaque":2,"extFields":{"a":""}}`, "a", ""},
		{"a type that no release writes", `{"code":1,"opaque":2,"serializeTypeCurrentRPC":{"a":[1,{"b":null}],"c":"}"},"extFields":{"a":"1"}}`, "a", "1"},
		{"a language as number", `{"code":1,"opaque":2,"language":9,"extFields":{"a":"1"}}`, "a", "1"},
		{"a language nobody knows", `{"code":1,"opaque":2,"language":"COBOL","extFields":{"a":"1"}}`, "a", "1"},
		{"the deepest member", `{"code":1,"opaque":2,"serializeTypeCurrentRPC":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, "", ""},
	} {
		h := mustParse(t, JSON, tt.raw)
		if h.Code != 1 || h.Opaque != 2 {
			t.Errorf("%s: code %d, opaque %d", tt.name, h.Code, h.Opaque)
		}
		if got, ok := h.Field(tt.field); ok != (tt.field != "") || string(got) != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.name, got, ok, tt.want)
		}
	}
	for name, want := range map[string]LanguageCode{ // as Java 5.3.3 reads them
		`"GO"`: LanguageGo, `"java"`: LanguageJava, `"Java"`: LanguageJava, `"node_js"`: LanguageNodeJS, `3`: LanguagePython, `""`: LanguageUnknown,
		`"COBOL"`: LanguageUnknown, `"OMſ"`: LanguageUnknown, `null`: LanguageUnknown,
	} {
		if h := mustParse(t, JSON, `{"code":1,"opaque":2,"language":`+name+`}`); h.Language != want {
			t.Errorf("%s is %v, want %v", name, h.Language, want)
		}
	}
	h := mustParse(t, JSON, `{"code":1,"opaque":2,"extFields":{"a":"1","b":"2","a":null},"remark":"a\nb"}`)
	if _, ok := h.Field("a"); ok {
		t.Error("a null counts as absent, also behind a duplicate")
	}
	if h.Remark() != "a\nb" {
		t.Errorf("remark %q", h.Remark())
	}
}

func TestHeaderRefusesBadJSON(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":                             ``,
		"an array":                            `[1]`,
		"an empty object":                     `{}`,
		"no opaque":                           `{"code":2}`,
		"bytes behind":                        `{"code":1,"opaque":2}x`,
		"a second object":                     `{"code":1,"opaque":2}{}`,
		"code twice":                          `{"code":1,"opaque":2,"code":3}`,
		"opaque twice":                        `{"code":1,"opaque":2,"opaque":2}`,
		"flag twice":                          `{"code":1,"opaque":2,"flag":0,"flag":2}`,
		"extFields twice":                     `{"code":1,"opaque":2,"extFields":{},"extFields":{}}`,
		"code in capitals, as fastjson takes": `{"code":1,"opaque":2,"CODE":103}`,
		"code with a prefix fastjson drops":   `{"code":1,"opaque":2,"is_Code":103}`,
		"extFields with a dash":               `{"code":1,"opaque":2,"ext-Fields":{}}`,
		"an escaped member name":              `{"code":1,"opaque":2,"c\u006fde":103}`,
		"an unquoted member name":             `{code:1,"opaque":2}`,
		"a single-quoted member name":         `{'code':1,"opaque":2}`,
		"a comment":                           `{/**/"code":1,"opaque":2}`,
		"a trailing comma":                    `{"code":1,"opaque":2,}`,
		"a missing comma":                     `{"code":1 "opaque":2}`,
		"a missing colon":                     `{"code"1,"opaque":2}`,
		"code as fraction":                    `{"code":1.0,"opaque":2}`,
		"code with exponent":                  `{"code":1e2,"opaque":2}`,
		"code with leading zero":              `{"code":01,"opaque":2}`,
		"code beyond 32 bits":                 `{"code":2147483648,"opaque":2}`,
		"opaque beyond 32 bits":               `{"code":1,"opaque":-2147483649}`,
		"opaque with 30 digits":               `{"code":1,"opaque":111111111111111111111111111111}`,
		"a lone minus":                        `{"code":-,"opaque":2}`,
		"extFields as array":                  `{"code":1,"opaque":2,"extFields":[]}`,
		"a field that is an object":           `{"code":1,"opaque":2,"extFields":{"a":{}}}`,
		"a field that is a fraction":          `{"code":1,"opaque":2,"extFields":{"a":1.5}}`,
		"a field that is an array":            `{"code":1,"opaque":2,"extFields":{"a":[]}}`,
		"a field without value":               `{"code":1,"opaque":2,"extFields":{"a"}}`,
		"a trailing comma in extFields":       `{"code":1,"opaque":2,"extFields":{"a":"1",}}`,
		"an unknown member":                   `{"code":1,"opaque":2,"x":1}`,
		"a member without a name":             `{"code":1,"opaque":2,"":1}`,
		"a name that is overlong UTF-8":       "{\"code\":1,\"opaque\":2,\"\xc1\xa5xtFields\":{}}",
		"an unknown escape":                   `{"code":1,"opaque":2,"extFields":{"a":"\x41"}}`,
		"a short unicode escape":              `{"code":1,"opaque":2,"extFields":{"a":"\u12"}}`,
		"a bad unicode escape":                `{"code":1,"opaque":2,"extFields":{"a":"\u12g4"}}`,
		"an open string":                      `{"code":1,"opaque":2,"extFields":{"a":"b\"}}`,
		"a word that is no value":             `{"code":1,"opaque":2,"serializeTypeCurrentRPC":nul}`,
		"nesting beyond the bound":            `{"code":1,"opaque":2,"serializeTypeCurrentRPC":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
		"nesting without end":                 `{"code":1,"opaque":2,"serializeTypeCurrentRPC":` + strings.Repeat(`{"a":`, 100000),
		"a field name beyond 64 KiB":          `{"code":1,"opaque":2,"extFields":{"` + strings.Repeat("a", 1<<16) + `":""}}`,
	} {
		var h Header
		var fe *FrameError
		if err := h.Parse(JSON, []byte(raw)); !errors.As(err, &fe) || fe.Kind != BadHeader {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := new(Header).Parse(7, []byte(sendV2)); err == nil {
		t.Error("serialize type 7 is known")
	}
}

func TestFieldsAreBounded(t *testing.T) {
	many := map[SerializeType]func(n int) []byte{
		JSON: func(n int) []byte {
			return []byte(`{"code":1,"opaque":2,"extFields":{` + strings.Repeat(`"f":"",`, n-1) + `"f":""}}`)
		},
		ROCKETMQ: func(n int) []byte { return binaryOf(0, "", int32(6*n), strings.Repeat("\x00\x00\x00\x00\x00\x00", n)) },
	}
	for serialization, of := range many {
		var h Header
		if err := h.Parse(serialization, of(MaxFields)); err != nil {
			t.Errorf("%v: %d fields: %v", serialization, MaxFields, err)
		}
		if err := h.CheckFields(Limits{}); err != nil {
			t.Errorf("%v: without a limit: %v", serialization, err)
		}
		if err := h.CheckFields(Limits{MaxFields: MaxFields}); err != nil {
			t.Errorf("%v: at the limit: %v", serialization, err)
		}
		var fe *FrameError
		if err := h.CheckFields(Limits{MaxFields: MaxFields - 1}); !errors.As(err, &fe) || fe.Kind != TooManyFields || err.Error() != "too_many_fields: 1024 extFields, at most 1023" {
			t.Errorf("%v: beyond the limit: %v", serialization, err)
		}
		if err := h.Parse(serialization, of(MaxFields+1)); !errors.As(err, &fe) || fe.Kind != TooManyFields {
			t.Errorf("%v: %d fields: %v", serialization, MaxFields+1, err)
		}
	}
}

// binaryOf is a ROCKETMQ header made from parts, right or wrong.
func binaryOf(remarkLen int32, remark string, extLen int32, ext string) []byte {
	b := []byte{0, 34, 9, 1, 0x3d, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 2}
	b = append(b, byte(remarkLen>>24), byte(remarkLen>>16), byte(remarkLen>>8), byte(remarkLen))
	b = append(b, remark...)
	b = append(b, byte(extLen>>24), byte(extLen>>16), byte(extLen>>8), byte(extLen))
	return append(b, ext...)
}

func TestHeaderReadsROCKETMQ(t *testing.T) {
	ext := "\x00\x05bname\x00\x00\x00\x08broker-a\x00\x01e\x00\x00\x00\x00\x00\x01e\x00\x00\x00\x0242"
	var h Header
	if err := h.Parse(ROCKETMQ, binaryOf(3, "why", int32(len(ext)), ext)); err != nil {
		t.Fatal(err)
	}
	if h.Code != 34 || h.Language != LanguageGo || h.Version != 317 || h.Opaque != -2 || h.Flag != 2 || !h.IsOneway() || h.Remark() != "why" {
		t.Errorf("got %+v", h)
	}
	if v, ok := h.Field("bname"); !ok || string(v) != "broker-a" {
		t.Errorf("got %q, %v", v, ok)
	}
	if n, ok := h.IntField("e"); !ok || n != 42 {
		t.Errorf("the last duplicate: got %d, %v", n, ok)
	}
	if err := h.Parse(ROCKETMQ, binaryOf(0, "", 7, "\x00\x01a\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	if v, ok := h.Field("a"); !ok || len(v) != 0 {
		t.Errorf("an empty value: got %q, %v", v, ok)
	}
}

func TestHeaderRefusesBadROCKETMQ(t *testing.T) {
	for name, raw := range map[string][]byte{
		"nothing":                         {},
		"20 bytes":                        binaryOf(0, "", 0, "")[:20],
		"a negative remark length":        binaryOf(-1, "", 0, ""),
		"a remark longer than the rest":   binaryOf(1, "", 0, ""),
		"the largest remark length":       binaryOf(1<<31-1, "x", 0, ""),
		"bytes behind negative extFields": binaryOf(0, "", -1, "\x00"),
		"extFields longer than the rest":  binaryOf(0, "", 8, "\x00\x01a\x00\x00\x00\x00"),
		"bytes behind extFields":          binaryOf(0, "", 7, "\x00\x01a\x00\x00\x00\x00x"),
		"one byte of extFields":           binaryOf(0, "", 1, "\x00"),
		"a name length without name":      binaryOf(0, "", 2, "\x00\x01"),
		"a negative name length":          binaryOf(0, "", 7, "\xff\xff\x00\x00\x00\x00\x00"),
		"a name without value length":     binaryOf(0, "", 5, "\x00\x01a\x00\x00"),
		"a negative value length":         binaryOf(0, "", 7, "\x00\x01a\xff\xff\xff\xff"),
		"a value longer than the rest":    binaryOf(0, "", 8, "\x00\x01a\x00\x00\x00\x02b"),
	} {
		var h Header
		var fe *FrameError
		if err := h.Parse(ROCKETMQ, raw); !errors.As(err, &fe) || fe.Kind != BadHeader {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestManyFieldsAreFoundBeyondTheInlineOnes(t *testing.T) {
	c := Command{Code: 1, Opaque: 2}
	for i := range 100 {
		c.Fields = append(c.Fields, Field{fmt.Sprint("f", i), fmt.Sprint("v", i)})
	}
	for _, typ := range []SerializeType{JSON, ROCKETMQ} {
		c.Type = typ
		h := mustParse(t, typ, string(c.Append(nil)[PrefixSize:]))
		for i := range 100 {
			if v, ok := h.Field(fmt.Sprint("f", i)); !ok || string(v) != fmt.Sprint("v", i) {
				t.Fatalf("%v f%d: got %q, %v", typ, i, v, ok)
			}
		}
		n := 0
		for name := range h.Fields() {
			if string(name) != fmt.Sprint("f", n) {
				t.Fatalf("got %s at %d", name, n)
			}
			if n++; n == 50 {
				break
			}
		}
		if err := h.Parse(JSON, []byte(sendV2)); err != nil || h.more != nil {
			t.Fatal("a header's surplus is kept")
		}
	}
}

func TestAppendWithOpaqueChangesTheDigitsOnly(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{sendV2, strings.Replace(sendV2, `"opaque":123456`, `"opaque":-2147483648`, 1)},
		{`{"code":"1","opaque":"5","version":null}`, `{"code":"1","opaque":"-2147483648","version":null}`},
		{` {"opaque" : 5 ,"code":1,"serializeTypeCurrentRPC":[1 , 2]} `, ` {"opaque" : -2147483648 ,"code":1,"serializeTypeCurrentRPC":[1 , 2]} `},
	} {
		h := mustParse(t, JSON, tt.raw)
		got := h.AppendWithOpaque([]byte("before"), -2147483648, 17)
		p, err := ParsePrefix(got[6:], Limits{})
		if err != nil || p.Type != JSON || p.BodySize != 17 || p.HeaderSize != len(tt.want) {
			t.Errorf("%+v, %v", p, err)
		}
		if string(got[:6]) != "before" || string(got[6+PrefixSize:]) != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		same := h.AppendWithBodySize(nil, 3)
		if string(same[PrefixSize:]) != tt.raw || !bytes.Equal(h.Raw(), []byte(tt.raw)) {
			t.Errorf("got %s, want %s", same, tt.raw)
		}
	}
	raw := binaryOf(0, "", 7, "\x00\x01a\x00\x00\x00\x00")
	h := mustParse(t, ROCKETMQ, string(raw))
	got := h.AppendWithOpaque(nil, 0x01020304, 0)
	if !bytes.Equal(h.Raw(), raw) {
		t.Error("the original changed")
	}
	copy(raw[5:], "\x01\x02\x03\x04")
	if !bytes.Equal(got[PrefixSize:], raw) {
		t.Errorf("got %x, want %x", got[PrefixSize:], raw)
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		raw    string
		fields []string
	}{
		"SEND_MESSAGE_V2":        {sendV2, []string{"n", "b", "e", "bname"}},
		"PULL_MESSAGE":           {pull, []string{"bname", "topic", "consumerGroup", "n"}},
		"SEND_MESSAGE_V2 answer": {sendAnswer, []string{"msgId"}},
	} {
		json := append(prefix(int64(4+len(tt.raw)), uint32(len(tt.raw))), tt.raw...)
		h := mustParse(t, JSON, tt.raw)
		c := Command{Code: h.Code, Opaque: h.Opaque, Type: ROCKETMQ}
		for name, value := range h.Fields() {
			c.Fields = append(c.Fields, Field{string(name), string(value)})
		}
		buf := make([]byte, 0, 4096)
		for _, frame := range [][]byte{json, c.Append(nil)} {
			var h Header
			n := testing.AllocsPerRun(100, func() {
				p, err := ParsePrefix(frame, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if err := h.Parse(p.Type, frame[PrefixSize:]); err != nil {
					t.Fatal(err)
				}
				for _, f := range tt.fields {
					h.Field(f)
				}
				h.IntField("queueId")
				buf = h.AppendWithOpaque(buf[:0], 77, 0)
				buf = h.AppendWithBodySize(buf[:0], 77)
			})
			if n != 0 {
				t.Errorf("%s: %v allocations for a frame", name, n)
			}
		}
	}
	answer := Command{Code: 14, Opaque: 5, Flag: FlagResponse, Remark: "upstream is down", Fields: []Field{{"a", "b"}}}
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = answer.Append(buf[:0]) }); n != 0 {
		t.Errorf("Command.Append: %v allocations", n)
	}
}

// FuzzHeader demands that whatever Parse accepts can be patched and read again.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{sendV2, pull, sendAnswer, `{"code":"1","flag":null,"opaque":"7","remark":5}`, `{"code":1,"opaque":-0,"extFields":{"\u0061":null,"b":15},"serializeTypeCurrentRPC":[{"y":[]}]}`} {
		f.Add(false, []byte(s), int32(1))
	}
	f.Add(true, binaryOf(3, "why", 7, "\x00\x01a\x00\x00\x00\x00"), int32(-9))
	storm.Fuzz(f, func(t *testing.T, binary bool, raw []byte, opaque int32) {
		typ := JSON
		if binary {
			typ = ROCKETMQ
		}
		before := bytes.Clone(raw)
		var h, g Header
		if err := h.Parse(typ, raw); err != nil {
			var fe *FrameError
			if !errors.As(err, &fe) || fe.Kind != BadHeader {
				t.Fatalf("got %v", err)
			}
			return
		}
		frame := h.AppendWithOpaque(nil, opaque, 5)
		p, err := ParsePrefix(frame, Limits{MaxFrame: 1 << 30, MaxHeader: 1 << 24})
		if err != nil || p.BodySize != 5 || p.FrameSize() != len(frame)+5 || p.Type != typ {
			t.Fatalf("prefix %+v, %v", p, err)
		}
		if err := g.Parse(typ, frame[PrefixSize:]); err != nil {
			t.Fatalf("%v after a patch of %q", err, raw)
		}
		if g.Opaque != opaque || g.Code != h.Code || g.Flag != h.Flag || g.Version != h.Version || g.Language != h.Language || g.Remark() != h.Remark() {
			t.Fatalf("got %+v, want %+v", g, h)
		}
		if a, b := fieldsOf(&h), fieldsOf(&g); !equalFields(a, b) {
			t.Fatalf("got %q, want %q", b, a)
		}
		back := g.AppendWithOpaque(nil, h.Opaque, 0)
		if !bytes.Equal(back[PrefixSize:], raw) && !bytes.Contains(raw, []byte("-0")) {
			t.Fatalf("got %q, want %q", back[PrefixSize:], raw)
		}
		if same := h.AppendWithOpaque(nil, h.Opaque, 0); !bytes.Equal(same[PrefixSize:], raw) {
			t.Fatalf("got %q, want %q", same[PrefixSize:], raw)
		}
		for _, x := range fieldsOf(&h) {
			h.Field(x.Name)
			h.IntField(x.Name)
		}
		if !bytes.Equal(raw, before) {
			t.Fatal("the input changed")
		}
	})
}

func fieldsOf(h *Header) (fields []Field) {
	for name, value := range h.Fields() {
		fields = append(fields, Field{string(name), string(value)})
	}
	return fields
}

func equalFields(a, b []Field) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
