// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	xds "github.com/cncf/xds/go/xds/type/v3"
	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

const (
	plainJSON = `{"stat_prefix":"demo","develop_mode":true}`
	fullJSON  = `{"rocketmq_proxy":{"stat_prefix":"demo"},
		"clusters":[{"name":"c","name_servers":["ns.example:9876","[::1]:9876"],"refresh_interval":"5s"}],
		"addressing":{"per_broker":{"brokers":[{"broker_name":"broker-a","listener_port":20911,"advertised_address":"mq.example:20911"}]},"uncovered":"PASS"},
		"limits":{"max_pending_requests":10},"timeouts":{"connect":"1s"}}`
)

func pack(t *testing.T, m proto.Message) *anypb.Any {
	t.Helper()
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func serialize(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func structOf(t *testing.T, text string) *structpb.Struct {
	t.Helper()
	s := &structpb.Struct{}
	if err := protojson.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryFormOfAConfigIsRead(t *testing.T) {
	const url = "type.googleapis.com/"
	for name, in := range map[string]*anypb.Any{
		"RocketmqProxy":                  pack(t, &rocketmqproxy.RocketmqProxy{StatPrefix: "demo"}),
		"TypedStruct of RocketmqProxy":   pack(t, &xds.TypedStruct{TypeUrl: url + rocketmqProxyType, Value: structOf(t, plainJSON)}),
		"TypedStruct of FilterConfig":    pack(t, &xds.TypedStruct{TypeUrl: url + filterConfigType, Value: structOf(t, fullJSON)}),
		"Struct of FilterConfig":         pack(t, structOf(t, fullJSON)),
		"StringValue with FilterConfig":  pack(t, wrapperspb.String(fullJSON)),
		"StringValue with RocketmqProxy": pack(t, wrapperspb.String(plainJSON)),
		"BytesValue with camelCase":      pack(t, wrapperspb.Bytes([]byte(`{"rocketmqProxy":{"statPrefix":"demo"}}`))),
		"BytesValue with a TypedStruct":  pack(t, wrapperspb.Bytes(serialize(t, &xds.TypedStruct{TypeUrl: url + filterConfigType, Value: structOf(t, fullJSON)}))),
		"FilterConfig":                   pack(t, &FilterConfig{RocketmqProxy: &rocketmqproxy.RocketmqProxy{StatPrefix: "demo"}}),
	} {
		t.Run(name, func(t *testing.T) {
			config, err := Parse(in)
			if err != nil {
				t.Fatal(err)
			}
			if got := config.GetRocketmqProxy().GetStatPrefix(); got != "demo" {
				t.Errorf("stat_prefix is %q", got)
			}
		})
	}
}

func TestTheBytesThatADynamicModuleGetsAreRead(t *testing.T) {
	typed := &xds.TypedStruct{TypeUrl: "type.googleapis.com/" + filterConfigType, Value: structOf(t, fullJSON)}
	for name, bytes := range map[string][]byte{"JSON": []byte(" " + fullJSON), "a TypedStruct": serialize(t, typed)} {
		if config, err := ReadBytes(bytes); err != nil || config.StatPrefix != "demo" {
			t.Errorf("%s: got %+v, %v", name, config, err)
		}
	}
	if config, err := ReadBytes(nil); config != nil || err == nil || err.Error() != "the config is missing" {
		t.Errorf("got %+v, %v", config, err)
	}
}

func TestWhatIsNoConfigIsRefused(t *testing.T) {
	for name, in := range map[string]*anypb.Any{
		"nothing":                   nil,
		"an unknown type":           {TypeUrl: "type.googleapis.com/nobody.knows.This"},
		"another known type":        pack(t, &structpb.Value{}),
		"broken bytes":              {TypeUrl: "type.googleapis.com/" + filterConfigType, Value: []byte{0xff}},
		"TypedStruct of a stranger": pack(t, &xds.TypedStruct{TypeUrl: "type.googleapis.com/x.Y", Value: structOf(t, plainJSON)}),
		"text that is no JSON":      pack(t, wrapperspb.String("stat_prefix: demo")),
		"a field nobody knows":      pack(t, wrapperspb.String(`{"rocketmq_proxy":{"stat_prefix":"demo"},"adressing":{}}`)),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(in); err == nil || !strings.Contains(err.Error(), "the config") && name != "a field nobody knows" {
				t.Errorf("got error %v, want one that names the config", err)
			}
		})
	}
}

func resolveText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	m, err := Parse(pack(t, wrapperspb.String(text)))
	if err != nil {
		t.Fatal(err)
	}
	return Resolve(m)
}

