// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"bytes"
	"path"
	"testing"

	golangfilter "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/golang/v3alpha"
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/http_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	dynamicmodules "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/dynamic_modules/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/types/known/anypb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
)

// validate checks a message of Envoy with all that is in it, down to the filter's own options. It gives the number of
// filters of ours.
func validate(t *testing.T, message proto.Message) (ours int) {
	t.Helper()
	if checked, ok := message.(interface{ ValidateAll() error }); ok {
		if err := checked.ValidateAll(); err != nil {
			t.Errorf("%s: %v", message.ProtoReflect().Descriptor().FullName(), err)
		}
	}
	var options *anypb.Any
	switch m := message.(type) {
	case *dynamicmodules.DynamicModuleNetworkFilter:
		options = m.GetFilterConfig()
		if !m.GetDynamicModuleConfig().GetDoNotClose() {
			t.Error("do_not_close is not true: the Go runtime cannot be unloaded")
		}
	case *golangfilter.Config:
		options = m.GetPluginConfig()
		if !m.GetIsTerminalFilter() || m.GetPluginName() != "rocketmq_proxy" || path.Base(m.GetLibraryPath()) != "librocketmq_proxy.so" {
			t.Errorf("terminal %v, plugin %q, library %q", m.GetIsTerminalFilter(), m.GetPluginName(), m.GetLibraryPath())
		}
	}
	if options != nil {
		config, err := apiv1.Parse(options)
		if err == nil {
			_, err = apiv1.Resolve(config)
		}
		if err != nil {
			t.Error(err)
		}
		return 1
	}
	err := protorange.Range(message.ProtoReflect(), func(p protopath.Values) error {
		inner, ok := p.Index(-1).Value.Interface().(interface{ Interface() proto.Message })
		if !ok || p.Len() == 1 {
			return nil
		}
		if any, ok := inner.Interface().(*anypb.Any); ok {
			unpacked, err := any.UnmarshalNew()
			if err != nil {
				return err
			}
			ours += validate(t, unpacked)
			return protorange.Break
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return ours
}

func TestBootstrapsAreEnvoys(t *testing.T) {
	edge, _ := at(object(t, "build/kubernetes/configmap.yaml", "ConfigMap"), "data", "envoy.yaml").(string)
	for name, text := range map[string][]byte{
		"two-views.yaml":               read(t, "envoy-config/two-views.yaml"),
		"tls-client-certificates.yaml": read(t, "envoy-config/tls-client-certificates.yaml"),
		"build/compose/envoy.yaml":     read(t, "build/compose/envoy.yaml"),
		"build/kubernetes's ConfigMap": []byte(edge),
		"envoy-config/per-broker.yaml": read(t, "envoy-config/per-broker.yaml"), // shows that the test sees filters
	} {
		t.Run(name, func(t *testing.T) {
			var value any
			if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&value); err != nil {
				t.Fatal(err)
			}
			var envoy bootstrap.Bootstrap
			into(t, value, &envoy)
			if validate(t, &envoy) == 0 {
				t.Error("no filter of ours")
			}
		})
	}
}

// TestIstioPatchesAreEnvoys reads what EnvoyFilters put into Envoy.
func TestIstioPatchesAreEnvoys(t *testing.T) {
	for _, name := range []string{"sidecar-golang.yaml", "sidecar-dynamic-module.yaml", "gateway-golang.yaml", "gateway-dynamic-module.yaml"} {
		t.Run(name, func(t *testing.T) {
			ours, clusters := 0, 0
			golang := false
			for _, patch := range list(at(object(t, "envoy-config/istio/"+name, "EnvoyFilter"), "spec", "configPatches")) {
				value, operation := at(patch, "patch", "value"), at(patch, "patch", "operation")
				switch at(patch, "applyTo") {
				case "CLUSTER":
					var c cluster.Cluster
					into(t, value, &c)
					validate(t, &c)
					if c.GetName() != "plainText" || c.GetType() != cluster.Cluster_ORIGINAL_DST {
						t.Errorf("cluster %s of type %v", c.GetName(), c.GetType())
					}
					clusters++
				case "NETWORK_FILTER":
					var f listener.Filter
					into(t, value, &f)
					ours += validate(t, &f)
					var module dynamicmodules.DynamicModuleNetworkFilter
					chained := f.GetTypedConfig().UnmarshalTo(&module) == nil && module.GetFilterName() == "rocketmq_proxy_chain"
					if want := map[bool]string{true: "INSERT_BEFORE", false: "REPLACE"}[chained]; operation != want {
						t.Errorf("operation %v, want %s: tcp_proxy stays behind a chained filter, and goes for one that is the last", operation, want)
					}
					golang = golang || f.GetTypedConfig().MessageIs(&golangfilter.Config{})
					if at(patch, "match", "listener", "filterChain", "filter", "name") != "envoy.filters.network.tcp_proxy" {
						t.Error("the patch is not at tcp_proxy")
					}
				default:
					t.Errorf("%v", at(patch, "applyTo"))
				}
			}
			if ours == 0 || golang != (clusters == 1) {
				t.Errorf("%d filters, %d clusters plainText", ours, clusters)
			}
		})
	}
}

// TestGatewayPatchesAreEnvoys applies the patches to listeners as Envoy Gateway makes them.
func TestGatewayPatchesAreEnvoys(t *testing.T) {
	for _, name := range []string{"envoy-config/envoy-gateway/unified.yaml", "envoy-config/envoy-gateway/per-broker.yaml"} {
		t.Run(name, func(t *testing.T) {
			listeners := map[string]bool{}
			for _, l := range list(at(object(t, name, "Gateway"), "spec", "listeners")) {
				listeners["rocketmq/rocketmq/"+at(l, "name").(string)] = true
			}
			patches := list(at(object(t, name, "EnvoyPatchPolicy"), "spec", "jsonPatches"))
			for _, patch := range patches {
				if !listeners[at(patch, "name").(string)] {
					t.Errorf("no listener %v", at(patch, "name"))
				}
				if at(patch, "operation", "path") != "/filter_chains/0/filters/0" {
					t.Errorf("path %v", at(patch, "operation", "path"))
				}
				var f listener.Filter
				into(t, at(patch, "operation", "value"), &f)
				if validate(t, &f) != 1 {
					t.Error("no filter of ours")
				}
				var module dynamicmodules.DynamicModuleNetworkFilter
				if err := f.GetTypedConfig().UnmarshalTo(&module); err != nil {
					t.Fatal(err)
				}
				want := "replace"
				if module.GetFilterName() == "rocketmq_proxy_chain" {
					want = "add"
				}
				if at(patch, "operation", "op") != want || module.GetTerminalFilter() != (want == "replace") {
					t.Errorf("operation %v, terminal %v, want %s", at(patch, "operation", "op"), module.GetTerminalFilter(), want)
				}
			}
			if len(patches) != len(listeners) {
				t.Errorf("%d patches for %d listeners", len(patches), len(listeners))
			}
		})
	}
}
