// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/pcap"
)

// day has a bit of everything.
func day(t *testing.T, ng bool) []byte {
	c := pcap.New(t, ng)
	frame := func(name string, opaque int32) []byte { return pcap.Frame(t, name, opaque) }

	nameServer := c.Connect(9876, false)
	nameServer.Client(frame("GET_ROUTEINFO_BY_TOPIC.request", 1))
	nameServer.Server(frame("GET_ROUTEINFO_BY_TOPIC.response", 1))
	nameServer.Client(frame("GET_BROKER_CLUSTER_INFO.request", 2), frame("GET_ROUTEINFO_BY_TOPIC.request", 3))
	nameServer.Server(frame("GET_BROKER_CLUSTER_INFO.response", 2), frame("GET_ROUTEINFO_BY_TOPIC.response.TOPIC_NOT_EXIST", 3))

	broker := c.Connect(10911, false)
	heartbeat := frame("HEART_BEAT.request", 1)
	broker.Client(heartbeat[:5], heartbeat[5:50], heartbeat[50:])
	broker.Server(frame("HEART_BEAT.response", 1))
	send := frame("SEND_MESSAGE_V2.request", 2)
	broker.Swapped(send[:20], send[20:])
	broker.Client(append(frame("PULL_MESSAGE.request", 3), frame("LOCK_BATCH_MQ.request", 4)...))
	broker.Server(frame("SEND_MESSAGE_V2.response", 2), frame("PULL_MESSAGE.response", 3))
	broker.Server(frame("CHECK_TRANSACTION_STATE.request", 2)) // the broker counts by itself
	broker.Client(frame("UPDATE_CONSUMER_OFFSET.request", 5))
	broker.Close()

	late := c.Connect(10911, true)
	late.Server(send[len(send)-30:]) // the end of something
	late.Client(frame("UNREGISTER_CLIENT.request", 7))
	late.Miss(100)
	late.Client(send)

	web := c.Connect(80, false)
	web.Client([]byte("GET / HTTP/1.1\r\n\r\n"))
	web.Close()
	tls := c.Connect(443, false)
	tls.Client([]byte{0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5})
	return c.Bytes()
}

func TestTraceOfACapture(t *testing.T) {
	for _, test := range []struct {
		name string
		ng   bool
		args []string
	}{
		{name: "trace-capture"},
		{name: "trace-capture", ng: true},
		{name: "trace-brief", args: []string{"--brief"}},
		{name: "trace-port", args: []string{"--port", "9876"}},
		{name: "trace-code", args: []string{"--brief", "--code", "pull_message,310"}},
		{name: "trace-bodies", args: []string{"--code", "SEND_MESSAGE_V2", "--bodies", "--full"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, test.name, transcript(run(t, day(t, test.ng), append([]string{"trace"}, test.args...)...)))
		})
	}
}

func TestTraceOfACaptureWithAnUnknownLinkType(t *testing.T) {
	for _, ng := range []bool{false, true} {
		for _, link := range []layers.LinkType{147, 277, 65535} {
			c := pcap.NewOf(t, ng, link)
			c.Connect(9876, false).Client(pcap.Frame(t, "GET_ROUTEINFO_BY_TOPIC.request", 1))
			status, out, errs := run(t, c.Bytes(), "trace")
			want := fmt.Sprintf("3 packets could not be read: link type %d is not known", link)
			if status != 1 || out != "" || !strings.Contains(errs, want) {
				t.Errorf("pcapng %v: status %d, %q, %q; want %q", ng, status, out, errs, want)
			}
		}
	}
}

func TestTraceShowsTheMessagesOfEveryAnswerThatHasSome(t *testing.T) {
	for _, test := range []struct {
		code   requests.Code
		answer string
		want   string
	}{
		{requests.PullMessage, "PULL_MESSAGE", "1148 bytes: 4 messages, the first of topic CapOrder, queue 0, offset 0, the last of queue 0, offset 3"},
		{requests.LitePullMessage, "PULL_MESSAGE", "4 messages, the first of topic CapOrder"},
		{requests.PopMessage, "PULL_MESSAGE", "4 messages, the first of topic CapOrder"},
		{requests.PopLiteMessage, "PULL_MESSAGE", "4 messages, the first of topic CapOrder"},
		{requests.PeekMessage, "PULL_MESSAGE", "4 messages, the first of topic CapOrder"},
		{requests.QueryMessage, "QUERY_MESSAGE", "1 messages, the first of topic CapTopic"},
		{requests.ViewMessageByID, "PULL_MESSAGE", "4 messages, the first of topic CapOrder"},
	} {
		request := codec.Command{Code: int32(test.code), Opaque: 1}
		frames := slicesConcat(request.Append(nil), pcap.Frame(t, test.answer+".response", 1))
		status, out, errs := run(t, frames, "trace")
		if status != 0 || !strings.Contains(out, test.want) {
			t.Errorf("%v: status %d\n%s%s", test.code, status, out, errs)
		}
	}
}

func TestTraceOfAConnectionsBytes(t *testing.T) {
	frames := slicesConcat(pcap.Frame(t, "GET_ROUTEINFO_BY_TOPIC.request", 1), pcap.Frame(t, "GET_ROUTEINFO_BY_TOPIC.response", 1), pcap.Frame(t, "HEART_BEAT.request", -2))
	for _, test := range []struct {
		name string
		in   []byte
	}{
		{"trace-stream", frames},
		{"trace-stream-cut", frames[:len(frames)-1]},
		{"trace-stream-broken", slicesConcat(frames, []byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0})},
		{"trace-stream-empty", nil},
		{"trace-stream-tls", []byte{0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5}},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, test.name, transcript(run(t, test.in, "trace", "-")))
		})
	}
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestTraceShowsNoSecretsAndNoControlCharacters(t *testing.T) {
	header := `{"code":10,"extFields":{"Signature":"c2VjcmV0","topic":"\u001b[31mred\u0007","i":"K\u00010"},"flag":0,"language":"JAVA","opaque":1,"version":479}`
	frame := slicesConcat([]byte{0, 0, 0, byte(len(header) + 4), 0, 0, 0, byte(len(header))}, []byte(header))
	status, out, _ := run(t, frame, "trace")
	if status != 0 || strings.Contains(out, "c2VjcmV0") || strings.ContainsAny(strings.ReplaceAll(out, "\n", ""), "\x1b\x07\x01") {
		t.Errorf("status %d, got %q", status, out)
	}
}

func TestTraceRefusesCodesThatDoNotExist(t *testing.T) {
	if status, _, errs := run(t, nil, "trace", "--code", "NOTHING"); status != 2 || !strings.Contains(errs, `"NOTHING" is no request code`) {
		t.Errorf("status %d: %s", status, errs)
	}
}
