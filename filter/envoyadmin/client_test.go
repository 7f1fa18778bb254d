// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// fakeAdmin answers by the name of the resource, or the path without its slash. What it has no answer for
// is the empty object.
type fakeAdmin map[string]string

func (f fakeAdmin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("resource")
	if name == "" {
		name = strings.TrimPrefix(r.URL.Path, "/")
	}
	text, ok := f[name]
	if !ok {
		text = "{}"
	}
	if status := 0; strings.HasPrefix(text, "status ") {
		fmt.Sscanf(text, "status %d", &status)
		w.WriteHeader(status)
	}
	fmt.Fprint(w, text)
}

// recorded is what a real Envoy said: test/integration/envoy_admin_test.go has its configuration and records it.
func recorded(t testing.TB, version string) fakeAdmin {
	t.Helper()
	f := fakeAdmin{}
	files, err := filepath.Glob(filepath.Join("testdata", "envoy-"+version, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("nothing recorded", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f[strings.TrimSuffix(filepath.Base(file), ".json")] = string(text)
	}
	return f
}

// read reads from a handler on a Unix socket.
func read(t testing.TB, h http.Handler, o Options, names ...string) (*Snapshot, error) {
	t.Helper()
	o.Address = filepath.Join(t.TempDir(), "admin")
	listener, err := net.Listen("unix", o.Address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	defer server.Close()
	c := NewClient(o)
	defer c.Close()
	return c.Read(context.Background(), names)
}

func describe(c *Cluster) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d %% maintenance\n", c.Name, c.MaintenancePercent)
	if s := c.Subsets; s != nil {
		fmt.Fprintf(&b, "  subsets %v else %d, default %v, redundant %v, lists %v, panic %v\n",
			s.Selectors, s.Fallback, s.DefaultSubset, s.AllowRedundantKeys, s.ListAsAny, s.PanicModeAny)
	}
	for _, e := range c.Endpoints {
		fmt.Fprintf(&b, "  %s %v weight %d priority %d %+v", e.Address, e.Health, e.Weight, e.Priority, e.Broker)
		for _, field := range e.lb {
			fmt.Fprintf(&b, " %s=%s%v", field.Key, field.Value, field.elements)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const wantRecorded = `brokers-cds, 0 % maintenance
  subsets [{[broker_name slave] 0 []} {[broker_name] 0 []}] else 2, default [], redundant true, lists true, panic false
  [::1]:10911 healthy weight 1 priority 0 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0} broker_name=["broker-a","broker-b"]["broker-a" "broker-b"] o={"x":null}[] slave=true[] weight="1.5"[]
  /run/broker healthy weight 1 priority 0 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}
brokers-checked, 100 % maintenance
  127.0.0.1:1 unhealthy weight 1 priority 0 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}
brokers-file, 30 % maintenance
  127.0.0.1:10911 healthy weight 2 priority 0 {Name:broker-file ClusterName:DefaultCluster ID:0 ReadQueueNum:8 WriteQueueNum:8 Perm:6} broker_name="broker-file"[]
  127.0.0.1:10921 draining weight 1 priority 0 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}
  127.0.0.1:10931 degraded weight 1 priority 1 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}
brokers-grpc, 0 % maintenance
  127.0.0.1:10911 healthy weight 2 priority 0 {Name:broker-grpc ClusterName:DefaultCluster ID:0 ReadQueueNum:8 WriteQueueNum:8 Perm:6} broker_name="broker-grpc"[]
  127.0.0.1:10921 draining weight 1 priority 0 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}
  127.0.0.1:10931 degraded weight 1 priority 1 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}
brokers-static, 0 % maintenance
  subsets [{[broker_name] 1 []} {[broker_name id] 4 [broker_name]}] else 3, default [{broker_name "broker-a"}], redundant false, lists false, panic false
  127.0.0.1:10911 healthy weight 3 priority 0 {Name:broker-a ClusterName:DefaultCluster ID:0 ReadQueueNum:8 WriteQueueNum:4 Perm:6} broker_name="broker-a"[] id=0[]
  127.0.0.1:10921 healthy weight 1 priority 0 {Name:broker-b ClusterName:DefaultCluster ID:1 ReadQueueNum:0 WriteQueueNum:0 Perm:2} broker_name="broker-b"[] id="0"[]
  127.0.0.1:10931 healthy weight 1 priority 0 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}
`

func TestRealDumpsAreRead(t *testing.T) {
	folders, err := filepath.Glob("testdata/envoy-*")
	if err != nil || len(folders) < 2 {
		t.Fatalf("recorded: %v, %v", folders, err)
	}
	for _, folder := range folders {
		version := strings.TrimPrefix(filepath.Base(folder), "envoy-")
		s, err := read(t, recorded(t, version), Options{}, "brokers-static", "brokers-file", "brokers-grpc", "brokers-cds", "brokers-checked", "missing")
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, name := range s.Names() {
			c, _ := s.Cluster(name)
			got.WriteString(describe(c))
		}
		if got.String() != wantRecorded {
			t.Errorf("Envoy %s:\n%s\nwant\n%s", version, got.String(), wantRecorded)
		}
		for _, name := range []string{"missing", "xds"} {
			if c, ok := s.Cluster(name); ok {
				t.Errorf("Envoy %s has %v", version, c)
			}
		}
	}
}

func TestWhatIsUnknownIsPassedOver(t *testing.T) {
	s, err := read(t, fakeAdmin{
		"static_clusters": `{"configs": [{"@type": "no.such.Type", "x": {"@type": "neither"}}, {"cluster": {"name": "c", "new": [1], "load_balancing_policy": {}}}], "y": 1}`,
		"static_endpoint_configs": `{"configs": [{"endpoint_config": {"cluster_name": "c", "endpoints": [{"lb_endpoints": [
			{"endpoint": {"address": {"envoy_internal_address": {"server_listener_name": "l"}}}},
			{"endpoint": {"address": {"socket_address": {"address": "10.0.0.1", "port_value": 1}}}, "health_status": "NEW", "metadata": {"filter_metadata": {"other": {"a": 1}},
			 "typed_filter_metadata": {"x": {"@type": "no.such.Type"}}}}]}]}}]}`,
	}, Options{}, "c")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := s.Cluster("c")
	const want = "c, 0 % maintenance\n  10.0.0.1:1 healthy weight 1 priority 0 {Name: ClusterName: ID:0 ReadQueueNum:0 WriteQueueNum:0 Perm:0}\n"
	if got := describe(c); got != want {
		t.Errorf("got %s", got)
	}
}

func TestSubsetsAreMadeBySelectorsOfTheRulesThatApply(t *testing.T) {
	const selectors = `"subset_selectors": [{"keys": ["k"]}]`
	policy := func(typed string) string {
		return `"load_balancing_policy": {"policies": [{"typed_extension_config": {"typed_config": ` + typed + `}}]}`
	}
	for name, test := range map[string]struct {
		fields string
		want   bool
	}{
		"no rules":                           {`"type": "EDS"`, false},
		"a fallback without selectors":       {`"lb_subset_config": {"fallback_policy": "NO_FALLBACK"}`, false},
		"selectors":                          {`"lb_subset_config": {` + selectors + `}`, true},
		"another policy, which has the word": {`"lb_subset_config": {` + selectors + `}, ` + policy(`{"@type": "x.RoundRobin"}`), false},
		"no policy":                          {`"lb_subset_config": {` + selectors + `}, "load_balancing_policy": {}`, false},
		"the policy that makes subsets":      {policy(`{"@type": "` + subsetPolicyType + `", ` + selectors + `}`), true},
		"the same without selectors":         {policy(`{"@type": "` + subsetPolicyType + `", "fallback_policy": "NO_FALLBACK"}`), false},
	} {
		s, err := read(t, fakeAdmin{"static_clusters": `{"configs": [{"cluster": {"name": "c", ` + test.fields + `}}]}`}, Options{}, "c")
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := s.Cluster("c"); (c.Subsets != nil) != test.want {
			t.Errorf("%s: got %+v", name, c.Subsets)
		}
	}
}

func TestWhatAClusterDemandsOfConnections(t *testing.T) {
	const tls = `{"name": "tls", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"}}`
	const raw = `{"name": "tls", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"}}`
	for fields, want := range map[string]string{
		`"type": "EDS"`:              "",
		`"transport_socket": ` + tls: "transport_socket",
		`"transport_socket": ` + raw: "",
		`"transport_socket": {"name": "envoy.transport_sockets.raw_buffer"}`:                                                                                         "",
		`"transport_socket": {"name": "envoy.transport_sockets.tls"}`:                                                                                                "transport_socket",
		`"transport_socket": {"typed_config": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"}}`: "transport_socket",
		`"transport_socket_matches": [{"transport_socket": ` + raw + `}]`:                                                                                            "",
		`"transport_socket_matches": [{"transport_socket": ` + raw + `}, {"transport_socket": ` + tls + `}]`:                                                         "transport_socket_matches",
		`"upstream_bind_config": {"source_address": {"address": "10.0.0.9", "port_value": 0}}`:                                                                       "upstream_bind_config",
		`"upstream_bind_config": {"socket_options": [{"level": 1}]}`:                                                                                                 "upstream_bind_config",
		`"filters": [{"name": "x"}]`: "filters",
	} {
		for process, otherwise := range map[string]string{`{}`: "", `{"configs": [{"bootstrap": {"cluster_manager": {"upstream_bind_config": {"source_address": {"address": "10.0.0.9"}}}}}]}`: "cluster_manager.upstream_bind_config"} {
			s, err := read(t, fakeAdmin{"static_clusters": `{"configs": [{"cluster": {"name": "c", ` + fields + `}}]}`, "config_dump": process}, Options{}, "c")
			if err != nil {
				t.Fatal(err)
			}
			expected := want
			if expected == "" || expected == "transport_socket_matches" && otherwise != "" {
				expected = otherwise
			}
			if c, _ := s.Cluster("c"); c.Demands != expected {
				t.Errorf("%s in %s: got %q, want %q", fields, process, c.Demands, expected)
			}
		}
	}
	s, err := read(t, fakeAdmin{
		"static_clusters": `{"configs": [{"cluster": {"name": "c", "upstream_bind_config": {}}}]}`,
		"config_dump":     `{"configs": [{"bootstrap": {"cluster_manager": {"upstream_bind_config": {"freebind": true}}}}]}`,
	}, Options{}, "c")
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := s.Cluster("c"); c.Demands != "" {
		t.Errorf("got %q, though the cluster has an empty config of its own", c.Demands)
	}
	if _, err := read(t, fakeAdmin{"config_dump": "status 403"}, Options{}, "c"); err == nil {
		t.Error("no error, though nobody knows what the process asks of connections")
	}
}

func TestTimeoutsAndCircuitBreakersAreThoseOfTheDefaultPriority(t *testing.T) {
	for fields, want := range map[string]string{
		`"type": "EDS"`:                                      "5s {1024 4294967295 1024}",
		`"connect_timeout": "0.250s"`:                        "250ms {1024 4294967295 1024}",
		`"connect_timeout": "9000s", "circuit_breakers": {}`: "2h30m0s {1024 4294967295 1024}",
		`"circuit_breakers": {"thresholds": [{"priority": "HIGH", "max_connections": 1}, {"max_connections": 0, "max_pending_requests": 7, "max_requests": 1}]}`: "5s {0 4294967295 7}",
		`"circuit_breakers": {"per_host_thresholds": [{"max_connections": 3}]}`:                                                                                  "5s {1024 3 1024}",
	} {
		s, err := read(t, fakeAdmin{"static_clusters": `{"configs": [{"cluster": {"name": "c", ` + fields + `}}]}`}, Options{}, "c")
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := s.Cluster("c"); fmt.Sprint(c.ConnectTimeout, " ", c.Breakers) != want {
			t.Errorf("%s: got %v %v, want %s", fields, c.ConnectTimeout, c.Breakers, want)
		}
	}
	s, err := read(t, fakeAdmin{
		"static_clusters": `{"configs": [{"cluster": {"name": "c"}}]}`,
		"runtime": `{"entries": {"circuit_breakers.c.default.max_connections": {"final_value": "5"}, "circuit_breakers.c.high.max_connections": {"final_value": "6"},
			"circuit_breakers.c.default.max_pending_requests": {"final_value": "x"}}}`,
	}, Options{}, "c")
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := s.Cluster("c"); c.Breakers != (Breakers{5, unlimited, 1024}) {
		t.Errorf("got %v of the runtime", c.Breakers)
	}
}

func TestBrokerMetadataOfOtherTypesIsNothing(t *testing.T) {
	for _, test := range []struct {
		fields map[string]any
		want   Broker
	}{
		{nil, Broker{}},
		{map[string]any{"broker_name": 1.0, "cluster_name": true, "broker_id": "4", "perm": nil, "read_queue_num": []any{}}, Broker{}},
		{map[string]any{"broker_id": 1.9, "perm": -1.9, "read_queue_num": 1e300, "write_queue_num": -1e300}, Broker{ID: 1, Perm: -1, ReadQueueNum: 1<<31 - 1, WriteQueueNum: -1 << 31}},
	} {
		if got := newBroker(test.fields); got != test.want {
			t.Errorf("%v: got %+v", test.fields, got)
		}
	}
}

func TestHealthIsTheWorstThatAnyFlagSays(t *testing.T) {
	for _, test := range []struct {
		status healthStatus
		want   Health
	}{
		{healthStatus{}, Healthy},
		{healthStatus{EDSHealthStatus: "HEALTHY"}, Healthy},
		{healthStatus{EDSHealthStatus: "UNHEALTHY"}, Unhealthy},
		{healthStatus{EDSHealthStatus: "DRAINING"}, Draining},
		{healthStatus{EDSHealthStatus: "DEGRADED"}, Degraded},
		{healthStatus{EDSHealthStatus: "DRAINING", FailedActiveHealthCheck: true}, Unhealthy},
		{healthStatus{EDSHealthStatus: "HEALTHY", FailedOutlierCheck: true}, Unhealthy},
		{healthStatus{EDSHealthStatus: "HEALTHY", FailedActiveDegradedCheck: true}, Degraded},
		{healthStatus{FailedDegradedOutlierDetection: true}, Degraded},
		{healthStatus{EDSHealthStatus: "UNHEALTHY", FailedActiveDegradedCheck: true}, Unhealthy},
	} {
		if got := test.status.health(); got != test.want {
			t.Errorf("%+v: got %v, want %v", test.status, got, test.want)
		}
	}
}

func TestAnAddressThatIsThereTwiceKeepsTheHealthOfTheDump(t *testing.T) {
	const host = `{"address": {"socket_address": {"address": "10.0.0.1", "port_value": 1}}`
	s, err := read(t, fakeAdmin{
		"static_clusters": `{"configs": [{"cluster": {"name": "c"}}]}`,
		"static_endpoint_configs": `{"configs": [{"endpoint_config": {"cluster_name": "c", "endpoints": [{"lb_endpoints": [
			{"endpoint": ` + host + `}, "health_status": "HEALTHY"}, {"endpoint": ` + host + `}, "health_status": "UNHEALTHY"}]}]}}]}`,
		"clusters": `{"cluster_statuses": [{"name": "c", "host_statuses": [` + host + `, "health_status": {}}, ` + host + `, "health_status": {"failed_outlier_check": true}}]}]}`,
	}, Options{}, "c")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := s.Cluster("c")
	if got := fmt.Sprint(c.Endpoints[0].Health, c.Endpoints[1].Health); got != "healthy unhealthy" {
		t.Errorf("got %s", got)
	}
}

func TestMaintenanceIsAWholePercentage(t *testing.T) {
	s, err := read(t, fakeAdmin{
		"static_clusters": `{"configs": [{"cluster": {"name": "a"}}, {"cluster": {"name": "b"}}, {"cluster": {"name": "c"}}, {"cluster": {"name": "d"}}]}`,
		"runtime": `{"entries": {"upstream.maintenance_mode.a": {"final_value": "1000", "layer_values": ["", "1000"]}, "upstream.maintenance_mode.b": {"final_value": "half"},
			"upstream.maintenance_mode.c": {"final_value": "-1"}, "x.upstream.maintenance_mode.d": {"final_value": "1"}}}`,
	}, Options{}, "a", "b", "c", "d")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{"a": 100, "b": 0, "c": 0, "d": 0} {
		if c, _ := s.Cluster(name); c.MaintenancePercent != want {
			t.Errorf("%s: got %d", name, c.MaintenancePercent)
		}
	}
}

func TestBadAnswersAreErrorsThatSayWhatCame(t *testing.T) {
	for _, test := range []struct{ name, resource, answer, want string }{
		{"no JSON", "static_endpoint_configs", "Failed to convert protobuf message", "/config_dump?include_eds&resource=static_endpoint_configs: invalid character 'F' looking for beginning of value, in \"Failed to convert protobuf message\""},
		{"another form", "clusters", `{"cluster_statuses": 1}`, "/clusters?format=json: json: cannot unmarshal number into Go struct field clusterStatuses.cluster_statuses of type []struct"},
		{"a list", "static_clusters", `[]`, "/config_dump?resource=static_clusters: json: cannot unmarshal array"},
		{"cut off", "dynamic_active_clusters", `{"configs": [`, "unexpected end of JSON input"},
		{"nothing", "dynamic_endpoint_configs", ``, "unexpected end of JSON input"},
		{"a negative weight", "dynamic_endpoint_configs", `{"configs": [{"endpoint_config": {"endpoints": [{"lb_endpoints": [{"load_balancing_weight": -1}]}]}}]}`, "cannot unmarshal number -1"},
		{"a port too large", "clusters", `{"cluster_statuses": [{"host_statuses": [{"address": {"socket_address": {"port_value": 65536}}}]}]}`, "cannot unmarshal number 65536"},
		{"a number too large", "dynamic_endpoint_configs", `{"configs": [{"endpoint_config": {"endpoints": [{"lb_endpoints": [{"metadata": {"filter_metadata": {"envoy.lb": {"x": 1e999}}}}]}]}}]}`, "cannot unmarshal number 1e999"},
		{"too deep", "runtime", strings.Repeat("[", 20000), "exceeded max depth"},
		{"too long", "runtime", `{"x": "` + strings.Repeat("x", 1<<20) + `"}`, "/runtime: more than 1048576 bytes"},
		{"a status", "clusters", "status 503 busy", `503 Service Unavailable: "status 503 busy"`},
	} {
		_, err := read(t, fakeAdmin{test.resource: test.answer}, Options{MaxBytes: 1 << 20}, "c")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want …%s…", test.name, err, test.want)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: the error has %d bytes", test.name, len(err.Error()))
		}
	}
}

func TestManyValuesAreRefusedWithoutBeingMade(t *testing.T) {
	body := []byte(`{"configs":[` + strings.Repeat("{},", maxValues) + `{}]}`)
	var dump endpointDump
	if err := decode(body, &dump); err == nil || err.Error() != "more than 1048576 values" || dump.Configs != nil {
		t.Errorf("got %v and %d configs", err, len(dump.Configs))
	}
}

func TestWithoutRuntimeNothingIsInMaintenance(t *testing.T) {
	for _, status := range []string{"status 403", "status 404"} {
		s, err := read(t, fakeAdmin{"runtime": status, "static_clusters": `{"configs": [{"cluster": {"name": "c"}}]}`}, Options{}, "c")
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := s.Cluster("c"); !ok || c.MaintenancePercent != 0 || len(c.Endpoints) != 0 {
			t.Errorf("got %+v", c)
		}
	}
}

func TestRedirectionsAreNotFollowed(t *testing.T) {
	_, err := read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}), Options{}, "c")
	if err == nil || !strings.Contains(err.Error(), "302 Found") {
		t.Errorf("got %v", err)
	}
}