func TestDefaultsAreFilledIn(t *testing.T) {
	got, err := resolveText(t, `{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],"addressing":{"unified":{}}}`)
	if err != nil {
		t.Fatal(err)
	}
	if got.Addressing.Mode != UnifiedMode || got.Addressing.PassUncovered || got.Clusters[0].RefreshInterval != 30*time.Second {
		t.Errorf("got %+v", got)
	}
	wantLimits := LimitsConfig{
		MaxFrameBytes: 16 << 20, MaxHeaderBytes: 256 << 10, MaxFields: 1024, MaxConnections: 131072, MaxPendingRequests: 8192,
		MaxTotalPendingRequests: 262144, MaxBufferedBytes: 16 << 20, MaxSessionBytes: 96 << 20, MaxTotalBytes: 1 << 30, MaxSourcePercent: 50, MaxUpstreamConnections: 256,
		MaxServerRequests: 1024, MaxHeartbeatEntries: 16384, MaxBrokers: 16384, MaxTopics: 131072, MaxLogLinesPerMinute: 60,
	}
	if got.Limits != wantLimits {
		t.Errorf("limits are %+v, want %+v", got.Limits, wantLimits)
	}
	wantTimeouts := TimeoutsConfig{
		Connect: 2500 * time.Millisecond, Request: 15 * time.Second, Directory: 2 * time.Second,
		Handshake: 2 * time.Minute, Frame: time.Minute, UpstreamStall: 5 * time.Minute, Idle: 5 * time.Minute,
		Send: 2900 * time.Millisecond, Short: 2500 * time.Millisecond,
	}
	if got.Timeouts != wantTimeouts {
		t.Errorf("timeouts are %+v, want %+v", got.Timeouts, wantTimeouts)
	}
}

func TestFieldsOfUnifiedAddressingArrive(t *testing.T) {
	const config = `{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],"addressing":{"unified":UNIFIED}}`
	for unified, want := range map[string]AddressingConfig{
		`{}`:                                  {Mode: UnifiedMode},
		`{"allow_cluster_wide_changes":true}`: {Mode: UnifiedMode, ClusterWideChanges: true},
		`{"advertised_address":"mq:1"}`:       {Mode: UnifiedMode, AdvertisedAddress: "mq:1"},
	} {
		got, err := resolveText(t, strings.Replace(config, "UNIFIED", unified, 1))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Addressing, want) {
			t.Errorf("%s: addressing is %+v, want %+v", unified, got.Addressing, want)
		}
	}
}

func TestEveryFieldArrives(t *testing.T) {
	got, err := resolveText(t, fullJSON)
	if err != nil {
		t.Fatal(err)
	}
	want := BrokerListenerConfig{BrokerName: "broker-a", ListenerPort: 20911, AdvertisedAddress: "mq.example:20911"}
	if got.Addressing.Mode != PerBrokerMode || !got.Addressing.PassUncovered || got.Addressing.Brokers[0] != want {
		t.Errorf("addressing is %+v", got.Addressing)
	}
	if got.Clusters[0].Name != "c" || len(got.Clusters[0].NameServers) != 2 || got.Clusters[0].RefreshInterval != 5*time.Second {
		t.Errorf("cluster is %+v", got.Clusters[0])
	}
	if got.Limits.MaxPendingRequests != 10 || got.Timeouts.Connect != time.Second {
		t.Errorf("limits are %+v, timeouts %+v", got.Limits, got.Timeouts)
	}
}

