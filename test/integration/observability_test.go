// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/envoy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/stub"
)

// observedListener is a listener with the filter: name, port, stat_prefix, the name server, and the other options.
const observedListener = `
  - name: %s
    address: {socket_address: {address: 127.0.0.1, port_value: %s}}
    filter_chains:
    - filters:
      - name: rocketmq_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.dynamic_modules.v3.DynamicModuleNetworkFilter
          dynamic_module_config: {name: rocketmq_proxy_host, do_not_close: true, metrics_namespace: rocketmq}
          filter_name: rocketmq_proxy
          terminal_filter: true
          filter_config:
            "@type": type.googleapis.com/xds.type.v3.TypedStruct
            type_url: type.googleapis.com/rocketmq_proxy.v1.FilterConfig
            value:
              rocketmq_proxy: {stat_prefix: %s}
              clusters: [{name: DefaultCluster, name_servers: ["%s"], refresh_interval: 1s}]
              %s
`

// observed is an Envoy before a stub of a broker and name server, and a Prometheus that scrapes it each second. Of its
// listeners demo has nothing wrong, edge has no rule for the stub's broker, and limited allows a client one upstream
// connection, which the name server takes.
type observed struct {
	*testing.T
	demo, edge, limited string // listeners
	prometheus          string
	opaque              int32

	stopStub func()
	envoy    *envoy.Envoy
}

// TestObservability has a real Prometheus run the dashboard's queries and the alerts on a running Envoy.
func TestObservability(t *testing.T) {
	if err := repo.Fetch(t.Context(), "", "envoy", "prometheus"); err != nil {
		t.Fatal(err)
	}
	t.Run("promtool is content with the rules and their tests", promtool)
	o := observe(t)
	o.awaitData(append(dashboardQueries(t), fmt.Sprintf(`envoy_rocketmq_build_info{rocketmq_prefix="demo", rocketmq_version=%q} == 1`, pluginVersion(t))))
	if firing := o.firing(); len(firing) > 0 {
		t.Errorf("without a fault %v fire", firing)
	}

	o.misuse()
	o.awaitFiring(nil, "RocketMQProxyBrokerUncovered", "RocketMQProxyBrokerUnknown", "RocketMQProxyRefusesRequests", "RocketMQProxyOverLimit", "RocketMQProxyUnreadableFrames")
	waiting := o.dial(o.demo)
	o.send(waiting, stub.BrokerName, codec.ResponseSuccess)
	o.stopStub()
	o.awaitFiring(func() { // each on a connection of its own, which no longer can be opened
		c := o.dial(o.demo)
		defer c.Close()
		o.send(c, stub.BrokerName, codec.ResponseServiceNotAvailable)
	}, "RocketMQProxyNameServersUnreachable", "RocketMQProxyBrokersUnreachable", "RocketMQProxyUpstreamsLost", "RocketMQProxyRequestsFail")
	if err := o.envoy.Stop(); err != nil {
		t.Error(err)
	}
	o.awaitFiring(nil, "RocketMQProxyAbsent")
}

// pluginVersion is what the build has written into the plugin.
func pluginVersion(t *testing.T) string {
	t.Helper()
	info, err := buildinfo.ReadFile(filepath.Join(modules(t), "librocketmq_proxy.so"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Main.Version
}

func prometheusBinary(t *testing.T, name string) string {
	t.Helper()
	binary, err := repo.Prometheus(name)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// promtool also demands that each alert is tested for firing and for not firing.
func promtool(t *testing.T) {
	rules := filepath.Join(root(t), "build", "prometheus", "rules.yaml")
	tests := filepath.Join(root(t), "build", "prometheus", "rules_test.yaml")
	for _, args := range [][]string{{"check", "rules", rules}, {"test", "rules", tests}, {"check", "config", filepath.Join(root(t), "build", "prometheus", "prometheus.yaml")}} {
		if output, err := exec.CommandContext(t.Context(), prometheusBinary(t, "promtool"), args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
		}
	}
	var cases struct {
		Tests []struct {
			Alerts []struct {
				Name     string `json:"alertname"`
				Expected []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		}
	}
	readYAML(t, tests, &cases)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range cases.Tests {
		for _, alert := range test.Alerts {
			if len(alert.Expected) > 0 {
				fires[alert.Name] = true
			} else {
				quiet[alert.Name] = true
			}
		}
	}
	var file ruleFile
	readYAML(t, rules, &file)
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if name, ok := rule["alert"].(string); ok && (!fires[name] || !quiet[name]) {
				t.Errorf("rules_test.yaml: %s fires: %v, is quiet: %v", name, fires[name], quiet[name])
			}
		}
	}
}

type ruleFile struct {
	Groups []struct {
		Name  string           `json:"name"`
		Rules []map[string]any `json:"rules"`
	} `json:"groups"`
}

func readYAML(t *testing.T, name string, value any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = yaml.Unmarshal(text, value)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// dashboardQueries are the queries of Grafana's dashboard, with its variables as Grafana would fill them in.
func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	readYAML(t, filepath.Join(root(t), "build", "grafana", "rocketmq.json"), &dashboard)
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			query := strings.NewReplacer("$prefix", ".*", "$instance", ".*", "$__rate_interval", "1m").Replace(target.Expr)
			if strings.Contains(query, "$") {
				t.Errorf("%s: an unknown variable in %s", panel.Title, query)
			}
			queries = append(queries, query)
		}
	}
	if len(queries) == 0 {
		t.Fatal("the dashboard has no queries")
	}
	return queries
}

