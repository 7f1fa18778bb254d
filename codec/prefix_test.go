// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

func prefix(length int64, word uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(length)), word)
}

func TestParsePrefixRefusesWhatJavaCloses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		b      []byte
		limits Limits
		want   FrameErrorKind
	}{
		{"nothing is short", nil, Limits{}, ShortPrefix},
		{"seven bytes are short", make([]byte, 7), Limits{}, ShortPrefix},
		{"length zero", prefix(0, 0), Limits{}, BadLength},
		{"length without room for the header word", prefix(3, 0), Limits{}, BadLength},
		{"negative length", prefix(-1, 0), Limits{}, BadLength},
		{"smallest negative length", prefix(math.MinInt32, 0), Limits{}, BadLength},
		{"one byte over 16 MiB", prefix(DefaultMaxFrame-3, 0), Limits{}, FrameTooLarge},
		{"largest length", prefix(math.MaxInt32, 0), Limits{}, FrameTooLarge},
		{"a TLS hello", []byte{0x16, 3, 1, 2, 0, 1, 0, 1}, Limits{}, FrameTooLarge},
		{"an HTTP request", []byte("GET / HT"), Limits{}, FrameTooLarge},
		{"over a limit of one's own", prefix(97, 0), Limits{MaxFrame: 100}, FrameTooLarge},
		{"header longer than the frame", prefix(10, 7), Limits{}, HeaderBeyondFrame},
		{"header over the limit", prefix(DefaultMaxHeader+100, DefaultMaxHeader+1), Limits{}, HeaderTooLarge},
		{"header over a limit of one's own", prefix(100, 51), Limits{MaxHeader: 50}, HeaderTooLarge},
		{"header whose length could not grow", prefix(1<<24+100, 1<<24-1), Limits{MaxFrame: math.MaxInt32, MaxHeader: math.MaxInt32}, HeaderTooLarge},
		{"serialize type 2", prefix(10, 2<<24), Limits{}, UnknownSerializeType},
		{"serialize type 255", prefix(10, 255<<24), Limits{}, UnknownSerializeType},
	} {
		_, err := ParsePrefix(tt.b, tt.limits)
		var fe *FrameError
		if !errors.As(err, &fe) || fe.Kind != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestParsePrefixGivesSizes(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		l    Limits
		want Prefix
	}{
		{"header and body", prefix(4+21+9, 1<<24|21), Limits{}, Prefix{ROCKETMQ, 21, 9}},
		{"no body", prefix(4+30, 30), Limits{}, Prefix{JSON, 30, 0}},
		{"no header either", prefix(4, 0), Limits{}, Prefix{JSON, 0, 0}},
		{"the largest frame", prefix(DefaultMaxFrame-4, 30), Limits{}, Prefix{JSON, 30, DefaultMaxFrame - 8 - 30}},
		{"the largest header", prefix(4+DefaultMaxHeader, DefaultMaxHeader), Limits{}, Prefix{JSON, DefaultMaxHeader, 0}},
		{"the largest header of one's own limit", prefix(4+50, 50), Limits{MaxFrame: 58, MaxHeader: 50}, Prefix{JSON, 50, 0}},
	} {
		got, err := ParsePrefix(tt.b, tt.l)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
		if got.FrameSize() != int(binary.BigEndian.Uint32(tt.b))+4 {
			t.Errorf("%s: FrameSize %d", tt.name, got.FrameSize())
		}
	}
}

func TestCheckLengthNeedsFourBytesOnly(t *testing.T) {
	b := prefix(100, 50)
	for n := range 4 {
		if err := CheckLength(b[:n], Limits{}); err == nil {
			t.Errorf("%d bytes: no error", n)
		}
	}
	if err := CheckLength(b[:4], Limits{}); err != nil {
		t.Error(err)
	}
	if err := CheckLength(b[:4], Limits{MaxFrame: 103}); err == nil {
		t.Error("104 bytes pass a limit of 103")
	}
}

func TestFrameErrorKindsHaveStatNames(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range FrameErrorKinds() {
		s := k.String()
		if s == "" || s == "unknown" || seen[s] {
			t.Errorf("kind %d is named %q", k, s)
		}
		seen[s] = true
	}
	if got := FrameErrorKind(200).String(); got != "unknown" {
		t.Errorf("got %q", got)
	}
	if got, want := (&FrameError{BadHeader, "why"}).Error(), "bad_header: why"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzPrefix(f *testing.F) {
	f.Add(prefix(100, 50), 0, 0)
	f.Add(prefix(-1, 50), 1000, 10)
	f.Add([]byte("GET / HTTP/1.1"), 0, 0)
	storm.Fuzz(f, func(t *testing.T, b []byte, maxFrame, maxHeader int) {
		l := Limits{MaxFrame: maxFrame, MaxHeader: maxHeader}
		p, err := ParsePrefix(b, l)
		if err != nil {
			var fe *FrameError
			if !errors.As(err, &fe) || p != (Prefix{}) {
				t.Fatalf("got %+v, %v", p, err)
			}
			return
		}
		if maxFrame <= 0 {
			maxFrame = DefaultMaxFrame
		}
		if maxHeader <= 0 {
			maxHeader = DefaultMaxHeader
		}
		if CheckLength(b[:4], l) != nil {
			t.Fatal("CheckLength disagrees")
		}
		if p.HeaderSize < 0 || p.BodySize < 0 || p.HeaderSize > maxHeader || p.FrameSize() > maxFrame {
			t.Fatalf("%+v is beyond the limits", p)
		}
		if got := appendPrefix(nil, p.Type, p.HeaderSize, p.BodySize); string(got) != string(b[:8]) {
			t.Fatalf("got %x, want %x", got, b[:8])
		}
	})
}
