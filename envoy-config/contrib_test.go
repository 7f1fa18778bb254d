// SPDX-License-Identifier: Apache-2.0

// Package envoyconfig tests the example configs that need a contrib Envoy, which the tests do not
// have: they are read as Envoy would read them, down to the filter's own config.
package envoyconfig

import (
	"os"
	"testing"

	golangfilter "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/golang/v3alpha"
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"sigs.k8s.io/yaml"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host/golang"
)

func TestContribConfigIsWellFormedDownToTheFiltersOwn(t *testing.T) {
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
	clusters := map[string]bool{}
	for _, cluster := range envoy.GetStaticResources().GetClusters() {
		clusters[cluster.GetName()] = true
	}
	if !clusters["plainText"] {
		t.Error("there is no cluster plainText, by which the Golang filter dials")
	}
	filters := 0
	for _, listener := range envoy.GetStaticResources().GetListeners() {
		for _, filter := range listener.GetFilterChains()[0].GetFilters() {
			var config golangfilter.Config
			if err := filter.GetTypedConfig().UnmarshalTo(&config); err != nil {
				continue
			}
			filters++
			if err := config.ValidateAll(); err != nil {
				t.Error(err)
			}
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
	if filters == 0 {
		t.Error("no listener has the filter")
	}
}
