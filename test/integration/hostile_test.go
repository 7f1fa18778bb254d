// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestHostileClients sends what no client should. Envoy must live, answer or close, count, and keep
// nothing.
func TestHostileClients(t *testing.T) {
	x := install(t, world.Options{Mode: world.SideBySide, Topics: map[string]int{"T": queues}})
	for _, way := range x.ProxiedWays() {
		t.Run(way.Name, func(t *testing.T) {
			x := x.by(t, way)
			// The first connections make Envoy open files that it keeps.
			x.exchange(request(requests.GetRouteInfoByTopic, 1, codec.Field{Name: "topic", Value: "T"}))
			before := x.files()
			t.Run("bytes that are no frame close the connection", func(t *testing.T) { badFrames(x.on(t)) })
			t.Run("requests that go nowhere are answered", func(t *testing.T) { badRequests(x.on(t), way) })
			t.Run("connections that come and go leave nothing", func(t *testing.T) { churn(x.on(t)) })
			x.idle()
			for range 50 {
				if x.files() <= before {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Errorf("Envoy has %d files open, %d before", x.files(), before)
		})
	}
}

func badFrames(x *installation) {
	prefixed := func(length, mark uint32, rest string) []byte {
		b := binary.BigEndian.AppendUint32(nil, length)
		return append(binary.BigEndian.AppendUint32(b, mark), rest...)
	}
	frames := [][]byte{
		{0, 0, 0, 0},
		{0, 0, 0, 3},
		{0x7f, 0xff, 0xff, 0xff},
		{0xff, 0xff, 0xff, 0xff},
		prefixed(10, 7, "123456"),
		prefixed(6, 9<<24|2, "{}"),
		prefixed(9, 5, `{"a":`),
		prefixed(6, 2, "{}"),
		[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	}
	before := x.stat("request_decoding_error")
	for i, bad := range frames {
		c := x.connect()
		if _, err := c.Write(bad); err != nil {
			x.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, c); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			x.Errorf("case %d: got %d bytes and %v, want the end", i, n, err)
		}
		c.Close()
	}
	x.awaitStat("request_decoding_error", before+int64(len(frames)))
}

func badRequests(x *installation, way world.Way) {
	cases := map[string]struct {
		frame []byte
		want  codec.ResponseCode
	}{
		"internal":    {request(requests.RegisterBroker, 5), codec.ResponseRequestCodeNotSupported},
		"no topic":    {request(requests.GetRouteInfoByTopic, 5), codec.ResponseTopicNotExist},
		"unknown":     {request(4711, 5), codec.ResponseRequestCodeNotSupported},
		"other topic": {request(requests.GetRouteInfoByTopic, 5, codec.Field{Name: "topic", Value: "nobody's"}), codec.ResponseTopicNotExist},
	}
	if way.Name == string(world.Unified) {
		cases["no broker name"] = struct {
			frame []byte
			want  codec.ResponseCode
		}{request(requests.SendMessageV2, 5, codec.Field{Name: "b", Value: "T"}), codec.ResponseVersionNotSupported}
	}
	for name, c := range cases {
		h := x.exchange(c.frame)
		if h.Opaque != 5 || h.ResponseCode() != c.want {
			x.Errorf("%s: got opaque %d, %v (%s); want 5, %v", name, h.Opaque, h.ResponseCode(), h.Remark(), c.want)
		}
	}
}

func churn(x *installation) {
	route := request(requests.GetRouteInfoByTopic, 1, codec.Field{Name: "topic", Value: "T"})
	for i := range 300 {
		c := x.connect()
		switch i % 4 {
		case 0: // nothing at all
		case 1: // half a frame
			_, _ = c.Write(route[:len(route)/2])
		case 2: // a question whose answer nobody waits for
			_, _ = c.Write(route)
		case 3: // reset
			_, _ = c.Write(route)
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		c.Close()
	}
}

func (x *installation) connect() net.Conn {
	x.Helper()
	c, err := net.Dial("tcp", x.nameServer)
	if err != nil {
		x.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// exchange sends one request on a connection of its own and reads one answer, which must not name a
// server's port.
func (x *installation) exchange(frame []byte) *codec.Header {
	x.Helper()
	c := x.connect()
	defer c.Close()
	h, body := exchangeOn(x.T, c, frame)
	for _, p := range x.ServerPorts() {
		if bytes.Contains(body, []byte(":"+strconv.Itoa(p)+`"`)) {
			x.Errorf("an answer names the port %d of a server: %s", p, body)
		}
	}
	return h
}

// exchangeOn sends one request on a connection and reads one answer.
func exchangeOn(t *testing.T, c net.Conn, frame []byte) (*codec.Header, []byte) {
	t.Helper()
	if _, err := c.Write(frame); err != nil {
		t.Fatal(err)
	}
	start := make([]byte, codec.PrefixSize)
	if _, err := io.ReadFull(c, start); err != nil {
		t.Fatalf("no answer: %v", err)
	}
	prefix, err := codec.ParsePrefix(start, codec.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, prefix.HeaderSize+prefix.BodySize)
	if _, err := io.ReadFull(c, rest); err != nil {
		t.Fatal(err)
	}
	h := &codec.Header{}
	if err := h.Parse(prefix.Type, rest[:prefix.HeaderSize]); err != nil {
		t.Fatal(err)
	}
	return h, rest[prefix.HeaderSize:]
}

// eventually waits up to half a minute.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 300 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("never true: " + what)
}

// files is how many files Envoy has open.
func (x *installation) files() int {
	x.Helper()
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(x.Envoy().Pid()) + "/fd")
	if err != nil {
		x.Fatal(err)
	}
	return len(entries)
}

func request(code requests.Code, opaque int32, fields ...codec.Field) []byte {
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: opaque, Fields: fields}
	return command.Append(nil)
}