// TestNothingIsReadBeforeEnvoyHasStarted has an Envoy that starts, that is being drained, and one whose admin.allow_paths
// hides its state.
func TestNothingIsReadBeforeEnvoyHasStarted(t *testing.T) {
	for _, states := range [][]string{{"PRE_INITIALIZING\n", "INITIALIZING\n", "LIVE\n"}, {"DRAINING\n"}, {"Forbidden"}} {
		var paths []string
		_, err := read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			paths = append(paths, r.URL.Path)
			if r.URL.Path != "/ready" {
				fmt.Fprint(w, "{}")
				return
			}
			state := states[min(len(paths), len(states))-1]
			if state != "LIVE\n" {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			fmt.Fprint(w, state)
		}), Options{}, "c")
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Index(paths, "/config_dump"); got != len(states) {
			t.Errorf("%q: asked for %v", states, paths)
		}
	}
}

// TestAnEnvoyThatReadsALargeConfigIsWaitedFor has Envoy answer nothing for longer than the timeout before it has started.
func TestAnEnvoyThatReadsALargeConfigIsWaitedFor(t *testing.T) {
	var asked atomic.Int32
	_, err := read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 2 {
			<-r.Context().Done()
			return
		}
		fmt.Fprint(w, "{}")
	}), Options{Timeout: 200 * time.Millisecond}, "c")
	if err != nil || asked.Load() < 3 {
		t.Errorf("got %v after %d requests", err, asked.Load())
	}
}

