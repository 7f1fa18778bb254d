// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// faultCode is the code at which the plugin in out/fault panics: framing.FaultCode, which others do not have.
const faultCode = 29_999

// TestAPanicEndsOneConnectionAndNoOther runs the plugin that panics at marked frames, of clients and of brokers.
func TestAPanicEndsOneConnectionAndNoOther(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{
		filepath.Join(root(t), "out/fault/librocketmq_proxy.so"): "librocketmq_proxy.so",
		filepath.Join(modules(t), "librocketmq_proxy_host.so"):   "librocketmq_proxy_host.so",
	} {
		if err := os.Symlink(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	// A broker whose answer to a request with the body "fault" is marked.
	faulty := answering(func(h *codec.Header, body []byte) []byte {
		if string(body) == "fault" {
			return answer(faultCode, h.Opaque, nil)
		}
		return answer(codec.ResponseSuccess, h.Opaque, body)
	})
	for _, config := range []string{"unified.yaml", "per-broker.yaml"} {
		t.Run(config, func(t *testing.T) {
			// Few lines, so that the limit shows.
			s := newStage(t, config, dir, func(yaml string) string {
				return strings.Replace(yaml, "stat_prefix: demo\n", "stat_prefix: demo\n              limits: {max_log_lines_per_minute: 5}\n", 1)
			}, map[string]play{"broker-a": faulty, "broker-b": faulty})
			door := s.ports["broker-a"]
			if config == "unified.yaml" {
				door = s.proxy
			}
			const others = 4
			stop := make(chan struct{})
			var unharmed sync.WaitGroup
			for range others {
				c := s.dial(door)
				s.exchanges(c, "broker-a", 10)
				unharmed.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							if err := exchange(c, "broker-a", 50); err != nil {
								t.Error(err)
								return
							}
						}
					}
				})
			}
			const faults = 10
			for i := range faults {
				c := s.dial(door)
				s.exchanges(c, "broker-a", 1)
				marked := to("broker-a", faultCode, 7, nil)
				if i%2 == 1 { // the broker's
					marked = to("broker-a", requests.SendMessageV2, 7, []byte("fault"))
				}
				if _, err := c.Write(marked); err != nil {
					t.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, c); n != 0 || err != nil && !isReset(err) {
					t.Errorf("fault %d: got %d bytes and %v, want the end", i, n, err)
				}
			}
			close(stop)
			unharmed.Wait()
			s.awaitStat("panic", faults)
			s.awaitStat("log_suppressed", faults-5)
			log, err := os.ReadFile(s.LogFile)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(log), "rocketmq_proxy: fault, its connection is closed: \"an injected fault\""); n != 5 {
				t.Errorf("%d faults are in the log, want 5", n)
			}
			if n := strings.Count(string(log), "filter/framing.injectFault("); n != 5 {
				t.Errorf("%d stacks are in the log, want 5", n)
			}
			c := s.dial(door)
			s.exchanges(c, "broker-a", 10)
		})
	}
}

// isReset tells whether a connection ended by a reset, as a client sees one whose last bytes nobody read.
func isReset(err error) bool {
	var failure *net.OpError
	return errors.As(err, &failure) && !failure.Timeout()
}
