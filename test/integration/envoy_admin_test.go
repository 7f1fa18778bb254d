// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
)

var recordAdmin = flag.Bool("record-admin", false, "write what Envoy's admin interface says into filter/envoyadmin/testdata")

// adminConfig has a cluster of each kind. ADMIN, XDS and DIR are replaced. Nothing connects to the brokers but
// the health checker, which finds nobody at port 1. Both EDS clusters have the same service name.
const adminConfig = `
node: {id: id, cluster: cluster}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: ADMIN}}}
layered_runtime:
  layers:
  - name: static
    static_layer: {upstream.maintenance_mode.brokers-checked: 100, upstream.maintenance_mode.brokers-file: 30, other: text}
dynamic_resources: {cds_config: {path_config_source: {path: DIR/cds.yaml}}}
static_resources:
  clusters:
  - name: xds
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment:
      cluster_name: xds
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: XDS}}}}]}]
  - name: brokers-static
    lb_subset_config:
      fallback_policy: DEFAULT_SUBSET
      default_subset: {broker_name: broker-a}
      subset_selectors: [{keys: [broker_name], fallback_policy: NO_FALLBACK}, {keys: [id, broker_name], fallback_policy: KEYS_SUBSET, fallback_keys_subset: [broker_name]}]
    load_assignment:
      cluster_name: any-name
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 10911}}}
          load_balancing_weight: 3
          metadata: {filter_metadata: {envoy.lb: {broker_name: broker-a, id: 0}, envoy.filters.network.rocketmq_proxy: {broker_name: broker-a, broker_id: 0, cluster_name: DefaultCluster, read_queue_num: 8, write_queue_num: 4, perm: 6}}}
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 10921}}}
          metadata: {filter_metadata: {envoy.lb: {broker_name: broker-b, id: "0"}, envoy.filters.network.rocketmq_proxy: {broker_name: broker-b, broker_id: 1, cluster_name: DefaultCluster, read_queue_num: "8", perm: 2}}}
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 10931}}}
  - name: brokers-file
    type: EDS
    eds_cluster_config: {service_name: brokers-eds, eds_config: {path_config_source: {path: DIR/eds.yaml}}}
  - name: brokers-grpc
    type: EDS
    eds_cluster_config: {service_name: brokers-eds, eds_config: {api_config_source: {api_type: GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: xds}}]}, resource_api_version: V3}}
  - name: brokers-checked
    health_checks: [{timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]
    load_assignment:
      cluster_name: brokers-checked
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]
`

const adminCDS = `
version_info: "1"
resources:
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: brokers-cds
  load_assignment:
    cluster_name: any-name
    endpoints:
    - lb_endpoints:
      - endpoint: {address: {socket_address: {address: "::1", port_value: 10911}}}
        metadata: {filter_metadata: {envoy.lb: {broker_name: [broker-a, broker-b], slave: true, weight: 1.5, o: {x: null}}}}
      - endpoint: {address: {pipe: {path: /run/broker}}}
  load_balancing_policy:
    policies:
    - typed_extension_config:
        name: envoy.load_balancing_policies.subset
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset
          fallback_policy: ANY_ENDPOINT
          allow_redundant_keys: true
          list_as_any: true
          subset_selectors: [{keys: [broker_name]}, {keys: [slave, broker_name]}]
          subset_lb_policy: {policies: [{typed_extension_config: {name: envoy.load_balancing_policies.round_robin, typed_config: {"@type": type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}
`

// adminEDS is two priorities. BROKER and PORT are replaced.
const adminEDS = `
cluster_name: brokers-eds
endpoints:
- lb_endpoints:
  - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: PORT}}}
    load_balancing_weight: 2
    metadata: {filter_metadata: {envoy.lb: {broker_name: BROKER}, envoy.filters.network.rocketmq_proxy: {broker_name: BROKER, broker_id: 0, cluster_name: DefaultCluster, read_queue_num: 8, write_queue_num: 8, perm: 6}}}
  - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 10921}}}
    health_status: DRAINING
- priority: 1
  locality: {region: r, zone: z}
  lb_endpoints:
  - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 10931}}}
    health_status: DEGRADED
`

func edsAssignment(broker, port string) string {
	return strings.NewReplacer("BROKER", broker, "PORT", port).Replace(adminEDS)
}

// edsFile is an assignment as Envoy reads it from a file.
func edsFile(text string) string {
	return "version_info: \"1\"\nresources:\n- \"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\n" +
		strings.ReplaceAll(text, "\n", "\n  ")
}

// adminEnvoy starts an Envoy with adminConfig and returns it and the address of its admin interface.
func adminEnvoy(t *testing.T, version, dir string) (admin string, e *envoy.Envoy) {
	t.Helper()
	admin = freePort(t)
	_, adminPort, _ := net.SplitHostPort(admin)
	_, xdsPort, _ := net.SplitHostPort(serveEDS(t, edsAssignment("broker-grpc", "10911")))
	for name, text := range map[string]string{"cds.yaml": adminCDS, "eds.yaml": edsFile(edsAssignment("broker-file", "10911"))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := strings.NewReplacer("ADMIN", adminPort, "XDS", xdsPort, "DIR", dir).Replace(adminConfig)
	return admin, startEnvoy(t, envoy.Options{Config: config, Admin: admin, Dir: dir, Version: version, Concurrency: 1})
}

// serveEDS is a management server that speaks just enough gRPC to give every stream one assignment.
func serveEDS(t *testing.T, text string) (address string) {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var resource endpointv3.ClusterLoadAssignment
	if err := protojson.Unmarshal(json, &resource); err != nil {
		t.Fatal(err)
	}
	packed, err := anypb.New(&resource)
	if err != nil {
		t.Fatal(err)
	}
	body, err := proto.Marshal(packed)
	if err != nil {
		t.Fatal(err)
	}
	// envoy.service.discovery.v3.DiscoveryResponse: version_info, resources, type_url, nonce. Its Go type comes
	// with all of gRPC.
	response := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "1")
	response = protowire.AppendBytes(protowire.AppendTag(response, 2, protowire.BytesType), body)
	response = protowire.AppendString(protowire.AppendTag(response, 4, protowire.BytesType), packed.TypeUrl)
	response = protowire.AppendString(protowire.AppendTag(response, 5, protowire.BytesType), "1")
	message := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(response))), response...)

	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		_, _ = w.Write(message)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body) // until Envoy goes
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

