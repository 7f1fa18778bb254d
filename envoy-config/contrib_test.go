// SPDX-License-Identifier: Apache-2.0

// Package envoyconfig tests the example configs that need a contrib Envoy, which the tests do not
// have: they are read as Envoy would read them, down to the filter's own config.
package envoyconfig

import (
	"os"
	"testing"

	golanghttp "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/http/golang/v3alpha"
	golangfilter "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/golang/v3alpha"
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3" // for protojson
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host/golang"
)

// readContrib reads the config as Envoy does.
func readContrib(t *testing.T) *bootstrap.Bootstrap {
	t.Helper()
	text, err := os.ReadFile("contrib-unified.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	var envoy bootstrap.Bootstrap
	if err := protojson.Unmarshal(asJSON, &envoy); err != nil {
		t.Fatal(err)
	}
	if err := envoy.ValidateAll(); err != nil {
		t.Error(err)
	}
	return &envoy
}

// validMessage is a message of Envoy's API.
type validMessage interface {
	proto.Message
	ValidateAll() error
}

// is unpacks a message into `config` and validates it, if that is its type.
func is(t *testing.T, packed *anypb.Any, config validMessage) bool {
	t.Helper()
	if !packed.MessageIs(config) {
		return false
	}
	if err := packed.UnmarshalTo(config); err != nil {
		t.Fatal(err)
	}
	if err := config.ValidateAll(); err != nil {
		t.Error(err)
	}
	return true
}

func filtersOf(l *listener.Listener) (filters []*listener.Filter) {
	for _, chain := range l.GetFilterChains() {
		filters = append(filters, chain.GetFilters()...)
	}
	return filters
}

func TestContribConfigIsWellFormedDownToTheFiltersOwn(t *testing.T) {
	envoy := readContrib(t)
	clusters := map[string]bool{}
	for _, cluster := range envoy.GetStaticResources().GetClusters() {
		clusters[cluster.GetName()] = true
	}
	if !clusters["plainText"] {
		t.Error("there is no cluster plainText, by which the Golang filter dials")
	}
	filters := 0
	for _, l := range envoy.GetStaticResources().GetListeners() {
		for _, filter := range filtersOf(l) {
			var config golangfilter.Config
			if !is(t, filter.GetTypedConfig(), &config) {
				continue
			}
			filters++
			if config.GetPluginName() != golang.PluginName || !config.GetIsTerminalFilter() {
				t.Errorf("plugin %q, terminal: %v", config.GetPluginName(), config.GetIsTerminalFilter())
			}
			message, err := apiv1.Parse(config.GetPluginConfig())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := apiv1.Resolve(message); err != nil {
				t.Error(err)
			}
		}
	}
	if filters != 1 {
		t.Errorf("%d listeners have the filter", filters)
	}
}

func TestContribConfigHasOneListenerForMetricsThatTakesNoConnections(t *testing.T) {
	found := 0
	for _, l := range readContrib(t).GetStaticResources().GetListeners() {
		for _, filter := range filtersOf(l) {
			var connections hcm.HttpConnectionManager
			if !is(t, filter.GetTypedConfig(), &connections) {
				continue
			}
			for _, httpFilter := range connections.GetHttpFilters() {
				var config golanghttp.Config
				if !is(t, httpFilter.GetTypedConfig(), &config) {
					continue
				}
				found++
				if config.GetPluginName() != golang.StatsPluginName {
					t.Errorf("plugin %q, want %q", config.GetPluginName(), golang.StatsPluginName)
				}
				if l.GetBindToPort() == nil || l.GetBindToPort().GetValue() || l.GetAddress().GetSocketAddress().GetAddress() != "127.0.0.1" {
					t.Errorf("it listens at %v", l.GetAddress())
				}
			}
		}
	}
	if found != 1 {
		t.Errorf("%d HTTP filters give metrics", found)
	}
}
