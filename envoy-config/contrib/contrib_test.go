// SPDX-License-Identifier: Apache-2.0

// Package contrib tests the example configs that need a contrib Envoy, which the tests do not have: they are read as
// Envoy would read them, down to the filter's own options, and compared with those for a stock Envoy, which are run.
package contrib

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	golanghttp "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/http/golang/v3alpha"
	golangfilter "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/golang/v3alpha"
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3" // for protojson, as those below
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/original_dst/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	dynamicmodules "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/dynamic_modules/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	connections "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/proxy_protocol/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/raw_buffer/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host/golang"
)

// read reads a config as Envoy does. metrics_namespace of dynamic modules is newer than the types.
func read(t *testing.T, name string) *bootstrap.Bootstrap {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.ReplaceAll(string(text), "metrics_namespace: rocketmq", "")
	asJSON, err := yaml.YAMLToJSON([]byte(known))
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

// place is where a filter of ours stands.
type place struct {
	listener string
	ports    []uint32
	chain    int
	options  *anypb.Any
}

// places are those of all filters of ours, of either kind.
func places(t *testing.T, envoy *bootstrap.Bootstrap) (all []place) {
	t.Helper()
	for _, l := range envoy.GetStaticResources().GetListeners() {
		ports := []uint32{l.GetAddress().GetSocketAddress().GetPortValue()}
		for _, more := range l.GetAdditionalAddresses() {
			ports = append(ports, more.GetAddress().GetSocketAddress().GetPortValue())
		}
		for i, chain := range l.GetFilterChains() {
			for n, filter := range chain.GetFilters() {
				var module dynamicmodules.DynamicModuleNetworkFilter
				var plugin golangfilter.Config
				switch {
				case is(t, filter.GetTypedConfig(), &module):
					all = append(all, place{l.GetName(), ports, i, module.GetFilterConfig()})
				case is(t, filter.GetTypedConfig(), &plugin):
					all = append(all, place{l.GetName(), ports, i, plugin.GetPluginConfig()})
					if plugin.GetPluginName() != golang.PluginName || !plugin.GetIsTerminalFilter() || n != len(chain.GetFilters())-1 {
						t.Errorf("%s: plugin %q, terminal: %v, number %d of %d", l.GetName(), plugin.GetPluginName(), plugin.GetIsTerminalFilter(), n+1, len(chain.GetFilters()))
					}
				}
			}
		}
	}
	return all
}

// examples are the files here.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	return files
}

func TestTheyDoWhatThoseForAStockEnvoyDo(t *testing.T) {
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			envoy := read(t, name)
			got, want := places(t, envoy), places(t, read(t, "../"+name))
			if len(want) == 0 {
				t.Fatal("the stock Envoy's has no filter of ours")
			}
			if !slices.EqualFunc(got, want, func(a, b place) bool {
				return a.listener == b.listener && slices.Equal(a.ports, b.ports) && a.chain == b.chain && proto.Equal(a.options, b.options)
			}) {
				t.Errorf("filters at\n%v\nthe stock Envoy's at\n%v", got, want)
			}
			for _, p := range got {
				message, err := apiv1.Parse(p.options)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := apiv1.Resolve(message); err != nil {
					t.Error(err)
				}
			}
			dials := false
			for _, cluster := range envoy.GetStaticResources().GetClusters() {
				dials = dials || cluster.GetName() == "plainText"
			}
			if !dials {
				t.Error("there is no cluster plainText, by which the Golang filter dials")
			}
		})
	}
}

func TestEachBoundsTheConnectionsOfAllListeners(t *testing.T) {
	most := func(name string) int64 {
		for _, monitor := range read(t, name).GetOverloadManager().GetResourceMonitors() {
			var config connections.DownstreamConnectionsConfig
			if is(t, monitor.GetTypedConfig(), &config) {
				return config.GetMaxActiveDownstreamConnections()
			}
		}
		return 0
	}
	for _, name := range examples(t) {
		if here, stock := most(name), most("../"+name); here == 0 || here != stock {
			t.Errorf("%s takes %d connections, the stock Envoy's %d; want the same limit", name, here, stock)
		}
	}
}

func TestEveryStockExampleHasOneHere(t *testing.T) {
	stock, err := filepath.Glob("../*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	here := examples(t)
	for _, file := range stock {
		if !slices.Contains(here, filepath.Base(file)) {
			t.Errorf("%s has no contrib variant", file)
		}
	}
}

func TestEachHasOneListenerForMetricsThatTakesNoConnections(t *testing.T) {
	for _, name := range examples(t) {
		found := 0
		for _, l := range read(t, name).GetStaticResources().GetListeners() {
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
						t.Errorf("%s: plugin %q, want %q", name, config.GetPluginName(), golang.StatsPluginName)
					}
					if l.GetBindToPort() == nil || l.GetBindToPort().GetValue() || l.GetAddress().GetSocketAddress().GetAddress() != "127.0.0.1" {
						t.Errorf("%s: it listens at %v", name, l.GetAddress())
					}
				}
			}
		}
		if found != 1 {
			t.Errorf("%s: %d HTTP filters give metrics", name, found)
		}
	}
}

func filtersOf(l *listener.Listener) (filters []*listener.Filter) {
	for _, chain := range l.GetFilterChains() {
		filters = append(filters, chain.GetFilters()...)
	}
	return filters
}
