// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// variant is a path from the load generator to the stub.
type variant string

const (
	direct    variant = "direct"     // no proxy
	tcpProxy  variant = "tcp_proxy"  // an Envoy without our modules: the yardstick
	perBroker variant = "per-broker" // envoy-config/per-broker.yaml, the listener of the first broker
	unified   variant = "unified"    // envoy-config/unified.yaml

	// The same with the modules of another revision.
	basePerBroker variant = "base per-broker"
	baseUnified   variant = "base unified"
)

func parseVariant(text string) (variant, error) {
	switch v := variant(text); v {
	case direct, tcpProxy, perBroker, unified, basePerBroker, baseUnified:
		return v, nil
	}
	return "", fmt.Errorf("unknown variant %q", text)
}

// ours tells whether the path leads through our filter as it is here.
func (v variant) ours() bool { return v == perBroker || v == unified }

// example is the file of envoy-config/ that the path takes; empty if none.
func (v variant) example() string {
	switch v {
	case perBroker, basePerBroker:
		return "per-broker.yaml"
	case unified, baseUnified:
		return "unified.yaml"
	}
	return ""
}

// The ports that stand in the files of envoy-config/.
const (
	exampleNameServer = 9876
	exampleAdmin      = 9901
	exampleListener   = 19876 // of the name servers; with unified, of everything
	exampleBroker     = 20911 // Envoy's port for the first broker
	exampleOther      = 20921 // and for the second, which the stub has not
)

// tcpProxyConfig has the same ports as those files, and 10911 for the broker.
const tcpProxyConfig = `
admin:
  address:
    socket_address: {address: 127.0.0.1, port_value: 9901}
static_resources:
  listeners:
  - name: broker
    address:
      socket_address: {address: 127.0.0.1, port_value: 20911}
    filter_chains:
    - filters:
      - name: tcp_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: broker
          cluster: broker
  clusters:
  - name: broker
    type: STATIC
    connect_timeout: 1s
    circuit_breakers: {thresholds: [{max_connections: 100000, max_pending_requests: 100000}]}
    load_assignment:
      cluster_name: broker
      endpoints:
      - lb_endpoints:
        - endpoint:
            address:
              socket_address: {address: 127.0.0.1, port_value: 10911}
`

const exampleRealBroker = 10911

// secondBroker adds a listener for another broker to tcpProxyConfig.
func secondBroker(real netip.AddrPort) []edit {
	listeners, clusters, _ := strings.Cut(tcpProxyConfig, "  clusters:\n")
	_, listener, _ := strings.Cut(listeners, "  listeners:\n")
	rename := strings.NewReplacer(
		"name: broker\n", "name: other\n", "cluster: broker\n", "cluster: other\n", "stat_prefix: broker\n", "stat_prefix: other\n",
		"cluster_name: broker\n", "cluster_name: other\n", strconv.Itoa(exampleBroker), strconv.Itoa(exampleOther),
		strconv.Itoa(exampleRealBroker), strconv.Itoa(int(real.Port())),
	)
	return []edit{
		{"  clusters:\n", rename.Replace(listener) + "  clusters:\n" + rename.Replace(clusters)},
	}
}

// envoyConfig is a variant's config, the ports that it listens on, and which of them takes the load.
type envoyConfig struct {
	yaml                           string
	admin, load, nameServer, other netip.AddrPort // other: of the second broker
}

// edit changes a config: what must occur becomes something else, everywhere.
type edit struct{ old, text string }

// config renders a variant's config. free gives a free port.
func (v variant) config(root string, stub stubAddresses, free func() (int, error), edits ...edit) (c envoyConfig, err error) {
	ports := map[int]int{exampleNameServer: int(stub.NameServer.Port()), exampleRealBroker: int(stub.Broker.Port())}
	for _, example := range []int{exampleAdmin, exampleListener, exampleBroker, exampleOther} {
		if ports[example], err = free(); err != nil {
			return c, err
		}
	}
	text, listener := tcpProxyConfig, exampleBroker
	if v.example() != "" {
		file, err := os.ReadFile(filepath.Join(root, "envoy-config", v.example()))
		if err != nil {
			return c, err
		}
		text = string(file)
	}
	for _, e := range edits {
		if !strings.Contains(text, e.old) {
			return c, fmt.Errorf("config of %s: %q does not occur", v, e.old)
		}
		text = strings.ReplaceAll(text, e.old, e.text)
	}
	required := []int{exampleAdmin, exampleBroker, exampleRealBroker}
	switch v {
	case perBroker, basePerBroker:
		required = []int{exampleAdmin, exampleBroker, exampleNameServer}
	case unified, baseUnified:
		listener = exampleListener
		required = []int{exampleAdmin, exampleListener, exampleNameServer}
	}
	if c.yaml, err = replacePorts(text, ports, required); err != nil {
		return c, fmt.Errorf("config of %s: %w", v, err)
	}
	loopback := func(example int) netip.AddrPort {
		return netip.AddrPortFrom(stub.Broker.Addr(), uint16(ports[example]))
	}
	c.admin, c.load, c.nameServer, c.other = loopback(exampleAdmin), loopback(listener), loopback(exampleListener), loopback(exampleOther)
	return c, nil
}

var number = regexp.MustCompile(`\b\d+\b`)

// replacePorts puts other numbers in place of those that are keys of ports. The required ones must occur.
func replacePorts(text string, ports map[int]int, required []int) (string, error) {
	seen := map[int]bool{}
	text = number.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.Atoi(s)
		if port, ok := ports[n]; err == nil && ok {
			seen[n] = true
			return strconv.Itoa(port)
		}
		return s
	})
	for _, n := range required {
		if !seen[n] {
			return "", fmt.Errorf("port %d does not occur", n)
		}
	}
	return text, nil
}
