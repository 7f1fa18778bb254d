// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// contribModules returns the folder with the module of test/contribhost, which plays contrib Envoy in a stock one, and the
// environment that it needs beside ENVOY_DYNAMIC_MODULES_SEARCH_PATH.
func contribModules(t *testing.T) (dir string, env []string) {
	t.Helper()
	dir = filepath.Join(root(t), "out", "contrib")
	if _, err := os.Stat(filepath.Join(dir, "libcontrib_host.so")); err != nil {
		t.Fatalf("%v: run test/contribhost/build.sh out/contrib", err)
	}
	return dir, []string{"ROCKETMQ_PROXY_PLUGIN=" + filepath.Join(modules(t), "librocketmq_proxy.so")}
}

// newContribStage is newStage in the double, with its environment for the whole test.
func newContribStage(t *testing.T, config string, edit func(yaml string) string, brokers map[string]play) *stage {
	t.Helper()
	dir, env := contribModules(t)
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	return newStage(t, config, dir, func(yaml string) string { return edit(contribConfig(yaml)) }, brokers)
}

// contribConfig puts that module in the place of the product's.
func contribConfig(yaml string) string {
	return strings.ReplaceAll(yaml, "rocketmq_proxy_host", "contrib_host")
}

// inFront puts a filter in front of the Golang one, in each chain.
func inFront(filter string) func(yaml string) string {
	return func(yaml string) string {
		return strings.ReplaceAll(yaml, "    - filters:\n", "    - filters:\n"+filter)
	}
}

// TestFiltersInFrontMayCloseConnections has filters of Envoy end connections before they reach the Golang filter.
func TestFiltersInFrontMayCloseConnections(t *testing.T) {
	for name, filter := range map[string]string{
		"connection_limit": `      - name: limit
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit, stat_prefix: limit, max_connections: 1}
`,
		"local_ratelimit": `      - name: limit
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit, stat_prefix: limit, token_bucket: {max_tokens: 1, fill_interval: 3600s}}
`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newContribStage(t, "unified.yaml", inFront(filter), map[string]play{"broker-a": echo})
			first := s.dial(s.proxy)
			s.exchanges(first, "broker-a", 10)
			for range 10 {
				refused := s.dial(s.proxy)
				if n, err := refused.Read(make([]byte, 1)); err == nil {
					t.Errorf("a connection too many got %d bytes", n)
				}
			}
			s.exchanges(first, "broker-a", 10)
		})
	}
}

// TestAWrongPluginNameClosesConnections has Envoy ask for a plugin that the library does not have.
func TestAWrongPluginNameClosesConnections(t *testing.T) {
	s := newContribStage(t, "unified.yaml", func(yaml string) string {
		return strings.Replace(yaml, "filter_name: rocketmq_proxy\n", "filter_name: rocketmq-proxy\n", 1)
	}, map[string]play{"broker-a": echo})
	for range 3 {
		c := s.dial(s.proxy)
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("got %d bytes", n)
		}
	}
	log, err := os.ReadFile(s.LogFile)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), `plugin_name is "rocketmq-proxy"`); n != 1 {
		t.Errorf("the log names it %d times:\n%s", n, log)
	}
}

// TestContribEnvoyEndsWithConnectionsOpen ends Envoy while clients and brokers are connected and one of the brokers is dialled.
func TestContribEnvoyEndsWithConnectionsOpen(t *testing.T) {
	s := newContribStage(t, "unified.yaml", untouched, map[string]play{"broker-a": echo, "broker-b": echo})
	for range 20 {
		c, err := net.Dial("tcp", s.proxy)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() }) // after Envoy's end
		s.exchanges(c, "broker-a", 3)
		_, _ = c.Write(to("broker-b", requests.SendMessageV2, 4, nil))
	}
	if err := s.Stop(); err != nil {
		t.Errorf("Envoy ended with %v", err)
	}
}
