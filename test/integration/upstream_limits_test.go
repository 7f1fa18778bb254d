// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// compatibleWith makes the config of cpp-compatible.yaml one of this filter, with options, and its endpoints those
// given.
func compatibleWith(options string, endpoints ...string) func(yaml string) string {
	return func(yaml string) string {
		const plain = "envoy.extensions.filters.network.rocketmq_proxy.v3.RocketmqProxy\n            value:"
		head, rest, _ := strings.Cut(yaml, plain)
		value, clusters, _ := strings.Cut(rest, "\n  clusters:\n")
		_, admin, _ := strings.Cut(head, "port_value: ")
		admin, _, _ = strings.Cut(admin, "}")
		for i, address := range endpoints {
			_, port, _ := net.SplitHostPort(address)
			clusters = strings.Replace(clusters, fmt.Sprintf("port_value: 109%d1}", i+1), "port_value: "+port+"}", 1)
		}
		return head + "rocketmq_proxy.v1.FilterConfig\n            value:\n              envoy_admin: {address: \"127.0.0.1:" + admin + "\", refresh_interval: 1s}\n              " + options +
			"\n              rocketmq_proxy:" + strings.ReplaceAll(value, "\n", "\n  ") + "\n  clusters:\n" + clusters
	}
}

// value is a stat of the filter.
func (s *stage) value(name string) int64 {
	s.Helper()
	text, err := s.get("/stats?filter=demo." + name + "$")
	if err != nil {
		s.Fatal(err)
	}
	_, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
	n, _ := strconv.ParseInt(value, 10, 64)
	return n
}

// TestBrokersThatReadNothingStayWithinTheLimits has 60 clients send a frame of 15 MiB each to a broker that accepts their
// connections and reads nothing.
func TestBrokersThatReadNothingStayWithinTheLimits(t *testing.T) {
	const (
		clients = 60
		size    = 15 << 20
		total   = 128 << 20
		options = "limits: {max_session_bytes: 67108864, max_total_bytes: 134217728, max_source_percent: 100}"
	)
	for _, name := range []string{"unified", "compatible"} {
		t.Run(name, func(t *testing.T) {
			end := make(chan struct{})
			defer close(end)
			reads := make(chan struct{})
			stuck := func(c net.Conn) {
				_ = c.(*net.TCPConn).SetReadBuffer(64 << 10)
				select {
				case <-reads:
					_, _ = io.Copy(io.Discard, c)
				case <-end:
				}
			}
			brokers := map[string]string{"broker-a": act(t, stuck), "broker-b": act(t, echo)}
			config, edit := "unified.yaml", func(yaml string) string { return withOptions(yaml, options) }
			if name == "compatible" {
				config, edit = "cpp-compatible.yaml", compatibleWith(options, brokers["broker-a"], brokers["broker-b"])
			}
			s := newStageAt(t, config, modules(t), edit, brokers)
			other := s.dial(s.proxy)
			_ = other.SetDeadline(time.Now().Add(3 * time.Minute))
			eventually(s.T, "broker-b answers", func() bool {
				h, _ := exchangeOn(t, other, to("broker-b", requests.SendMessage, 1, nil))
				return h.ResponseCode() == codec.ResponseSuccess
			})
			before := s.resident("VmRSS")

			// Small ones first: these connections are open when the large ones come.
			var conns []net.Conn
			for range clients {
				c := s.dial(s.proxy)
				if _, err := c.Write(to("broker-a", requests.SendMessage, 1, nil)); err != nil {
					t.Fatal(err)
				}
				conns = append(conns, c)
			}
			s.awaitStat("upstream_active", clients+1)
			large := to("broker-a", requests.SendMessage, 2, bytes.Repeat([]byte("b"), size))
			write := func(c net.Conn) { _, _ = c.Write(large) } // some are closed while they write
			write(conns[0])
			s.awaitStat("memory_kept", size/2)
			if kept := s.value("memory_kept"); kept > 3*size {
				t.Errorf("%d bytes are kept of one frame of %d", kept, size)
			}
			for _, c := range conns[1:] { // one after the other, so that few are on their way at a time
				write(c)
			}
			eventually(s.T, "clients have been refused or closed", func() bool {
				return s.value("memory_over_limit")+s.value("request_over_limit") >= clients/2
			})
			if kept := s.value("memory_kept"); kept > total {
				t.Errorf("%d bytes are kept, want at most %d", kept, total)
			}
			// docs/LIMITS.md: Go's heap may be twice what is kept, and each of two workers and two threads of the module may be
			// changing a frame; Envoy's buffers are 1 MiB for each connection, way in.
			const most = 2*total + 4*(16<<20) + clients<<20
			grown := s.resident("VmHWM") - before
			if grown > most {
				t.Errorf("Envoy has grown by %d MiB, want at most %d", grown>>20, most>>20)
			}
			t.Logf("Envoy has grown by %d MiB, memory_kept %d MiB, closed %d, refused %d",
				grown>>20, s.value("memory_kept")>>20, s.value("memory_over_limit"), s.value("request_over_limit"))
			for opaque := range int32(100) {
				if h, _ := exchangeOn(t, other, to("broker-b", requests.SendMessage, opaque, nil)); h.ResponseCode() != codec.ResponseSuccess {
					t.Fatalf("broker-b: %v (%s)", h.ResponseCode(), h.Remark())
				}
			}

			close(reads)
			eventually(s.T, "nothing is kept any more", func() bool { return s.value("memory_kept") < 4<<20 })
			for _, c := range conns {
				c.Close()
			}
			eventually(s.T, "one client is left", func() bool { return s.value("downstream_active") == 1 && s.value("upstream_active") == 1 })
		})
	}
}

