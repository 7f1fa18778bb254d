// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"slices"
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
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host/golang"
)

// Folders of the example configs. Those for contrib Envoy are not run, since the tests have no contrib Envoy: they are
// read as Envoy would read them, down to the filter's own options, and compared with those for stock Envoy, which are run.
const (
	stockExamples   = "envoy-config"
	contribExamples = stockExamples + "/contrib"
)

// readBootstrap reads and validates a config as Envoy does.
func readBootstrap(t *testing.T, folder, name string) *bootstrap.Bootstrap {
	t.Helper()
	var envoy bootstrap.Bootstrap
	into(t, objects(t, folder+"/"+name)[0], &envoy)
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

func TestContribExamplesDoWhatThoseForStockEnvoyDo(t *testing.T) {
	for _, name := range yamlFiles(t, contribExamples) {
		t.Run(name, func(t *testing.T) {
			envoy := readBootstrap(t, contribExamples, name)
			got, want := places(t, envoy), places(t, readBootstrap(t, stockExamples, name))
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

func TestContribExamplesBoundTheConnectionsOfAllListeners(t *testing.T) {
	most := func(folder, name string) int64 {
		for _, monitor := range readBootstrap(t, folder, name).GetOverloadManager().GetResourceMonitors() {
			var config connections.DownstreamConnectionsConfig
			if is(t, monitor.GetTypedConfig(), &config) {
				return config.GetMaxActiveDownstreamConnections()
			}
		}
		return 0
	}
	for _, name := range yamlFiles(t, contribExamples) {
		if here, stock := most(contribExamples, name), most(stockExamples, name); here == 0 || here != stock {
			t.Errorf("%s takes %d connections, the stock Envoy's %d; want the same limit", name, here, stock)
		}
	}
}

func TestEveryStockExampleHasOneForContribEnvoy(t *testing.T) {
	contrib := yamlFiles(t, contribExamples)
	for _, file := range yamlFiles(t, stockExamples) {
		if !slices.Contains(contrib, file) {
			t.Errorf("%s has no contrib variant", file)
		}
	}
}

func TestContribExamplesHaveOneListenerForMetricsThatTakesNoConnections(t *testing.T) {
	for _, name := range yamlFiles(t, contribExamples) {
		found := 0
		for _, l := range readBootstrap(t, contribExamples, name).GetStaticResources().GetListeners() {
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