func TestEveryBadFieldIsNamed(t *testing.T) {
	_, err := resolveText(t, `{
		"rocketmq_proxy":{"stat_prefix":"","develop_mode":true,"transient_object_life_span":"1s","route_config":{"routes":[{"match":{"topic":{"exact":"t"}},"route":{"cluster":""}}]}},
		"envoy_admin":{},
		"clusters":[{"name":"","name_servers":["ns","ns:0","a:1","a:1","0.0.0.0:1","x'{}:1"],"refresh_interval":"0.5s"},{"name":"d"}],
		"addressing":{"per_broker":{"brokers":[
			{"broker_name":"","listener_port":70000,"advertised_address":"nowhere"},
			{"broker_name":"broker-a","listener_port":1,"advertised_address":"h:1"},
			{"broker_name":"broker-a","listener_port":1,"advertised_address":"h:1","broker_id":"0"}]}},
		"limits":{"max_frame_bytes":7,"max_header_bytes":20,"max_pending_requests":0,"max_buffered_bytes":1,"max_upstream_connections":5000},
		"timeouts":{"connect":"0s","request":"3600s","directory":"61s"}}`)
	if err == nil {
		t.Fatal("accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		"rocketmq_proxy.stat_prefix is invalid: value length must be at least 1 runes",
		"rocketmq_proxy.route_config.routes[0].route.cluster is empty",
		"clusters has 2 entries; want 1 unless addressing is unified: a connection of another mode leads to one place",
		"clusters[0].name is empty",
		`clusters[0].name_servers[0] is "ns"; want host:port`,
		`clusters[0].name_servers[1] is "ns:0"; want host:port`,
		`clusters[0].name_servers[3] repeats "a:1"`,
		`clusters[0].name_servers[4] is "0.0.0.0:1"; want host:port`,
		`clusters[0].name_servers[5] is "x'{}:1"; want host:port`,
		"rocketmq_proxy.develop_mode is true; with clusters, `addressing` says what clients are told",
		"rocketmq_proxy.transient_object_life_span is set; with clusters there are no ack directives",
		"envoy_admin is set; with clusters nothing is read there",
		"clusters[0].refresh_interval is 500ms; want 1s to 1h0m0s",
		"clusters[1].name_servers is empty; want host:port of at least one name server",
		"addressing.per_broker.brokers[0].broker_name is empty",
		"addressing.per_broker.brokers[0].listener_port is 70000; want 1 to 65535",
		`addressing.per_broker.brokers[0].advertised_address is "nowhere"; want host:port`,
		`addressing.per_broker.brokers[2] repeats broker "broker-a" with id 0 of addressing.per_broker.brokers[1]`,
		"addressing.per_broker.brokers[2].listener_port is 1, which addressing.per_broker.brokers[1] has already",
		`addressing.per_broker.brokers[2].advertised_address is "h:1", which addressing.per_broker.brokers[1] has already`,
		"limits.max_frame_bytes is 7; want 29 to 1073741824",
		"limits.max_header_bytes is 20; want 21 to 16777215",
		"limits.max_pending_requests is 0; want 1 to 1048576",
		"limits.max_buffered_bytes is 1; want 65536 to 268435456",
		"limits.max_upstream_connections is 5000; want 1 to 4096",
		"timeouts.connect is 0s; want 10ms to 1m0s",
		"timeouts.request is 1h0m0s; want 10ms to 10m0s",
		"timeouts.directory is 1m1s; want 10ms to 10s",
	} {
		found := false
		for _, line := range lines {
			found = found || line == want
		}
		if !found {
			t.Errorf("no line %q", want)
		}
	}
	if len(lines) != 28 {
		t.Errorf("%d lines, want 28:\n%s", len(lines), err)
	}
}

func TestEveryTypoAndWrongTypeIsNamedWithItsPath(t *testing.T) {
	_, err := Parse(pack(t, wrapperspb.String(`{
		"rocketmq_proxy":{"stat_prefx":"x","stat_prefix":5},
		"clusters":[{"name":"c","name_server":["a:1"]},{"name_servers":"a:1"}],
		"addressing":{"per_broker":{"brokers":[{"broker_id":-1,"listener_port":"x","broker_name":null}]},"uncovered":"LEAK"},
		"limits":{"max_frame_bytes":1.5},
		"timeouts":{"connect":5},
		"policy":{"read_only_admin":"yes"},
		"polcy":{}}`)))
	if err == nil {
		t.Fatal("accepted")
	}
	got := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		"rocketmq_proxy.stat_prefx is not a field; want stat_prefix, route_config, transient_object_life_span, develop_mode",
		"rocketmq_proxy.stat_prefix is 5; want a string",
		"clusters[0].name_server is not a field; want name, name_servers, refresh_interval, credentials, broker_networks",
		`clusters[1].name_servers is "a:1"; want a list`,
		"addressing.per_broker.brokers[0].broker_id is -1; want a whole number from 0 on",
		`addressing.per_broker.brokers[0].listener_port is "x"; want a whole number from 0 on`,
		`addressing.uncovered is "LEAK"; want one of DROP, PASS`,
		"limits.max_frame_bytes is 1.5; want a whole number from 0 on",
		`timeouts.connect is 5; want a duration in seconds, as "2.5s"`,
		`policy.read_only_admin is "yes"; want true or false`,
		"polcy is not a field; want rocketmq_proxy, clusters, addressing, limits, timeouts, policy, egress, envoy_admin, request_log, breakdown",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no line %q", want)
		}
	}
	if len(got) != 11 {
		t.Errorf("%d lines, want 11:\n%s", len(got), err)
	}
	_, err = Resolve(&FilterConfig{})
	if err == nil || !strings.Contains(err.Error(), "rocketmq_proxy.stat_prefix is missing") {
		t.Errorf("got %v", err)
	}
}

