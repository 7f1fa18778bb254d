// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// TestAnEnvoyShortOfFilesLives has more clients come than an Envoy with 256 files can serve, of which half are Envoy's and
// two each client's. Without the filter's own bound Envoy dies: it cannot make a socket for tcp_proxy.
func TestAnEnvoyShortOfFilesLives(t *testing.T) {
	const files, clients, enough = 256, 400, 64
	for _, config := range []string{"per-broker.yaml", "unified.yaml"} {
		t.Run(config, func(t *testing.T) {
			manyOfOneAddress := func(yaml string) string {
				return strings.Replace(yaml, "stat_prefix: demo\n", "stat_prefix: demo\n              limits: {max_source_percent: 100, max_connections: 5000}\n", 1)
			}
			nofile := fmt.Sprintf("--nofile=%d:%d", files/2, files) // the plugin raises the soft limit to the hard one
			s := newStage(t, config, modules(t), manyOfOneAddress, map[string]play{"broker-a": echo, "broker-b": echo}, "prlimit", nofile)
			doors := map[string]string{"broker-a": s.ports["broker-a"], "broker-b": s.ports["broker-b"]}
			if config == "unified.yaml" {
				doors = map[string]string{"broker-a": s.proxy, "broker-b": s.proxy}
			}
			served, refused := 0, 0
			var all []net.Conn
			for i := range int32(clients) {
				broker := []string{"broker-a", "broker-b"}[i%2]
				c := s.dial(doors[broker])
				all = append(all, c)
				h, err := ask(c, to(broker, requests.SendMessageV2, i, nil))
				switch {
				case err == nil && h.ResponseCode() == codec.ResponseSuccess:
					served++
				case err == nil && h.ResponseCode() != codec.ResponseSystemBusy:
					t.Fatalf("client %d is answered %v", i, h.ResponseCode())
				default:
					refused++
				}
			}
			if served != enough {
				t.Errorf("%d clients were served and %d refused, want %d served", served, refused, enough)
			}
			s.awaitStat("downstream_over_limit", int64(refused))
			if text, err := s.get("/ready"); err != nil || !strings.HasPrefix(text, "LIVE") {
				t.Fatalf("Envoy says %q, %v", text, err)
			}
			for _, c := range all {
				c.Close()
			}
			s.await("all clients are gone", func() bool {
				text, err := s.get("/stats?filter=demo.(downstream|upstream)_active$")
				return err == nil && strings.Count(text, ": 0\n") == 2
			})
			s.exchanges(s.dial(doors["broker-a"]), "broker-a", 10)
			log, err := os.ReadFile(s.LogFile)
			if want := "rocketmq_proxy: limits.max_connections is 5000, but 256 files that the process may open (ulimit -n) are enough for 64 connections\n"; !strings.Contains(string(log), want) {
				t.Errorf("the log does not say %q", want)
			}
			if err != nil || strings.Count(string(log), "\n") > 100 {
				t.Errorf("the log has %d lines, %v", strings.Count(string(log), "\n"), err)
			}
		})
	}
}

// ask sends a request and reads its answer.
func ask(c net.Conn, request []byte) (*codec.Header, error) {
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	h, _, err := readFrame(c)
	return h, err
}

func (s *stage) await(what string, done func() bool) {
	s.Helper()
	for range 300 {
		if done() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Fatalf("not within 30 s: %s", what)
}
