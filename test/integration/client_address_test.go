// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/proxyprotocol"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// The balancer of these tests connects from 127.0.0.1, which the policy allows, as it allows two networks of clients.
const admitted = `policy: {default_action: DENY, rules: [{name: admitted, match: {sources: [127.0.0.1/32, 203.0.113.0/24, "2001:db8::/32"]}}]}`

const (
	proxyProtocolFilter = `    listener_filters:
    - name: proxy_protocol
      typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol}
`
	// rememberClient is what docs/GOLANG_FILTER.md puts in front of a Golang filter.
	rememberClient = `      - name: client_address
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config
          on_new_connection:
          - object_key: rocketmq_proxy.client_address
            factory_key: envoy.string
            format_string: {text_format_source: {inline_string: "%DOWNSTREAM_REMOTE_ADDRESS%"}}
`
)

// fromClient is a header of version 2, as a balancer writes it: with both addresses in the family of the client.
func fromClient(source string) func(netip.AddrPort) string {
	return func(destination netip.AddrPort) string {
		from := netip.MustParseAddrPort(source)
		if from.Addr().Is6() {
			destination = netip.AddrPortFrom(netip.IPv6Loopback(), destination.Port())
		}
		return string(proxyprotocol.Header(from, destination))
	}
}

// proxied is a connection as a load balancer opens it.
type proxied struct {
	name   string
	header func(destination netip.AddrPort) string
	client netip.AddrPort // as the filter must see it; port 0: whichever the balancer has
	denied bool
}

func textHeader(family, source, destination string) func(netip.AddrPort) string {
	return func(d netip.AddrPort) string {
		return fmt.Sprintf("PROXY %s %s %s 5000 %d\r\n", family, source, destination, d.Port())
	}
}

var proxiedConnections = []proxied{
	{"v1 over IPv4", textHeader("TCP4", "203.0.113.7", "127.0.0.1"), netip.MustParseAddrPort("203.0.113.7:5000"), false},
	{"v1 over IPv6", textHeader("TCP6", "2001:db8::7", "::1"), netip.MustParseAddrPort("[2001:db8::7]:5000"), false},
	{"v1 of another network", textHeader("TCP4", "198.51.100.9", "127.0.0.1"), netip.MustParseAddrPort("198.51.100.9:5000"), true},
	{"v1 of unknown origin", func(netip.AddrPort) string { return "PROXY UNKNOWN\r\n" }, netip.MustParseAddrPort("127.0.0.1:0"), false},
	{"v2 over IPv4", fromClient("203.0.113.7:6000"), netip.MustParseAddrPort("203.0.113.7:6000"), false},
	{"v2 over IPv6", fromClient("[2001:db8::7]:6000"), netip.MustParseAddrPort("[2001:db8::7]:6000"), false},
	{"v2 of another network", fromClient("198.51.100.9:6000"), netip.MustParseAddrPort("198.51.100.9:6000"), true},
	{"v2 of another IPv6 network", fromClient("[2001:db9::7]:6000"), netip.MustParseAddrPort("[2001:db9::7]:6000"), true},
	// A balancer's own health check.
	{"v2 LOCAL", func(netip.AddrPort) string { return "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00" }, netip.MustParseAddrPort("127.0.0.1:0"), false},
}