func TestTemplatesCredentialsAndPolicyArriveAndAreChecked(t *testing.T) {
	text := func(addressing, more string) string {
		return `{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:1"],"credentials":{"access_key":"a","secret_key":"s"}}],"addressing":` + addressing + more + `}`
	}
	got, err := resolveText(t, text(`{"per_broker":{"brokers":[{"broker_name":"a","listener_port":5,"advertised_address":"h:5","vip_channel_port":3}],"template":{"advertised_host":"{broker}.example","advertised_base_port":20000,"listener_base_port":30000,"numbers":10,"ids_per_broker":2}}}`, `,"policy":{"read_only_admin":true}`))
	if err != nil {
		t.Fatal(err)
	}
	want := BrokerTemplateConfig{AdvertisedHost: "{broker}.example", AdvertisedBasePort: 20000, ListenerBasePort: 30000, Numbers: 10, IDsPerBroker: 2}
	if *got.Addressing.Template != want || got.Addressing.Brokers[0].VIPChannelPort != 3 || !got.Policy.ReadOnlyAdmin || got.Clusters[0].Credentials.AccessKey != "a" {
		t.Errorf("got %+v", got)
	}
	if got, err := resolveText(t, text(`{"transparent":{}}`, "")); err != nil || got.Addressing.Mode != TransparentMode {
		t.Errorf("got %+v, %v", got, err)
	}
	for addressing, want := range map[string]string{
		`{"per_broker":{"template":{"advertised_host":"h:1","advertised_base_port":1,"listener_base_port":1,"numbers":1}}}`:                                          "template.advertised_host",
		`{"per_broker":{"template":{"advertised_host":"h","advertised_base_port":1,"listener_base_port":65530,"numbers":10}}}`:                                       "template.listener_base_port is 65530; with 10 ports the last is 65539, want at most 65535",
		`{"per_broker":{"template":{"advertised_host":"h","advertised_base_port":0,"listener_base_port":1,"numbers":0}}}`:                                            "template.numbers is 0; want 1 to 65535",
		`{"per_broker":{"template":{"advertised_host":"{brokr}","advertised_base_port":1,"listener_base_port":1,"numbers":4294967295,"ids_per_broker":4294967295}}}`: "template.advertised_host has {brokr}",
		`{"per_broker":{"brokers":[{"broker_name":"a","listener_port":5,"advertised_address":"h:5","vip_channel_port":5}]}}`:                                         "brokers[0].vip_channel_port is 5",
	} {
		if _, err := resolveText(t, text(addressing, "")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", addressing, err, want)
		}
	}
}

