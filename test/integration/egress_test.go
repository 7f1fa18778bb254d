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
	const port, stats = "15001", "cluster.egress_tls."
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
	var ledger world.Ledger
	group := x.group(&ledger, "Plain", "egress-group", 1)
	x.produce(&ledger, "Plain", 0, 100)
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 100 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	x.finish(group...)
	x.idle()
	egress, err := x.Stats(x.limit(30*time.Second), stats)
	if err != nil {
		t.Fatal(err)
	}
	// Each of two clients has connections to the name server and to two brokers; the directory has its own.
	handshakes, connections := egress[stats+"ssl.handshake"], egress[stats+"upstream_cx_total"]
	if handshakes < 7 || handshakes != connections || egress[stats+"ssl.connection_error"] != 0 {
		t.Errorf("%v handshakes on %v connections", handshakes, connections)
	}
}