// TestClientsBehindThePROXYProtocol has policy, request log and egress go by the client that a balancer names, and not
// by the balancer.
func TestClientsBehindThePROXYProtocol(t *testing.T) {
	for _, way := range []struct {
		name, config string
		door         func(s *stage) string
		contrib      bool
	}{
		{"chained", "per-broker.yaml", func(s *stage) string { return s.ports["broker-a"] }, false},
		{"terminal", "unified.yaml", func(s *stage) string { return s.proxy }, false},
		{"as contrib Envoy", "unified.yaml", func(s *stage) string { return s.proxy }, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			egress := newEgress(t)
			log := filepath.Join(t.TempDir(), "requests.log")
			edit := func(yaml string) string {
				yaml = withOptions(yaml, admitted, fmt.Sprintf("request_log: {path: %q}", log), fmt.Sprintf("egress: {address: %q}", egress.address))
				return strings.ReplaceAll(yaml, "    filter_chains:\n", proxyProtocolFilter+"    filter_chains:\n")
			}
			var s *stage
			if way.contrib {
				s = newContribStage(t, way.config, func(yaml string) string { return inFront(rememberClient)(edit(yaml)) }, map[string]play{"broker-a": echo})
			} else {
				s = newStage(t, way.config, modules(t), edit, map[string]play{"broker-a": echo})
			}
			var want []string
			for _, each := range proxiedConnections {
				c := s.dial(way.door(s))
				client := each.client
				if client.Port() == 0 {
					client = c.LocalAddr().(*net.TCPAddr).AddrPort()
				}
				want = append(want, client.String())
				_, _ = io.WriteString(c, each.header(netip.MustParseAddrPort(way.door(s))))
				h, _ := exchangeOn(t, c, to("broker-a", requests.SendMessageV2, 1, []byte("body")))
				if denied := h.ResponseCode() == codec.ResponseNoPermission; denied != each.denied || !denied && h.ResponseCode() != codec.ResponseSuccess {
					t.Errorf("%s: got %v (%s), want it denied: %v", each.name, h.ResponseCode(), h.Remark(), each.denied)
				}
				c.Close()
				if client.Addr().Is6() {
					client = netip.MustParseAddrPort("192.0.0.8:0") // nobody: a header has no IPv6 source for an IPv4 broker
				}
				if way.config == "unified.yaml" && !each.denied && !egress.saw(client) {
					t.Errorf("%s: the egress listener was not told of %v: %v", each.name, client, egress.sources)
				}
			}
			if got := loggedClients(t, log, len(want)); !slices.Equal(got, want) {
				t.Errorf("the log names\n%v, want\n%v", got, want)
			}
		})
	}
}

// TestClientsWithoutAnIPAddress has clients come over a Unix socket: no list of sources holds them.
func TestClientsWithoutAnIPAddress(t *testing.T) {
	log := filepath.Join(t.TempDir(), "requests.log")
	socket := filepath.Join(t.TempDir(), "mq")
	s := newStage(t, "unified.yaml", modules(t), func(yaml string) string {
		_, port, _ := strings.Cut(yaml, "socket_address: {address: 127.0.0.1, port_value: ")
		_, port, _ = strings.Cut(port, "socket_address: {address: 127.0.0.1, port_value: ") // the first is the admin interface's
		port, _, _ = strings.Cut(port, "}")
		yaml = strings.Replace(yaml, "socket_address: {address: 127.0.0.1, port_value: "+port+"}", fmt.Sprintf("pipe: {path: %q}", socket), 1)
		return withOptions(yaml,
			`policy: {default_action: DENY, rules: [{name: anywhere, match: {sources: [0.0.0.0/0, "::/0"]}}, {name: sends, match: {requests: [SEND]}}]}`,
			fmt.Sprintf("request_log: {path: %q}", log))
	}, map[string]play{"broker-a": echo})
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	for code, want := range map[requests.Code]codec.ResponseCode{
		requests.PullMessage:   codec.ResponseNoPermission,
		requests.SendMessageV2: codec.ResponseSuccess,
	} {
		if h, _ := exchangeOn(t, c, to("broker-a", code, 1, []byte("body"))); h.ResponseCode() != want {
			t.Errorf("%v: got %v (%s), want %v", code, h.ResponseCode(), h.Remark(), want)
		}
	}
	if got := loggedClients(t, log, 2); !slices.Equal(got, []string{"", ""}) {
		t.Errorf("the log names %q", got)
	}
	s.awaitStat("policy_denied", 1)
}

