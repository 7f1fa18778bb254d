// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

// goldenType is the serialization a recording's header is in.
func goldenType(f golden.Frame) SerializeType {
	if f.Header[0] == '{' {
		return JSON
	}
	return ROCKETMQ
}

func TestGoldenHeadersKeepEveryByte(t *testing.T) {
	for _, g := range golden.All(t) {
		var h Header
		typ := goldenType(g)
		if err := h.Parse(typ, g.Header); err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		frame := append(h.AppendWithOpaque(nil, h.Opaque, len(g.Body)), g.Body...)
		p, err := ParsePrefix(frame, Limits{})
		if err != nil || p != (Prefix{typ, len(g.Header), len(g.Body)}) || p.FrameSize() != len(frame) {
			t.Errorf("%s: got %+v, %v", g.Name, p, err)
		}
		if !bytes.Equal(frame[PrefixSize:PrefixSize+len(g.Header)], g.Header) {
			t.Errorf("%s: got %q, want %q", g.Name, frame[PrefixSize:], g.Header)
		}
		other := h.AppendWithOpaque(nil, -123456789, 0)
		var o Header
		if err := o.Parse(typ, other[PrefixSize:]); err != nil || o.Opaque != -123456789 {
			t.Errorf("%s: opaque %d, %v", g.Name, o.Opaque, err)
		}
		if back := o.AppendWithOpaque(nil, h.Opaque, 0); !bytes.Equal(back[PrefixSize:], g.Header) {
			t.Errorf("%s: there and back gives %q", g.Name, back[PrefixSize:])
		}
	}
}

func TestGoldenHeadersMeanWhatTheirNamesSay(t *testing.T) {
	for _, g := range golden.All(t) {
		var h Header
		if err := h.Parse(goldenType(g), g.Header); err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		_, base, _ := strings.Cut(g.Name, "/")
		code, rest, _ := strings.Cut(base, ".")
		if h.IsResponse() != strings.HasPrefix(rest, "response") {
			t.Errorf("%s: flag %d", g.Name, h.Flag)
		}
		if h.Language != LanguageJava {
			t.Errorf("%s: language %v", g.Name, h.Language)
		}
		if h.IsResponse() {
			_, outcome, failed := strings.Cut(rest, ".")
			if failed && !strings.HasPrefix(outcome, "version_") && h.ResponseCode().String() != outcome {
				t.Errorf("%s: code %v", g.Name, h.ResponseCode())
			}
			continue
		}
		for _, field := range map[string][]string{
			"SEND_MESSAGE_V2":            {"a", "b", "c", "d", "e", "f", "g", "h", "i", "n"},
			"SEND_BATCH_MESSAGE":         {"a", "b", "m", "n"},
			"PULL_MESSAGE":               {"consumerGroup", "topic", "queueId", "queueOffset", "suspendTimeoutMillis", "bname"},
			"UPDATE_CONSUMER_OFFSET":     {"consumerGroup", "topic", "queueId", "commitOffset", "bname"},
			"END_TRANSACTION":            {"producerGroup", "tranStateTableOffset", "commitLogOffset", "commitOrRollback", "msgId"},
			"CONSUMER_SEND_MSG_BACK":     {"group", "offset", "bname"},
			"GET_CONSUMER_LIST_BY_GROUP": {"consumerGroup"},
			"CHECK_TRANSACTION_STATE":    {"tranStateTableOffset", "commitLogOffset"},
			"GET_ROUTEINFO_BY_TOPIC":     {"topic"},
			"POP_MESSAGE":                {"consumerGroup", "topic", "invisibleTime", "bornTime", "bname"},
			"ACK_MESSAGE":                {"extraInfo", "bname"},
		}[code] {
			if v, ok := h.Field(field); !ok || len(v) == 0 {
				t.Errorf("%s: no field %s", g.Name, field)
			}
		}
	}
}

func TestGoldenHeadersCutShortAreErrors(t *testing.T) {
	for _, g := range golden.All(t) {
		for n := range g.Header {
			if err := new(Header).Parse(goldenType(g), g.Header[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are a header", g.Name, n, len(g.Header))
			}
		}
	}
}

func TestCommandWritesGoldenHeadersAgain(t *testing.T) {
	for _, g := range golden.All(t) {
		var h Header
		if err := h.Parse(goldenType(g), g.Header); err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		c := Command{
			Code: h.Code, Language: h.Language, Version: h.Version, Opaque: h.Opaque, Flag: h.Flag,
			Type: h.Type, Remark: h.Remark(), Fields: fieldsOf(&h), Body: g.Body,
		}
		// Java writes an empty map when a request's header class has no fields set.
		want := bytes.Replace(g.Header, []byte(`"extFields":{},`), nil, 1)
		want = bytes.Replace(want, []byte(`"remark":"",`), nil, 1) // GET_MIN_OFFSET answers
		got := c.Append(nil)[PrefixSize:]
		if !bytes.Equal(got, append(bytes.Clone(want), g.Body...)) {
			t.Errorf("%s: got %q, want %q", g.Name, got, want)
		}
	}
}

func TestResponseCodesAreJavas(t *testing.T) {
	java := golden.JavaConstants(t, "java-response-codes.txt")
	if len(java) < 60 {
		t.Fatalf("only %d constants", len(java))
	}
	for value, name := range java {
		if got := ResponseCode(value).String(); got != name {
			t.Errorf("%d: got %s, want %s", value, got, name)
		}
	}
	for _, c := range ResponseCodes() {
		if java[int32(c)] == "" || !c.Known() {
			t.Errorf("%v (%d) is not Java's", c, c)
		}
	}
	if got, want := ResponseCode(-4711).String(), "UNKNOWN_RESPONSE_CODE_-4711"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNamesOfSmallTypes(t *testing.T) {
	for got, want := range map[string]string{
		JSON.String(): "JSON", ROCKETMQ.String(): "ROCKETMQ", SerializeType(2).String(): "UNKNOWN_SERIALIZE_TYPE_2",
		LanguageJava.String(): "JAVA", LanguageNodeJS.String(): "NODE_JS", LanguageUnknown.String(): "UNKNOWN",
		LanguageCode(14).String(): "UNKNOWN_LANGUAGE_CODE_14",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
