// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
)

func TestTheFirstOfFailingRefreshesIsInTheLog(t *testing.T) {
	lines := make(chan string, 10)
	x := Start(config(time.Hour), Host{Warn: func(format string, arguments ...any) { lines <- logline.Format(format, arguments...) }})
	line := <-lines
	for range 3 {
		x.watches[0].refreshed(errors.New("again"))
	}
	x.Close()
	if len(lines) != 0 || !strings.HasPrefix(line, "the brokers' addresses cannot be refreshed, those known so far are kept: \"name server 127.0.0.1:1: dial tcp") {
		t.Errorf("got %q and %d more", line, len(lines))
	}
}

// A name server whose remark looks like lines of Envoy's log, and is 200 KB long.
func TestARemarkOfANameServerMakesOneShortLine(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			remark := strings.Repeat("\n[critical] forged\x1b[31m", 8<<10)
			answer := codec.Command{Code: int32(codec.ResponseSystemError), Opaque: 1, Flag: codec.FlagResponse, Remark: remark}
			_, _ = c.Write(answer.Append(nil))
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	lines := make(chan string, 10)
	c := config(time.Hour)
	c.Clusters[0].NameServers = []string{server.Addr().String()}
	c.Limits.MaxHeaderBytes, c.Limits.MaxFrameBytes = 1<<20, 1<<21
	x := Start(c, Host{Warn: func(format string, arguments ...any) { lines <- logline.Format(format, arguments...) }})
	defer x.Close()
	line := <-lines
	if !strings.Contains(line, `answered SYSTEM_ERROR: \"\\n[critical] forged\\x1b[31m`) || len(line) > 1000 || strings.ContainsAny(line, "\n\x1b") {
		t.Errorf("got %d bytes: %s", len(line), line)
	}
}