// deafBroker is an address whose queue of connections is full: the kernel drops what else is asked of it.
func deafBroker(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 10 {
		c, err := net.DialTimeout("tcp", address, 500*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("the queue of a listener with a backlog of 0 does not fill")
	return ""
}

// asking is how many of Envoy's sockets wait for an address to take their connection.
func (s *stage) asking(address string) (n int) {
	s.Helper()
	conns, err := world.Connections(s.Pid())
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range conns {
		if c.Remote == netip.MustParseAddrPort(address) && c.State == world.SynSent {
			n++
		}
	}
	return n
}

// TestConnectsThatAreGivenUpLeaveNoSocket has a broker whose SYNs are dropped, as a firewall does.
func TestConnectsThatAreGivenUpLeaveNoSocket(t *testing.T) {
	const sent = 12
	start := func(t *testing.T, timeout string) (*stage, string) {
		deaf := deafBroker(t)
		return newStageAt(t, "unified.yaml", modules(t), func(yaml string) string {
			return withOptions(yaml, "timeouts: {connect: "+timeout+"}")
		}, map[string]string{"broker-a": deaf, "broker-b": act(t, echo)}), deaf
	}
	t.Run("timed out", func(t *testing.T) {
		s, deaf := start(t, "0.3s")
		c := s.dial(s.proxy)
		for opaque := range int32(sent) {
			h, _ := exchangeOn(t, c, to("broker-a", requests.SendMessage, opaque, nil))
			if h.Opaque != opaque || h.ResponseCode() != codec.ResponseServiceNotAvailable {
				t.Fatalf("got opaque %d, %v (%s)", h.Opaque, h.ResponseCode(), h.Remark())
			}
		}
		s.awaitStat("upstream_connect_failure", sent)
		eventually(s.T, "no socket is left", func() bool { return s.asking(deaf) == 0 })
		s.exchanges(c, "broker-b", 10)
	})
	t.Run("the client leaves", func(t *testing.T) {
		s, deaf := start(t, "60s")
		var conns []net.Conn
		for range sent {
			c := s.dial(s.proxy)
			if _, err := c.Write(to("broker-a", requests.SendMessage, 1, nil)); err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
		}
		eventually(s.T, "each client's connection is asked for", func() bool { return s.asking(deaf) == sent })
		for _, c := range conns {
			c.Close()
		}
		eventually(s.T, "no socket is left", func() bool { return s.asking(deaf) == 0 })
		eventually(s.T, "no connection is counted", func() bool { return s.value("upstream_active") == 0 && s.value("downstream_active") == 0 })
	})
}
