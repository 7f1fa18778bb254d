// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

const (
	originalDst   = "envoy.filters.listener.original_dst\n      typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst"
	proxyProtocol = "envoy.filters.listener.proxy_protocol\n      typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"
)

// TestTransparent has connections say where they were going by the PROXY protocol, since a test cannot
// redirect them: to the filter it is the same.
func TestTransparent(t *testing.T) {
	x := install(t, world.Options{
		Mode:   world.PerBroker, // for the ports only
		Config: filepath.Join(root(t), "envoy-config", "transparent.yaml"),
		EditConfig: func(_ *world.World, yaml string) (string, error) {
			if !strings.Contains(yaml, originalDst) {
				return "", errors.New("transparent.yaml does not restore the original destination any more")
			}
			return strings.Replace(yaml, originalDst, proxyProtocol, 1), nil
		},
		Topics: map[string]int{"T": queues},
	})
	redirected := func(to string) net.Conn {
		t.Helper()
		c := x.connect()
		host, port, err := net.SplitHostPort(to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(c, "PROXY TCP4 127.0.0.1 %s 40000 %s\r\n", host, port); err != nil {
			t.Fatal(err)
		}
		return c
	}

	ns := redirected(x.NameServer)
	defer ns.Close()
	route, body := exchangeOn(t, ns, request(requests.GetRouteInfoByTopic, 7, codec.Field{Name: "topic", Value: "T"}, codec.Field{Name: "acceptStandardJsonOnly", Value: "true"}))
	if route.Opaque != 7 || route.ResponseCode() != codec.ResponseSuccess {
		t.Fatalf("got opaque %d, %v", route.Opaque, route.ResponseCode())
	}
	for _, b := range x.Brokers {
		if !strings.Contains(string(body), `"`+b.Addr+`"`) {
			t.Errorf("the route does not name %s: %s", b.Addr, body)
		}
		c := redirected(b.Addr)
		answer, _ := exchangeOn(t, c, request(requests.GetBrokerConfig, 8))
		if answer.Opaque != 8 || answer.ResponseCode() != codec.ResponseSuccess {
			t.Errorf("%s: got opaque %d, %v", b.Name, answer.Opaque, answer.ResponseCode())
		}
		c.Close()
	}

	for _, elsewhere := range []string{x.Admin, x.ProxyAddr} {
		c := redirected(elsewhere)
		if n, err := io.Copy(io.Discard, c); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s was served: %d bytes, %v", elsewhere, n, err)
		}
		c.Close()
	}
	ns.Close()
	x.awaitStat("downstream_refused", 2)
	x.awaitStat("route_address_rewritten", 0)
	x.idle()
}

// TestVIPChannelAndReadOnly: a second port for one broker, and a listener that takes no changes.
func TestVIPChannelAndReadOnly(t *testing.T) {
	var vip string
	x := install(t, world.Options{
		Mode: world.PerBroker,
		EditConfig: func(w *world.World, yaml string) (string, error) {
			vip = freePort(t)
			_, port, err := net.SplitHostPort(vip)
			if err != nil {
				return "", err
			}
			_, brokerPort, err := net.SplitHostPort(w.Brokers[0].ProxyAddr)
			if err != nil {
				return "", err
			}
			yaml = strings.Replace(yaml, "broker_id: 0, listener_port: "+brokerPort, "broker_id: 0, vip_channel_port: "+port+", listener_port: "+brokerPort, 1)
			yaml = strings.Replace(yaml, "  - name: broker_a\n", "  - name: broker_a\n    additional_addresses:\n    - address: {socket_address: {address: 127.0.0.1, port_value: "+port+"}}\n", 1)
			return strings.Replace(yaml, "              addressing:\n", "              policy: {read_only_admin: true}\n              addressing:\n", 1), nil
		},
	})
	c, err := net.Dial("tcp", vip)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if answer, body := exchangeOn(t, c, request(requests.GetBrokerConfig, 1)); answer.ResponseCode() != codec.ResponseSuccess || !strings.Contains(string(body), "brokerName=broker-a") {
		t.Errorf("got %v", answer.ResponseCode())
	}
	if answer, _ := exchangeOn(t, c, request(requests.UpdateBrokerConfig, 2)); answer.ResponseCode() != codec.ResponseNoPermission || answer.Opaque != 2 {
		t.Errorf("a change was answered %v", answer.ResponseCode())
	}
	c.Close()
	x.idle()
}
