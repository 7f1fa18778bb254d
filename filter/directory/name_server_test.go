// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// answering listens on loopback and answers each connection's first request with `answer`.
func answering(t *testing.T, answer []byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write(answer)
			_ = c.Close()
		}
	}()
	return listener.Addr().String()
}

func TestNameServerAnswersAreReadAndFaultsReported(t *testing.T) {
	limits := codec.Limits{MaxFrame: 1 << 20, MaxHeader: 1 << 16}
	good := codec.Command{Flag: codec.FlagResponse, Opaque: 1, Body: []byte(`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"broker-a","cluster":"c"}},"clusterAddrTable":{"c":["broker-a"]}}`)}
	refused := codec.Command{Code: int32(codec.ResponseSystemError), Flag: codec.FlagResponse, Opaque: 1, Remark: "not today"}
	for name, c := range map[string]struct {
		answer  []byte
		problem string
	}{
		"a good answer":     {good.Append(nil), ""},
		"an error answer":   {refused.Append(nil), "not today"},
		"half an answer":    {good.Append(nil)[:50], "EOF"},
		"no answer":         {nil, "EOF"},
		"too long a frame":  {[]byte{0x7f, 0, 0, 0, 0, 0, 0, 2}, ""},
		"a header of junk":  {[]byte{0, 0, 0, 6, 0, 0, 0, 2, 'x', 'y'}, ""},
		"something foreign": {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			got, err := RemotingNameServers{Limits: limits}.Brokers(ctx, answering(t, c.answer))
			if name == "a good answer" {
				if err != nil || len(got) != 1 || got[0].Addr != "127.0.0.1:10911" || got[0].BrokerName != "broker-a" {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