// TestEgressOfIPv6ClientsToIPv4Brokers has a real egress listener take the header of a client of the other family.
func TestEgressOfIPv6ClientsToIPv4Brokers(t *testing.T) {
	_, port, _ := strings.Cut(freePort(t), ":")
	listener := `  - name: egress
    address:
      socket_address: {address: 127.0.0.1, port_value: ` + port + `}
` + proxyProtocolFilter + `    filter_chains:
    - filters:
      - name: tcp_proxy
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: egress, cluster: egress}
  clusters:
  - {name: egress, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 2s}
`
	s := newStage(t, "unified.yaml", modules(t), func(yaml string) string {
		yaml = withOptions(yaml, fmt.Sprintf("egress: {address: 127.0.0.1:%s}", port))
		return strings.Replace(yaml, "    filter_chains:\n", proxyProtocolFilter+"    filter_chains:\n", 1) + listener
	}, map[string]play{"broker-a": echo})
	for _, source := range []string{"203.0.113.7:6000", "[2001:db8::7]:6000"} {
		c := s.dial(s.proxy)
		_, _ = io.WriteString(c, fromClient(source)(netip.MustParseAddrPort(s.proxy)))
		h, _ := exchangeOn(t, c, to("broker-a", requests.SendMessageV2, 1, []byte("body")))
		for opaque := int32(2); opaque < 100 && strings.Contains(h.Remark(), "does not know the address"); opaque++ {
			time.Sleep(100 * time.Millisecond) // the directory asked before the egress listener was there
			h, _ = exchangeOn(t, c, to("broker-a", requests.SendMessageV2, opaque, []byte("body")))
		}
		if h.ResponseCode() != codec.ResponseSuccess {
			t.Errorf("%s: got %v (%s)", source, h.ResponseCode(), h.Remark())
		}
	}
}

// withOptions adds options to the filter's config.
func withOptions(yaml string, options ...string) string {
	const first = "stat_prefix: demo\n"
	return strings.Replace(yaml, first, first+"              "+strings.Join(options, "\n              ")+"\n", 1)
}

// loggedClients waits for so many requests in a request log, and returns whose they are.
func loggedClients(t *testing.T, log string, count int) (clients []string) {
	t.Helper()
	for range 100 {
		clients = nil
		text, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var r struct {
				Event  string `json:"event.name"`
				Client string `json:"client.address"`
				Port   int    `json:"client.port"`
			}
			if json.Unmarshal([]byte(line), &r) != nil || r.Event != "rocketmq.request" {
				continue
			}
			if r.Client != "" {
				r.Client = net.JoinHostPort(r.Client, fmt.Sprint(r.Port))
			}
			clients = append(clients, r.Client)
		}
		if len(clients) >= count {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return clients
}

// egress plays an egress listener: it connects to where PROXY headers say, and notes whose connections they are for.
type egress struct {
	address string
	mu      sync.Mutex
	sources []netip.AddrPort
}

func newEgress(t *testing.T) *egress {
	e := &egress{}
	e.address = act(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		source, destination, err := readProxyHeader(in)
		if err != nil {
			return
		}
		e.mu.Lock()
		e.sources = append(e.sources, source)
		e.mu.Unlock()
		server, err := net.Dial("tcp", destination.String())
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(c, server)
			c.Close()
		}()
		_, _ = io.Copy(server, in)
		server.Close()
	})
	return e
}

func (e *egress) saw(source netip.AddrPort) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.sources, source)
}

// readProxyHeader reads a PROXY header of version 2.
func readProxyHeader(r io.Reader) (source, destination netip.AddrPort, err error) {
	start := make([]byte, 16)
	if _, err = io.ReadFull(r, start); err != nil {
		return source, destination, err
	}
	rest := make([]byte, binary.BigEndian.Uint16(start[14:]))
	if _, err = io.ReadFull(r, rest); err != nil {
		return source, destination, err
	}
	size := (len(rest) - 4) / 2
	from, _ := netip.AddrFromSlice(rest[:size])
	to, _ := netip.AddrFromSlice(rest[size : 2*size])
	return netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(rest[2*size:])),
		netip.AddrPortFrom(to.Unmap(), binary.BigEndian.Uint16(rest[2*size+2:])), nil
}
