// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const tlsFolder = "/etc/envoy/tls"

// makeCertificate leaves world.WriteCertificate's files in a folder.
func makeCertificate(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := world.WriteCertificate(folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestTLSEdge has real clients speak TLS to Envoy, and brokers see the clients' own addresses.
func TestTLSEdge(t *testing.T) {
	certificates := makeCertificate(t)
	x := install(t, world.Options{
		Mode:   world.PerBroker,
		Config: filepath.Join(root(t), "envoy-config", "per-broker-tls.yaml"),
		EditConfig: func(_ *world.World, yaml string) (string, error) {
			return strings.ReplaceAll(yaml, tlsFolder, certificates), nil
		},
		Topics: map[string]int{"Plain": queues},
	})
	x.javaFlags = []string{"-Dtls.enable=true"}
	var ledger world.Ledger
	group := x.group(&ledger, "Plain", "tls-group", 1)
	x.produce(&ledger, "Plain", 0, 100)
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 100 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}

	// The broker, asked directly, names the consumer's own port and not one of Envoy's.
	c, err := net.Dial("tcp", x.Brokers[0].Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, body := exchangeOn(t, c, request(requests.GetConsumerConnectionList, 1, codec.Field{Name: "consumerGroup", Value: "tls-group"}))
	var list struct {
		ConnectionSet []struct{ ClientAddr string }
	}
	if err := json.Unmarshal(body, &list); err != nil || len(list.ConnectionSet) != 1 {
		t.Fatalf("got %s, %v", body, err)
	}
	connections, err := world.Connections(group[0].Pid())
	if err != nil {
		t.Fatal(err)
	}
	own := false
	for _, connection := range connections {
		own = own || connection.Local.String() == list.ConnectionSet[0].ClientAddr
	}
	if !own {
		t.Errorf("the broker sees %s, the client has %v", list.ConnectionSet[0].ClientAddr, connections)
	}
	x.finish(group...)
	x.idle()
}