func observe(t *testing.T) *observed {
	t.Helper()
	server, err := stub.Listen(stub.Options{PullBody: 100, Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	o := &observed{T: t, demo: freePort(t), edge: freePort(t), limited: freePort(t), prometheus: freePort(t)}
	o.stopStub = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(o.stopStub)

	dir, admin := t.TempDir(), freePort(t)
	port := func(address string) string { return address[strings.LastIndex(address, ":")+1:] }
	head, _, found := strings.Cut(example(t, "unified.yaml"), "  listeners:\n") // admin, and the tags
	if !found {
		t.Fatal("unified.yaml has no listeners any more")
	}
	config := strings.Replace(head, "port_value: 9901", "port_value: "+port(admin), 1) + "  listeners:"
	for _, l := range []struct{ name, address, options string }{
		{"demo", o.demo, "addressing: {unified: {}}"},
		{"edge", o.edge, `addressing: {per_broker: {brokers: [{broker_name: broker-b, listener_port: 1, advertised_address: "127.0.0.1:1"}]}}`},
		{"limited", o.limited, "addressing: {unified: {}}\n              limits: {max_upstream_connections: 1}"},
	} {
		config += fmt.Sprintf(observedListener, l.name, port(l.address), l.name, server.NameServer, l.options)
	}
	o.envoy = startEnvoy(t, envoy.Options{Config: config, Admin: admin, Dir: dir, Concurrency: 1})

	var file ruleFile
	readYAML(t, filepath.Join(root(t), "build", "prometheus", "rules.yaml"), &file)
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			delete(rule, "for") // so that they fire at once
		}
	}
	rules, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	o.write(dir, "rules.yaml", string(rules))
	o.write(dir, "prometheus.yaml", strings.NewReplacer("15s", "1s", "127.0.0.1:9901", admin).Replace(o.read("build/prometheus/prometheus.yaml")))
	prometheus, err := process.Start(process.Command{
		Name: "prometheus", LogFile: filepath.Join(dir, "prometheus.log"), Dir: dir,
		Argv: []string{
			prometheusBinary(t, "prometheus"), "--config.file=" + filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path=" + filepath.Join(dir, "data"),
			"--web.listen-address=" + o.prometheus, "--log.level=warn",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	endWithTest(t, prometheus)
	o.awaitReady("http://" + o.prometheus + "/-/ready")
	return o
}

func (o *observed) read(name string) string {
	o.Helper()
	text, err := os.ReadFile(filepath.Join(root(o.T), filepath.FromSlash(name)))
	if err != nil {
		o.Fatal(err)
	}
	return string(text)
}

func (o *observed) write(dir, name, text string) {
	o.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		o.Fatal(err)
	}
}

func (o *observed) awaitReady(address string) {
	o.Helper()
	o.await(address+" is ready", func() bool {
		response, err := http.Get(address)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

func (o *observed) await(what string, done func() bool) {
	o.Helper()
	for limit := time.Now().Add(time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(limit) {
			o.Fatalf("not within a minute: %s", what)
		}
	}
}

// ask asks Prometheus.
func (o *observed) ask(path string, data any) {
	o.Helper()
	response, err := http.Get("http://" + o.prometheus + "/api/v1/" + path)
	if err != nil {
		o.Fatal(err)
	}
	defer response.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Status != "success" {
		o.Fatalf("Prometheus %s: %s %s %v", path, answer.Status, answer.Error, err)
	}
}

// hasData tells whether a query has a value that is a number.
func (o *observed) hasData(query string) bool {
	o.Helper()
	var data struct {
		Result []struct{ Value [2]any }
	}
	o.ask("query?query="+url.QueryEscape(query), &data)
	for _, series := range data.Result {
		if series.Value[1] != "NaN" {
			return true
		}
	}
	return false
}

// awaitData makes traffic until every query has data.
func (o *observed) awaitData(queries []string) {
	o.Helper()
	c := o.dial(o.demo)
	defer c.Close()
	for limit := time.Now().Add(time.Minute); len(queries) > 0; time.Sleep(100 * time.Millisecond) {
		o.wants(c, codec.ResponseSuccess, requests.GetRouteInfoByTopic, codec.Field{Name: "topic", Value: "T"})
		o.send(c, stub.BrokerName, codec.ResponseSuccess)
		o.wants(c, codec.ResponseSuccess, requests.PullMessage, codec.Field{Name: "topic", Value: "T"}, codec.Field{Name: "bname", Value: stub.BrokerName}, codec.Field{Name: "sysFlag", Value: "2"}, codec.Field{Name: "suspendTimeoutMillis", Value: "1000"})
		queries = slices.DeleteFunc(queries, o.hasData)
		if time.Now().After(limit) {
			o.Fatalf("no data for %s", strings.Join(queries, "\n"))
		}
	}
}

// firing are the names of the alerts that fire.
func (o *observed) firing() []string {
	o.Helper()
	var data struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	o.ask("alerts", &data)
	names := map[string]bool{}
	for _, alert := range data.Alerts {
		if alert.State == "firing" {
			names[alert.Labels["alertname"]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// awaitFiring waits until all these alerts have fired, and makes the fault again meanwhile.
func (o *observed) awaitFiring(fault func(), names ...string) {
	o.Helper()
	var missing []string
	o.await("alerts fire", func() bool {
		if fault != nil {
			fault()
		}
		firing := o.firing()
		missing = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(firing, name) })
		return len(missing) == 0
	})
}

// misuse makes every fault that a client or a config can make.
func (o *observed) misuse() {
	o.Helper()
	edge := o.dial(o.edge)
	defer edge.Close()
	o.wants(edge, codec.ResponseSuccess, requests.GetRouteInfoByTopic, codec.Field{Name: "topic", Value: "T"})

	demo := o.dial(o.demo)
	defer demo.Close()
	o.send(demo, "nobody", codec.ResponseServiceNotAvailable)
	o.wants(demo, codec.ResponseRequestCodeNotSupported, requests.RegisterBroker)
	if _, err := demo.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		o.Fatal(err)
	}
	if n, err := demo.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		o.Errorf("got %d bytes and %v, want the end", n, err)
	}

	limited := o.dial(o.limited)
	defer limited.Close()
	o.wants(limited, codec.ResponseSuccess, requests.GetRouteInfoByTopic, codec.Field{Name: "topic", Value: "T"})
	o.send(limited, stub.BrokerName, codec.ResponseSystemBusy)
}

func (o *observed) dial(address string) net.Conn {
	o.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		o.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	return c
}

// send sends a message to a broker.
func (o *observed) send(c net.Conn, broker string, want codec.ResponseCode) {
	o.Helper()
	o.wants(c, want, requests.SendMessageV2, codec.Field{Name: "b", Value: "T"}, codec.Field{Name: "n", Value: broker})
}

func (o *observed) wants(c net.Conn, want codec.ResponseCode, code requests.Code, fields ...codec.Field) {
	o.Helper()
	o.opaque++
	h, _ := exchangeOn(o.T, c, request(code, o.opaque, fields...))
	if h.Opaque != o.opaque || h.ResponseCode() != want {
		o.Errorf("%v is answered with %v %q to %d, want %v to %d", code, h.ResponseCode(), h.Remark(), h.Opaque, want, o.opaque)
	}
}
