// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/pcap"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// seeds are recorded frames of several kinds.
var seeds = []string{
	"GET_ROUTEINFO_BY_TOPIC.request", "GET_ROUTEINFO_BY_TOPIC.response", "GET_BROKER_CLUSTER_INFO.request", "GET_BROKER_CLUSTER_INFO.response",
	"HEART_BEAT.request", "SEND_MESSAGE_V2.request", "PULL_MESSAGE.request", "PULL_MESSAGE.response", "LOCK_BATCH_MQ.request", "QUERY_ASSIGNMENT.request",
}

// printable fails the test if an output could steer a terminal.
func printable(t *testing.T, out string) {
	t.Helper()
	if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Fatalf("%q has a control character", out[i:min(len(out), i+20)])
	}
}

// FuzzStream demands that any bytes are read to an end, that the output is fit for a terminal and bounded by the
// input, and that it does not depend on how the bytes were cut.
func FuzzStream(f *testing.F) {
	var all []byte
	for i, name := range seeds {
		frame := pcap.Frame(f, name, int32(i/2))
		all = append(all, frame...)
		f.Add(frame, 1)
	}
	f.Add(all, 7)
	storm.Fuzz(f, func(t *testing.T, in []byte, cut int) {
		var whole, parts strings.Builder
		_, err := Stream(bytes.NewReader(in), &Printer{To: &whole, Bodies: true})
		_, other := Stream(&pieces{in, max(1, cut%64)}, &Printer{To: &parts, Bodies: true})
		if whole.String() != parts.String() || (err == nil) != (other == nil) {
			t.Fatalf("whole: %v\n%s\nin pieces: %v\n%s", err, whole.String(), other, parts.String())
		}
		printable(t, whole.String())
		if whole.Len() > 64*len(in)+4096 {
			t.Errorf("%d bytes of output for %d of input", whole.Len(), len(in))
		}
	})
}

// pieces gives at most n bytes at a time.
type pieces struct {
	rest []byte
	n    int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.n, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

// FuzzCapture demands that any capture is read to an end without a fault, and what is kept is given back.
func FuzzCapture(f *testing.F) {
	for _, ng := range []bool{false, true} {
		c := pcap.New(f, ng)
		x := c.Connect(10911, false)
		for i, name := range seeds {
			x.Client(pcap.Frame(f, name, int32(i)))
		}
		x.Swapped([]byte{0, 0, 0}, []byte{100, 0, 0})
		x.Miss(10)
		x.Server(pcap.Frame(f, "HEART_BEAT.response", 1))
		f.Add(c.Bytes())
	}
	storm.Fuzz(f, func(t *testing.T, in []byte) {
		var out strings.Builder
		_, err := Capture(bytes.NewReader(in), &Printer{To: &out}, nil)
		if err != nil {
			printable(t, strings.ToValidUTF8(err.Error(), "?"))
		}
		printable(t, out.String())
	})
}

// FuzzFrames puts any bytes into a connection that is captured, in any packets.
func FuzzFrames(f *testing.F) {
	for i, name := range seeds {
		f.Add(pcap.Frame(f, name, int32(i)), uint8(i), false)
	}
	storm.Fuzz(f, func(t *testing.T, in []byte, cut uint8, late bool) {
		c := pcap.New(t, false)
		x := c.Connect(10911, late)
		at := min(int(cut), len(in))
		x.Client(in[:at])
		x.Server(in)
		x.Client(in[at:])
		x.Miss(int(cut))
		x.Swapped(in[:at], in[at:])
		x.Close()
		var out strings.Builder
		if _, err := Capture(bytes.NewReader(c.Bytes()), &Printer{To: &out, Bodies: true, Full: true}, nil); err != nil {
			t.Fatal(err)
		}
		printable(t, out.String())
	})
}