// adminRecorder is a proxy in front of the admin interface that writes each answer into a file.
func adminRecorder(t *testing.T, admin, dir string) (address string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: admin})
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		name := r.Request.URL.Query().Get("resource")
		if name == "" {
			name = strings.TrimPrefix(r.Request.URL.Path, "/")
		}
		return os.WriteFile(filepath.Join(dir, name+".json"), append(body, '\n'), 0o644)
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func adminHosts(t *testing.T, s *envoyadmin.Snapshot, name string) (text string) {
	t.Helper()
	c, ok := s.Cluster(name)
	if !ok {
		return "no cluster"
	}
	for _, e := range c.Endpoints {
		text += fmt.Sprintf("%s %s %v weight %d priority %d; ", e.Address, e.Broker.Name, e.Health, e.Weight, e.Priority)
	}
	return strings.TrimSuffix(text, "; ")
}

// TestAdminInterface reads clusters of every kind from a real Envoy, and sees one change and Envoy go.
func TestAdminInterface(t *testing.T) {
	for _, version := range []string{versions.Envoy[0], versions.Envoy[len(versions.Envoy)-1]} {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			admin, e := adminEnvoy(t, version, dir)
			if *recordAdmin {
				time.Sleep(time.Second) // until CDS and EDS have come
				admin = adminRecorder(t, admin, filepath.Join(root(t), "filter", "envoyadmin", "testdata", "envoy-"+version))
			}
			names := []string{"brokers-static", "brokers-file", "brokers-grpc", "brokers-cds", "brokers-checked", "missing"}
			watcher := envoyadmin.New(envoyadmin.NewClient(envoyadmin.Options{Address: admin}))
			watcher.Watch(names, time.Second)
			defer watcher.Stop()
			await := func(name, want string) {
				t.Helper()
				var got string
				for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
					if got = adminHosts(t, watcher.Snapshot(), name); got == want {
						return
					}
				}
				t.Fatalf("%s:\ngot  %s\nwant %s", name, got, want)
			}
			others := "; 127.0.0.1:10921  draining weight 1 priority 0; 127.0.0.1:10931  degraded weight 1 priority 1"
			await("brokers-static", "127.0.0.1:10911 broker-a healthy weight 3 priority 0; 127.0.0.1:10921 broker-b healthy weight 1 priority 0; 127.0.0.1:10931  healthy weight 1 priority 0")
			await("brokers-file", "127.0.0.1:10911 broker-file healthy weight 2 priority 0"+others)
			await("brokers-grpc", "127.0.0.1:10911 broker-grpc healthy weight 2 priority 0"+others)
			await("brokers-cds", "[::1]:10911  healthy weight 1 priority 0; /run/broker  healthy weight 1 priority 0")
			await("brokers-checked", "127.0.0.1:1  unhealthy weight 1 priority 0")
			await("missing", "no cluster")
			await("xds", "no cluster") // not asked for

			snapshot := watcher.Snapshot()
			for name, want := range map[string]uint32{"brokers-checked": 100, "brokers-file": 30, "brokers-grpc": 0} {
				if c, _ := snapshot.Cluster(name); c.MaintenancePercent != want {
					t.Errorf("%s: %d %% maintenance, want %d", name, c.MaintenancePercent, want)
				}
			}
			static, _ := snapshot.Cluster("brokers-static")
			for broker, want := range map[string]string{"broker-a": "127.0.0.1:10911", "broker-b": "127.0.0.1:10921", "broker-c": ""} {
				criteria, err := lbmetadata.NewCriteria(map[string]any{"broker_name": broker})
				if err != nil {
					t.Fatal(err)
				}
				if e, ok := static.Pick(criteria, 0); ok != (want != "") || ok && e.Address != want {
					t.Errorf("%s: got %v, want %s", broker, e, want)
				}
			}
			if *recordAdmin {
				return
			}

			// Envoy takes a file in when it is moved to its place.
			moved := filepath.Join(dir, "eds.new")
			if err := os.WriteFile(moved, []byte(edsFile(edsAssignment("broker-moved", "10941"))), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(moved, filepath.Join(dir, "eds.yaml")); err != nil {
				t.Fatal(err)
			}
			await("brokers-file", "127.0.0.1:10941 broker-moved healthy weight 2 priority 0"+others)
			await("brokers-grpc", "127.0.0.1:10911 broker-grpc healthy weight 2 priority 0"+others)

			failed := make(chan error, 100)
			defer watcher.Observe(func(err error) { failed <- err })()
			e.Kill()
			for err := range failed {
				if err != nil {
					break
				}
			}
			if !watcher.Stale() {
				t.Error("not stale")
			}
			await("brokers-file", "127.0.0.1:10941 broker-moved healthy weight 2 priority 0"+others)
		})
	}
}
