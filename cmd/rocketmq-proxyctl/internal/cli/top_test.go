// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// envoyAdmin answers as Envoy 1.40 does, its n-th reading with n times the counters.
func envoyAdmin(t *testing.T) string {
	t.Helper()
	var readings atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stats" || r.URL.Query().Get("format") != "json" || r.URL.Query().Get("filter") != `^rocketmq\.` {
			http.NotFound(w, r)
			return
		}
		n := readings.Add(1)
		var all []any
		for _, prefix := range []string{"demo", "out.side"} {
			for name, value := range map[string]int64{
				"request": 1000 * n, "response": 900 * n, "request_active": 7, "downstream_active": 3, "upstream_active": 5,
				"request_code.send_message_v2": 600 * n, "request_code.pull_message": 300 * n, "request_code.heart_beat": 12,
				"request_code.get_routeinfo_by_topic": 0, "upstream_connect": 5, "upstream_lost": n, "directory_stale": 1, "request_refused": 4,
			} {
				all = append(all, map[string]any{"name": "rocketmq." + prefix + "." + name, "value": value})
			}
		}
		for name, value := range map[string]int64{
			"policy.rule.panic": 5, "topic.orders.requests": 300 * n, "topic.orders.messages_sent": 200 * n, "topic.orders.bytes_fetched": 1000 * n, "topic.orders.errors": 2,
			"topic.payroll.requests": 5, "topic.idle.requests": 0, "topic._other.requests": 40, "group.shop.requests": 300 * n,
		} {
			all = append(all, map[string]any{"name": "rocketmq.demo." + name, "value": value})
		}
		all = append(all, map[string]any{"histograms": map[string]any{
			"supported_quantiles": []float64{0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100},
			"computed_quantiles": []any{map[string]any{"name": "rocketmq.demo.request_time_ms", "values": []any{
				since(0), since(1), since(1.05), since(1.1), since(2.05), since(3), since(10.5), since(11), since(120), since(1234.5),
			}}},
		}})
		_ = json.NewEncoder(w).Encode(map[string]any{"stats": all})
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// since is a quantile of a histogram in which nothing was recorded of late.
func since(cumulative float64) map[string]any {
	return map[string]any{"interval": nil, "cumulative": cumulative}
}

func TestTopOnce(t *testing.T) {
	expect(t, "top-totals", transcript(run(t, nil, "top", "--once", "--interval", "0", "--admin", envoyAdmin(t))))
	expect(t, "top-prefix", transcript(run(t, nil, "top", "--once", "--interval", "0", "--prefix", "out.side", "--rows", "1", "--admin", envoyAdmin(t))))
}

func TestTopListsWhateverIsMarkedAsTrouble(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var all []any
		for i, def := range stats.Table {
			if def.Kind != stats.Histogram {
				all = append(all, map[string]any{"name": "rocketmq.demo." + def.Name, "value": i + 1})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"stats": all})
	}))
	defer server.Close()
	status, out, errs := run(t, nil, "top", "--once", "--interval", "0", "--admin", strings.TrimPrefix(server.URL, "http://"))
	_, list, found := strings.Cut(out, "  TROUBLE\n")
	if status != 0 || !found {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	var got, want []string
	for line := range strings.Lines(list) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	for i, def := range stats.Table {
		if def.Signal == stats.Trouble {
			want = append(want, fmt.Sprintf("- %d %s: %s", i+1, def.Name, def.Meaning))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTopOfAnAddress(t *testing.T) {
	address := envoyAdmin(t)
	for _, good := range []string{"http://" + address, "http://" + address + "/", address + "/"} {
		if status, _, errs := run(t, nil, "top", "--once", "--interval", "0", "--admin", good); status != 0 {
			t.Errorf("%s: status %d: %s", good, status, errs)
		}
	}
	for _, bad := range []string{"", "127.0.0.1", "https://" + address, address + "/stats", "127.0.0.1:70000"} {
		status, _, errs := run(t, nil, "top", "--once", "--interval", "0", "--admin", bad)
		if want := fmt.Sprintf("--admin is %q; want host:port", bad); status != 2 || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d: %s; want %s", bad, status, errs, want)
		}
	}
}

func TestTopShowsRates(t *testing.T) {
	status, out, errs := run(t, nil, "top", "--once", "--interval", "100ms", "--prefix", "demo", "--admin", envoyAdmin(t))
	var perSecond float64
	var total int64
	for line := range strings.Lines(out) {
		if strings.HasSuffix(strings.TrimSpace(line), "SEND_MESSAGE_V2") {
			_, _ = fmt.Sscan(line, &perSecond, &total)
		}
	}
	// 600 more within a tenth of a second or longer.
	if status != 0 || total != 1200 || perSecond <= 0 || perSecond > 6000 {
		t.Errorf("status %d, %v per second, %d in all\n%s%s", status, perSecond, total, out, errs)
	}
}

func TestTopOfAnEnvoyWithoutTheFilter(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"stats":[]}`)) }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	if status, _, errs := run(t, nil, "top", "--once", "--admin", address); status != 1 || !strings.Contains(errs, "no stats of the filter") {
		t.Errorf("status %d: %s", status, errs)
	}
	server.Close()
	for _, nobody := range []string{address, filepath.Join(t.TempDir(), "admin.sock")} {
		if status, _, errs := run(t, nil, "top", "--once", "--admin", nobody); status != 2 || !strings.Contains(errs, "is Envoy running there? --admin names its admin interface") {
			t.Errorf("%s without an Envoy: status %d: %s", nobody, status, errs)
		}
	}
	if status, _, errs := run(t, nil, "top", "--once", "-i", "0", "--prefix", "none", "--admin", envoyAdmin(t)); status != 1 || !strings.Contains(errs, `stat_prefix "none"`) {
		t.Errorf("status %d: %s", status, errs)
	}
}
