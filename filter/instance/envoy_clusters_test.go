// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/routeconfig"
	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/reach"
)

// fakeAdmin is Envoy's admin interface on a Unix socket, with the clusters c0 to c199. It counts the requests for each path.
type fakeAdmin struct {
	address string

	mu      sync.Mutex
	counts  map[string]int
	holding chan struct{} // answers wait for its end
}

// tlsCluster has a transport socket of its own.
const tlsCluster = 77

func newFakeAdmin(t *testing.T) *fakeAdmin {
	t.Helper()
	f := &fakeAdmin{address: filepath.Join(t.TempDir(), "admin"), counts: map[string]int{}, holding: make(chan struct{})}
	listener, err := net.Listen("unix", f.address)
	if err != nil {
		t.Fatal(err)
	}
	var clusters, endpoints []string
	for i := range 200 {
		demand := ""
		if i == tlsCluster {
			demand = `,"transport_socket":{"name":"tls"}`
		}
		clusters = append(clusters, fmt.Sprintf(`{"cluster":{"name":"c%d"%s}}`, i, demand))
		endpoints = append(endpoints, fmt.Sprintf(`{"endpoint_config":{"cluster_name":"c%d","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":%d}}},
			"metadata":{"filter_metadata":{"envoy.filters.network.rocketmq_proxy":{"broker_name":"b%d"}}}}]}]}}`, i, i+1, i))
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-f.holding
		f.mu.Lock()
		f.counts[r.URL.Path]++
		f.mu.Unlock()
		switch r.URL.Query().Get("resource") {
		case "static_clusters":
			fmt.Fprintf(w, `{"configs":[%s]}`, strings.Join(clusters, ","))
		case "static_endpoint_configs":
			fmt.Fprintf(w, `{"configs":[%s]}`, strings.Join(endpoints, ","))
		default:
			fmt.Fprint(w, "{}")
		}
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return f
}

func (f *fakeAdmin) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[path]
}

// config routes all topics to one cluster.
func (f *fakeAdmin) config(t *testing.T, cluster string, interval time.Duration) *apiv1.Config {
	t.Helper()
	routes, errs := routeconfig.Compile(&rocketmqproxy.RouteConfiguration{Routes: []*rocketmqproxy.Route{{
		Match: &rocketmqproxy.RouteMatch{Topic: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: "t"}}},
		Route: &rocketmqproxy.RouteAction{Cluster: cluster},
	}}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	c := config(time.Minute)
	c.StatPrefix, c.Clusters = cluster, nil
	c.Limits.MaxBrokers, c.Limits.MaxTopics = 10, 10
	c.Compatible = &apiv1.CompatibleConfig{Routes: routes, AdminAddress: f.address, RefreshInterval: interval}
	return c
}

// knows waits until a config may answer its clients, and reports whether it knows the broker of its cluster then.
func (x *Instance) knows(t *testing.T, broker string) bool {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !x.Clusters.Asked(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("never asked")
		}
	}
	_, ok := x.Clusters.First().Snapshot().Master(broker)
	return ok
}

func TestOneLookAtEnvoyServesAllConfigs(t *testing.T) {
	defer func(before *reach.Own) { reach.Process = before }(reach.Process)
	var looks atomic.Int32 // at the sockets of the process
	reach.Process = reach.NewOwn(func() ([]reach.Socket, []netip.Addr) { looks.Add(1); return nil, nil })
	admin := newFakeAdmin(t)
	var all []*Instance
	for i := range 150 {
		x := Start(admin.config(t, fmt.Sprintf("c%d", i), time.Hour), Host{})
		all = append(all, x)
		defer x.Close()
	}
	for _, x := range all {
		if x.Clusters.Asked() { // clients wait
			t.Fatal("asked before Envoy has answered")
		}
	}
	close(admin.holding)
	for i, x := range all {
		if !x.knows(t, fmt.Sprintf("b%d", i)) {
			t.Errorf("config %d does not know its broker", i)
		}
	}
	// One that was under way when the last config came may have begun without it.
	if n := admin.count("/clusters"); n > 2 {
		t.Errorf("%d looks for %d configs", n, len(all))
	}
	late := Start(admin.config(t, "c199", time.Hour), Host{})
	if !late.knows(t, "b199") {
		t.Error("a config that came late does not know its broker")
	}
	late.Close()
	if n, own := admin.count("/clusters"), int(looks.Load()); n > 4 || own > n {
		t.Errorf("%d looks, and %d at the sockets of the process", n, own)
	}
}

func TestAWatcherEndsWithTheLastOfItsConfigs(t *testing.T) {
	admin := newFakeAdmin(t)
	close(admin.holding)
	a, b := Start(admin.config(t, "c0", time.Hour), Host{}), Start(admin.config(t, "c0", time.Hour), Host{})
	if !a.knows(t, "b0") || a.Clusters.First() != b.Clusters.First() {
		t.Error("want one directory for both")
	}
	a.Close()
	a.Close()
	if len(watchers.items) != 1 || len(endpointDirectories.items) != 1 {
		t.Errorf("%d watchers, %d directories for one config", len(watchers.items), len(endpointDirectories.items))
	}
	b.Close()
	if len(watchers.items)+len(endpointDirectories.items)+len(compatibleStates.items) != 0 {
		t.Errorf("left are %d watchers, %d directories", len(watchers.items), len(endpointDirectories.items))
	}
}

func TestAClusterThatNeedsAnEgressListenerIsInTheLogOnce(t *testing.T) {
	lines := make(chan string, 10)
	host := Host{Warn: func(format string, arguments ...any) { lines <- fmt.Sprintf(format, arguments...) }}
	for egress, want := range map[string]string{
		"":             `c77: cluster "c77" has transport_socket, which needs an egress listener (egress.address): its brokers get no request`,
		"127.0.0.1:15": "",
	} {
		admin := newFakeAdmin(t)
		close(admin.holding)
		c := admin.config(t, "c77", time.Second)
		c.Egress = egress
		x := Start(c, host)
		x.knows(t, "b77")
		for limit := time.Now().Add(20 * time.Second); admin.count("/clusters") < 3 && time.Now().Before(limit); {
			time.Sleep(10 * time.Millisecond)
		}
		x.Close()
		got := ""
		for len(lines) > 0 {
			got += <-lines
		}
		if got != want {
			t.Errorf("egress %q: got %q", egress, got)
		}
	}
}
