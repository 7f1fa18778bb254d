// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// validation is left out of the example: the certificate that RocketMQ servers without one of their own
// make at each start has no issuer.
const validation = `
          validation_context:                # what the servers' certificates are checked against
            trusted_ca: {filename: /etc/envoy/tls/ca.crt}
`

// TestEgress has the filter's own connections leave through a listener that speaks TLS.
func TestEgress(t *testing.T) {
	const port = "15001"
	x := install(t, world.Options{
		Mode:   world.Unified,
		Config: filepath.Join(root(t), "envoy-config", "unified-upstream-tls.yaml"),
		EditConfig: func(_ *world.World, yaml string) (string, error) {
			if !strings.Contains(yaml, validation) {
				return "", errors.New("unified-upstream-tls.yaml does not check certificates any more")
			}
			_, free, _ := strings.Cut(freePort(t), ":")
			return strings.ReplaceAll(strings.Replace(yaml, validation, " {}\n", 1), port, free), nil
		},
		Topics: map[string]int{"Plain": queues},
	})
	x.plainOverTLS()
	// Each of two clients has connections to the name server and to two brokers; the directory has its own.
	x.wantHandshakes("egress_tls", 7)
}

// TestTLSToBrokers has the clusters behind tcp_proxy speak TLS.
func TestTLSToBrokers(t *testing.T) {
	const timeout = "\n    connect_timeout: 1s"
	x := install(t, world.Options{
		Mode: world.PerBroker,
		EditConfig: func(_ *world.World, yaml string) (string, error) {
			if strings.Count(yaml, timeout) != 2 {
				return "", errors.New("per-broker.yaml has other clusters than expected")
			}
			return strings.ReplaceAll(yaml, timeout, timeout+"\n    transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext}}"), nil
		},
		Topics: map[string]int{"Plain": queues},
	})
	x.plainOverTLS()
	x.wantHandshakes("name_servers", 2)
	x.wantHandshakes("brokers", 4)
}

// plainOverTLS sends and consumes a hundred messages.
func (x *installation) plainOverTLS() {
	x.Helper()
	var ledger world.Ledger
	group := x.group(&ledger, "Plain", "tls-group", 1)
	x.produce(&ledger, "Plain", 0, 100)
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 100 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	x.finish(group...)
	x.idle()
}

// wantHandshakes demands that every connection of a cluster of Envoy, and so many at least, speaks TLS.
func (x *installation) wantHandshakes(cluster string, least uint64) {
	x.Helper()
	prefix := "cluster." + cluster + "."
	all, err := x.Stats(x.limit(30*time.Second), prefix)
	if err != nil {
		x.Fatal(err)
	}
	handshakes, connections := all[prefix+"ssl.handshake"], all[prefix+"upstream_cx_total"]
	if handshakes < least || handshakes != connections || all[prefix+"ssl.connection_error"] != 0 {
		x.Errorf("%s: %d handshakes on %d connections, want at least %d", cluster, handshakes, connections, least)
	}
}