func TestAConfigWithoutOurOptionsIsThatOfEnvoysFilter(t *testing.T) {
	got, err := resolveText(t, `{"stat_prefix":"s"}`)
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Compatible; c == nil || c.LifeSpan != 30*time.Second || c.DevelopMode || c.AdminAddress != "127.0.0.1:9901" || c.RefreshInterval != 5*time.Second || c.Routes.Len() != 0 || len(got.Clusters) != 0 {
		t.Errorf("got %+v", got)
	}
	got, err = resolveText(t, `{"rocketmq_proxy":{"stat_prefix":"s","develop_mode":true,"transient_object_life_span":"0s","route_config":{"routes":[{"match":{"topic":{"exact":"t"},"headers":[{"name":"code","exact_match":"310"}]},"route":{"cluster":"x"}}]}},"envoy_admin":{"address":"/run/envoy","refresh_interval":"2s"}}`)
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Compatible; c.LifeSpan != 0 || !c.DevelopMode || c.AdminAddress != "/run/envoy" || c.RefreshInterval != 2*time.Second || c.Routes.Len() != 1 {
		t.Errorf("got %+v", c)
	}
	for text, want := range map[string]time.Duration{"100000s": 100000 * time.Second, "315576000000s": math.MaxInt64} { // the most that a Duration can be
		if got, err = resolveText(t, `{"stat_prefix":"s","transient_object_life_span":"`+text+`"}`); err != nil || got.Compatible.LifeSpan != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	_, err = resolveText(t, `{"rocketmq_proxy":{"stat_prefix":"s","transient_object_life_span":"-1s","route_config":{"routes":[{"match":{"topic":{"safe_regex":{"regex":"("}}},"route":{"cluster":""}}]}},"envoy_admin":{"address":"nowhere","refresh_interval":"0.001s"}}`)
	for _, want := range []string{
		"rocketmq_proxy.transient_object_life_span is -1s; want 0s to 2562047h47m16.854775807s",
		"rocketmq_proxy.route_config.routes[0].match.topic.safe_regex.regex is \"(\"",
		"rocketmq_proxy.route_config.routes[0].route.cluster is empty",
		`envoy_admin.address is "nowhere"; want host:port`,
		"envoy_admin.refresh_interval is 1ms; want 1s to 1h0m0s",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

func TestTopicsAreInTheClusterThatTheirRouteNames(t *testing.T) {
	const clusters = `"clusters":[{"name":"c","name_servers":["a:1"]},{"name":"d","name_servers":["b:1"]}]`
	text := func(routes, addressing string) string {
		return `{"rocketmq_proxy":{"stat_prefix":"s","route_config":{"routes":[` + routes + `]}},` + clusters + `,"addressing":{` + addressing + `}}`
	}
	got, err := resolveText(t, text(`{"match":{"topic":{"prefix":"orders-"}},"route":{"cluster":"d"}},{"match":{"topic":{"exact":"x"}},"route":{"cluster":"c"}}`, `"unified":{}`))
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]int{"orders-1": 1, "x": 0, "unrouted": 0} {
		if place := got.ClusterOf(topic); place != want {
			t.Errorf("%s is in cluster %d, want %d", topic, place, want)
		}
	}
	_, err = resolveText(t, text(`{"match":{"topic":{"exact":"x"},"headers":[{"name":"code","exact_match":"310"}]},"route":{"cluster":"e","metadata_match":{}}}`, `"transparent":{}`))
	for _, want := range []string{
		"clusters has 2 entries; want 1 unless addressing is unified",
		"rocketmq_proxy.route_config.routes[0].route.cluster is \"e\"; want the name of one of `clusters`",
		"rocketmq_proxy.route_config.routes[0].match.headers is set",
		"rocketmq_proxy.route_config.routes[0].route.metadata_match is set",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(plainJSON)
	f.Add(fullJSON)
	storm.Fuzz(f, func(t *testing.T, text string) {
		if config, err := Read(pack(t, wrapperspb.Bytes([]byte(text)))); err == nil && (config.StatPrefix == "" || (config.Compatible == nil) != (len(config.Clusters) > 0) || config.Addressing.Mode == 0) {
			t.Errorf("accepted %q as %+v", text, config)
		}
	})
}

func TestCredentialsAreInAFileOrInTheConfig(t *testing.T) {
	const config = `{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:9876"],"credentials":CREDENTIALS}],"addressing":{"unified":{}}}`
	for credentials, want := range map[string]string{
		`{"file":"/etc/rocketmq/account.yaml"}`:                    "",
		`{"access_key":"a","secret_key":"b","security_token":"c"}`: "",
		`{}`:                                    "clusters[0].credentials.access_key is empty, and there is no file\nclusters[0].credentials.secret_key is empty, and there is no file",
		`{"file":"/f","secret_key":"hushhush"}`: "clusters[0].credentials.file is set beside keys; want either",
		`{"file":"account.yaml"}`:               `clusters[0].credentials.file is "account.yaml"; want a path that begins with /`,
		`{"access_key":"hushhush"}`:             "clusters[0].credentials.secret_key is empty, and there is no file",
		`{"access_key":["hushhush"],"secret_key":4711,"security_token":{"hushhush":1}}`: "clusters[0].credentials.access_key is something else; want a string\nclusters[0].credentials.secret_key is something else; want a string\nclusters[0].credentials.security_token is something else; want a string",
		`"hushhush"`:   "clusters[0].credentials is something else; want an object",
		`["hushhush"]`: "clusters[0].credentials is something else; want an object",
	} {
		m, err := Parse(pack(t, wrapperspb.String(strings.Replace(config, "CREDENTIALS", credentials, 1))))
		if err == nil {
			_, err = Resolve(m)
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want || strings.Contains(got, "hush") || strings.Contains(got, "4711") {
			t.Errorf("%s: got %q, want %q", credentials, got, want)
		}
	}
}

func TestAllIsSaidAtOnce(t *testing.T) {
	_, err := Read(pack(t, wrapperspb.String(`{
		"rocketmq_proxy": {"stat_prefix": "", "nonsense": 1},
		"clusters": [{"name": "c", "name_servers": ["nowhere", 7], "credentials": "x"}, 5],
		"addressing": {"unified": {"advertised_address": "nope"}, "uncovered": "MAYBE"},
		"limits": {"max_frame_bytes": 1, "max_fields": "many", "max_upstream_connections": 0.5},
		"timeouts": {"idle": "99h", "request": "0s"},
		"policy": {"rate_limits": [{"name": "r", "key": "TOPICS"}]}
	}`)))
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, e := range all {
		got = append(got, e.Path)
	}
	slices.Sort(got)
	want := []string{
		"addressing.uncovered", "addressing.unified.advertised_address", "clusters[0].credentials", "clusters[0].name_servers[0]", "clusters[0].name_servers[1]",
		"clusters[1]", "limits.max_fields", "limits.max_frame_bytes", "limits.max_upstream_connections", "policy.rate_limits[0].key",
		"rocketmq_proxy.nonsense", "rocketmq_proxy.stat_prefix", "timeouts.idle", "timeouts.request",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q\n%v", got, want, err)
	}
}

func TestWhatCannotBeReadIsNotSaidToBeMissing(t *testing.T) {
	for text, want := range map[string]string{
		`{"rocketmq_proxy": {"stat_prefix": 5}, "clusters": 7, "addressing": 8}`: "addressing clusters rocketmq_proxy.stat_prefix",
		`{"stat_prefix": 5}`: "stat_prefix",
		`{"rocketmq_proxy": {"stat_prefix": "s"}, "clusters": [{"name": "c", "name_servers": "h:1"}], "addressing": {"unified": {}, "transparent": {}}}`: "addressing clusters[0].name_servers",
		`[]`: "the config",
	} {
		_, err := Read(pack(t, wrapperspb.String(text)))
		var all Errors
		errors.As(err, &all)
		var got []string
		for _, e := range all {
			got = append(got, e.Path)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q\n%v", text, got, want, err)
		}
	}
}
