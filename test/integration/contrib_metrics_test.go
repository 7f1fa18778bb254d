// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// contribPrefix begins the filter's stats here: what a stock Envoy puts before every name of a module, and
// the name that the plugin defines in contrib Envoy.
const contribPrefix = "contrib.rocketmq.demo."

// TestContribMetrics runs the plugin with nothing but the Golang ABI: its metrics are those of a config of Envoy's HTTP filter,
// which may come before or after its own.
func TestContribMetrics(t *testing.T) {
	dir, env := contribModules(t)
	statsListener := contribStatsListener(t)
	arrange := func(config string) string { return config }
	x := install(t, world.Options{
		Mode:     world.Unified,
		Topics:   map[string]int{"Metered": queues},
		EnvoyEnv: append(env, "ENVOY_DYNAMIC_MODULES_SEARCH_PATH="+dir),
		EditConfig: func(_ *world.World, config string) (string, error) {
			return contribConfig(strings.Replace(arrange(config), "metrics_namespace: rocketmq", "metrics_namespace: contrib", 1)), nil
		},
	})
	x.statPrefix = contribPrefix
	again := func(t *testing.T, f func(config string) string) *installation {
		arrange = f
		if err := x.StopEnvoy(); err != nil {
			t.Fatal(err)
		}
		if err := x.StartEnvoy(t.Context()); err != nil {
			t.Fatal(err)
		}
		return x.on(t)
	}
	t.Run("no HTTP filter", func(t *testing.T) { contribWithoutMetrics(x.on(t)) })
	t.Run("the HTTP filter's config comes first", func(t *testing.T) {
		contribMetrics(again(t, func(config string) string {
			return strings.Replace(config, "  listeners:\n", "  listeners:\n"+statsListener, 1)
		}))
	})
	t.Run("the HTTP filter's config comes last", func(t *testing.T) {
		contribMetrics(again(t, func(config string) string { return config + "\n" + statsListener }))
	})
}

// contribStatsListener is what the double takes for a listener with the HTTP filter.
func contribStatsListener(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return fmt.Sprintf(`  - name: stats
    address:
      socket_address: {address: 127.0.0.1, port_value: %d}
    filter_chains:
    - filters:
      - name: stats
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.dynamic_modules.v3.DynamicModuleNetworkFilter
          dynamic_module_config: {name: contrib_host, do_not_close: true, metrics_namespace: contrib}
          filter_name: http/rocketmq_proxy_stats
          terminal_filter: true
`, free.Addr().(*net.TCPAddr).Port)
}

// contribWithoutMetrics demands that messages pass, that there are no stats, and that Envoy's log says so once.
func contribWithoutMetrics(x *installation) {
	var ledger world.Ledger
	x.produce(&ledger, "Metered", 0, 20)
	if all, err := x.Stats(x.limit(30*time.Second), "contrib.rocketmq."); err != nil || len(all) != 0 {
		x.Errorf("got stats %v and error %v", all, err)
	}
	log, err := os.ReadFile(x.Envoy().LogFile)
	if err != nil {
		x.Fatal(err)
	}
	if n := strings.Count(string(log), `no metrics: no listener names the HTTP plugin "rocketmq_proxy_stats"`); n != 1 {
		x.Errorf("the log says %d times that there are no metrics:\n%s", n, log)
	}
}

// contribMetrics demands that Envoy has every stat by its name, and the values of a known series of requests.
func contribMetrics(x *installation) {
	x.contribNames()
	const routes = 5
	c := x.connect()
	for i := range int32(routes) {
		exchangeOn(x.T, c, request(requests.GetRouteInfoByTopic, i+1, codec.Field{Name: "topic", Value: "Metered"}))
	}
	for name, want := range map[string]int64{
		"request":                             routes,
		"request_decoding_success":            routes,
		"response":                            routes,
		"response_success":                    routes,
		"response_error":                      0,
		"get_topic_route":                     routes,
		"request_code.get_routeinfo_by_topic": routes,
		"request_active":                      0,
		"downstream_active":                   1,
	} {
		x.awaitStat(name, want)
	}
	time.Sleep(200 * time.Millisecond) // times follow the counters
	c.Close()                          // an event, which takes them to Envoy
	x.awaitStat("downstream_active", 0)
	x.contribSamples("request_time_ms", routes)

	var ledger world.Ledger
	x.produce(&ledger, "Metered", 0, 50)
	x.awaitStat("send_message_v2", 50)
	x.awaitStat("request_code.send_message_v2", 50)
	x.idle()
}

// contribNames compares Envoy's stats with the table.
func (x *installation) contribNames() {
	x.Helper()
	all, err := x.Stats(x.limit(30*time.Second), contribPrefix)
	if err != nil {
		x.Fatal(err)
	}
	histograms, err := x.Histograms(x.limit(30*time.Second), contribPrefix)
	if err != nil {
		x.Fatal(err)
	}
	var got, want []string
	for name := range all {
		got = append(got, name)
	}
	for name := range histograms {
		got = append(got, name)
	}
	for _, def := range stats.Table {
		want = append(want, contribPrefix+def.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		x.Errorf("Envoy has %d stats, want %d:\n%q\nwant\n%q", len(got), len(want), got, want)
	}
}

// contribSamples waits until Envoy's histogram has so many samples; it looks at them every 5 s.
func (x *installation) contribSamples(name string, want int) {
	x.Helper()
	line := fmt.Sprintf("envoy_%s_count{} %d\n", strings.ReplaceAll(contribPrefix+name, ".", "_"), want)
	var body []byte
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(200 * time.Millisecond) {
		answer, err := http.Get("http://" + x.Admin + "/stats/prometheus?filter=" + name)
		if err != nil {
			x.Fatal(err)
		}
		body, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			x.Fatal(err)
		}
		if strings.Contains(string(body), line) {
			return
		}
	}
	x.Errorf("Envoy does not say %q:\n%s", line, body)
}