func TestASilentAdminEndsWithTheTimeout(t *testing.T) {
	begin := time.Now()
	_, err := read(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), Options{Timeout: 50 * time.Millisecond}, "c")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
		t.Errorf("got %v after %v", err, time.Since(begin))
	}
}

func TestNobodyAtTheAddressIsAnError(t *testing.T) {
	for _, address := range []string{filepath.Join(t.TempDir(), "none"), "127.0.0.1:1", "no port"} {
		c := NewClient(Options{Address: address})
		if _, err := c.Read(context.Background(), nil); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("%s: got %v", address, err)
		}
	}
	if c := NewClient(Options{Address: "a:1"}); c.options != (Options{"a:1", DefaultTimeout, DefaultMaxBytes}) {
		t.Errorf("got %+v", c.options)
	}
}

// FuzzAnswers has any JSON make a snapshot, or be refused, without a panic; and of its clusters an endpoint can
// be asked for.
func FuzzAnswers(f *testing.F) {
	f.Add(`{"configs":[{"cluster":{"name":"c","lb_subset_config":{"fallback_policy":"DEFAULT_SUBSET","default_subset":{"k":"v"},
		"subset_selectors":[{"keys":["k"],"fallback_policy":"KEYS_SUBSET","fallback_keys_subset":["k"]},{"keys":["k","l"]}]}}}]}`,
		`{"configs":[{"endpoint_config":{"cluster_name":"c","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"::1","port_value":1}}},
		"health_status":"DEGRADED","metadata":{"filter_metadata":{"envoy.lb":{"k":["v"],"l":{"m":null}}}},"load_balancing_weight":3}]}]}}]}`,
		`{"cluster_statuses":[{"name":"c","host_statuses":[{"address":{"pipe":{"path":"/p"}},"health_status":{"failed_outlier_check":true}}]}]}`,
		`{"entries":{"upstream.maintenance_mode.c":{"final_value":"7"}}}`, "k", `"v"`)
	f.Add(`{"configs":[{"cluster":{"name":"c","eds_cluster_config":{"service_name":"s"},"load_balancing_policy":{"policies":[{"typed_extension_config":{"typed_config":{
		"@type":"type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset","list_as_any":true,"panic_mode_any":true,"allow_redundant_keys":true,
		"subset_selectors":[{"keys":["k"]}]}}}]}}}]}`,
		`{"configs":[{"endpoint_config":{"cluster_name":"s"}},{"endpoint_config":{"cluster_name":"s"}}]}`, `{}`, `{}`, "k", "1")
	storm.Fuzz(f, func(t *testing.T, clusters, endpoints, statuses, runtime, key, value string) {
		var a answers
		for _, each := range []struct {
			text string
			into any
		}{{clusters, &a.static.clusters}, {endpoints, &a.static.endpoints}, {statuses, &a.statuses}, {runtime, &a.runtime}} {
			if decode([]byte(each.text), each.into) != nil {
				return
			}
		}
		s, err := a.snapshot([]string{"c"})
		if err != nil {
			return
		}
		c, ok := s.Cluster("c")
		if !ok {
			return
		}
		for _, asked := range []lbmetadata.Criteria{nil, criteria(key, value)} {
			hosts := c.Hosts(asked)
			e, ok := c.Pick(asked, uint64(len(clusters)))
			if ok != (len(hosts) > 0) || ok && !slices.Contains(hosts, e) {
				t.Fatalf("picked %v of %v", e, hosts)
			}
		}
	})
}
