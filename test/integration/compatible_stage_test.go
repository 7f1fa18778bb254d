// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// compatibleExample is cpp-compatible.yaml as a tree, with its listener and its cluster.
type compatibleExample struct {
	bootstrap, listener, cluster map[string]any
	admin                        string
}

func newCompatibleExample(t *testing.T, text string) *compatibleExample {
	t.Helper()
	e := &compatibleExample{}
	if err := yaml.Unmarshal([]byte(text), &e.bootstrap); err != nil {
		t.Fatal(err)
	}
	resources := e.bootstrap["static_resources"].(map[string]any)
	e.listener = resources["listeners"].([]any)[0].(map[string]any)
	e.cluster = resources["clusters"].([]any)[0].(map[string]any)
	address := at(e.bootstrap, "admin", "address", "socket_address")
	e.admin = fmt.Sprintf("%v:%v", address["address"], address["port_value"])
	return e
}

// at is the object at a path of names.
func at(object map[string]any, path ...string) map[string]any {
	for _, name := range path {
		object = object[name].(map[string]any)
	}
	return object
}

// copyOf is a deep copy with texts replaced.
func copyOf(t *testing.T, object map[string]any, replacements ...string) (c map[string]any) {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(strings.NewReplacer(replacements...).Replace(string(text))), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// configure gives a listener's filter further options beside Envoy's own config.
func (e *compatibleExample) configure(listener map[string]any, options map[string]any) {
	filter := listener["filter_chains"].([]any)[0].(map[string]any)["filters"].([]any)[0].(map[string]any)
	config := at(filter, "typed_config", "filter_config")
	value := map[string]any{"rocketmq_proxy": config["value"], "envoy_admin": map[string]any{"address": e.admin}}
	for name, option := range options {
		value[name] = option
	}
	config["type_url"], config["value"] = "type.googleapis.com/rocketmq_proxy.v1.FilterConfig", value
}

// text is the bootstrap with these listeners and clusters.
func (e *compatibleExample) text(t *testing.T, listeners, clusters []any) string {
	t.Helper()
	resources := e.bootstrap["static_resources"].(map[string]any)
	resources["listeners"], resources["clusters"] = listeners, clusters
	text, err := yaml.Marshal(e.bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestManyCompatibleListeners has an Envoy with many listeners and clusters answer the first request on each, as soon as it
// says that it is live, and see a change of endpoints soon.
func TestManyCompatibleListeners(t *testing.T) {
	const listeners, clusters = 165, 123
	endpoints := filepath.Join(t.TempDir(), "endpoints.yaml")
	example, err := os.ReadFile(filepath.Join(root(t), "envoy-config", "endpoints", "cpp-compatible.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(endpoints, example, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "cpp-compatible.yaml", modules(t), func(text string) string {
		e := newCompatibleExample(t, text)
		e.bootstrap["node"] = map[string]any{"id": "id", "cluster": "cluster"} // EDS wants it
		var allListeners, allClusters []any
		for i := range listeners {
			name := fmt.Sprintf("cluster-%d", i%clusters)
			listener := copyOf(t, e.listener, `"cluster":"rocketmq"`, `"cluster":"`+name+`"`, `"stat_prefix":"demo"`, fmt.Sprintf(`"stat_prefix":"demo%d"`, i))
			listener["name"] = fmt.Sprintf("listener-%d", i)
			at(listener, "address", "socket_address")["port_value"] = 0
			e.configure(listener, nil)
			allListeners = append(allListeners, listener)
			if i >= clusters {
				continue
			}
			cluster := copyOf(t, e.cluster, "broker-a", "broker-of-"+name, `"rocketmq"`, `"`+name+`"`)
			if i == 0 {
				delete(cluster, "load_assignment")
				cluster["type"] = "EDS"
				cluster["eds_cluster_config"] = map[string]any{"service_name": "rocketmq", "eds_config": map[string]any{"path_config_source": map[string]any{"path": endpoints}}}
			}
			allClusters = append(allClusters, cluster)
		}
		return e.text(t, allListeners, allClusters)
	}, nil)
	addresses := s.listeners()
	if len(addresses) != listeners {
		t.Fatalf("%d listeners", len(addresses))
	}
	begin := time.Now()
	route := func(listener int) string {
		c := s.dial(addresses[fmt.Sprintf("listener-%d", listener)])
		defer c.Close()
		h, body := exchangeOn(t, c, request(requests.GetRouteInfoByTopic, 1, codec.Field{Name: "topic", Value: "Plain"}))
		return fmt.Sprint(h.ResponseCode(), " ", h.Remark(), " ", string(body))
	}
	var all sync.WaitGroup
	for i := range listeners {
		want := fmt.Sprintf(`"broker-of-cluster-%d"`, i%clusters)
		if i%clusters == 0 {
			want = `"broker-a"` // of the file
		}
		all.Go(func() {
			if got := route(i); !strings.Contains(got, want) {
				t.Errorf("listener %d: %s; want %s", i, got, want)
			}
		})
	}
	all.Wait()
	t.Logf("the first answers of %d listeners took %v", listeners, time.Since(begin))

	moved := endpoints + ".new"
	if err := os.WriteFile(moved, []byte(strings.ReplaceAll(string(example), "broker-a", "broker-new")), 0o600); err != nil {
		t.Fatal(err)
	}
	before := s.count("http.admin.downstream_rq_total")
	begin = time.Now()
	if err := os.Rename(moved, endpoints); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(route(0), "broker-new") {
		if time.Since(begin) > time.Minute {
			t.Fatal("the change is not seen")
		}
		time.Sleep(20 * time.Millisecond)
	}
	took := time.Since(begin)
	requests := s.count("http.admin.downstream_rq_total") - before
	t.Logf("a change of endpoints was seen after %v, and %d requests to the admin interface", took, requests)
	if refreshes := int64(took/time.Second) + 2; requests > 8*refreshes { // at most one a second
		t.Errorf("%d requests to the admin interface in %v", requests, took)
	}
}

// listeners are the addresses of Envoy's listeners by name.
func (s *stage) listeners() map[string]string {
	s.Helper()
	text, err := s.get("/listeners?format=json")
	if err != nil {
		s.Fatal(err)
	}
	var page struct {
		ListenerStatuses []struct {
			Name         string `json:"name"`
			LocalAddress struct {
				SocketAddress struct {
					Address   string `json:"address"`
					PortValue int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		s.Fatal(err)
	}
	all := map[string]string{}
	for _, l := range page.ListenerStatuses {
		a := l.LocalAddress.SocketAddress
		all[l.Name] = net.JoinHostPort(a.Address, strconv.Itoa(a.PortValue))
	}
	return all
}

// count is the value of one of Envoy's stats.
func (s *stage) count(name string) int64 {
	s.Helper()
	text, err := s.get("/stats?filter=^" + name + "$")
	if err != nil {
		s.Fatal(err)
	}
	_, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		s.Fatalf("%s: %q", name, text)
	}
	return n
}

// TestCompatibleClusterWithTLS has a cluster whose brokers speak TLS: without an egress listener nobody connects to them, with
// one all connections are TLS.
func TestCompatibleClusterWithTLS(t *testing.T) {
	folder := t.TempDir()
	if err := world.WriteCertificate(folder); err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(filepath.Join(folder, "server.crt"), filepath.Join(folder, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	var connections, handshakes atomic.Int32
	broker := func(c net.Conn) {
		connections.Add(1)
		server := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}})
		if server.Handshake() != nil {
			return
		}
		handshakes.Add(1)
		answering(func(h *codec.Header, _ []byte) []byte { return answer(codec.ResponseSuccess, h.Opaque, nil) })(server)
	}
	for _, withEgress := range []bool{false, true} {
		connections.Store(0)
		handshakes.Store(0)
		address := act(t, broker)
		_, port, _ := strings.Cut(address, ":")
		_, egressPort, _ := strings.Cut(freePort(t), ":")
		s := newStage(t, "cpp-compatible.yaml", modules(t), func(text string) string {
			e := newCompatibleExample(t, text)
			cluster := copyOf(t, e.cluster, `"port_value":10911`, `"port_value":`+port)
			cluster["transport_socket"] = map[string]any{"name": "tls", "typed_config": map[string]any{
				"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
			}}
			listeners, clusters, options := []any{e.listener}, []any{cluster}, map[string]any{}
			if withEgress {
				egress := egressExample(t, egressPort)
				listeners, clusters = append(listeners, egress.listener), append(clusters, egress.cluster)
				options["egress"] = map[string]any{"address": "127.0.0.1:" + egressPort}
			}
			e.configure(e.listener, options)
			return e.text(t, listeners, clusters)
		}, nil)
		c := s.dial(s.proxy)
		send := request(requests.SendMessageV2, 7, codec.Field{Name: "b", Value: "Plain"}, codec.Field{Name: "n", Value: "broker-a"})
		h, _ := exchangeOn(t, c, send)
		if withEgress {
			if h.ResponseCode() != codec.ResponseSuccess || handshakes.Load() != 1 || connections.Load() != 1 {
				t.Errorf("with egress: %v %q, %d connections, %d of them TLS", h.ResponseCode(), h.Remark(), connections.Load(), handshakes.Load())
			}
			continue
		}
		const remark = "cluster rocketmq has transport_socket, which needs an egress listener (egress.address)"
		if h.ResponseCode() != codec.ResponseSystemError || h.Remark() != remark {
			t.Errorf("got %v %q", h.ResponseCode(), h.Remark())
		}
		s.awaitStat("cluster_unusable", 1)
		log, err := os.ReadFile(s.LogFile)
		if n := connections.Load(); err != nil || n != 0 || !strings.Contains(string(log), `cluster "rocketmq" has "transport_socket"`) {
			t.Errorf("%d connections; the log is %s, %v", n, log, err)
		}
	}
}

// TestCompatibleCircuitBreakers has three clients meet a cluster with room for one connection and one request that waits.
func TestCompatibleCircuitBreakers(t *testing.T) {
	arrived, release := make(chan struct{}, 2), make(chan struct{})
	address := act(t, answering(func(h *codec.Header, _ []byte) []byte {
		arrived <- struct{}{}
		<-release
		return answer(codec.ResponseSuccess, h.Opaque, nil)
	}))
	_, port, _ := strings.Cut(address, ":")
	s := newStage(t, "cpp-compatible.yaml", modules(t), func(text string) string {
		e := newCompatibleExample(t, text)
		cluster := copyOf(t, e.cluster, `"port_value":10911`, `"port_value":`+port)
		cluster["circuit_breakers"] = map[string]any{"thresholds": []any{map[string]any{"max_connections": 1, "max_pending_requests": 1}}}
		e.configure(e.listener, nil)
		return e.text(t, []any{e.listener}, []any{cluster})
	}, nil)
	answers := make(chan string, 2)
	send := func() string {
		h, _ := exchangeOn(t, s.dial(s.proxy), request(requests.SendMessageV2, 7, codec.Field{Name: "b", Value: "Plain"}, codec.Field{Name: "n", Value: "broker-a"}))
		return fmt.Sprint(h.ResponseCode(), " ", h.Remark())
	}
	go func() { answers <- send() }()
	<-arrived
	go func() { answers <- send() }()
	time.Sleep(200 * time.Millisecond) // until it waits; sends wait at most 3 s in all
	if got := send(); got != "SYSTEM_ERROR overflow" {
		t.Errorf("the third request: %s", got)
	}
	close(release)
	for range 2 {
		if got := <-answers; got != "SUCCESS " {
			t.Errorf("got %s", got)
		}
	}
	s.awaitStat("upstream_connect", 2)
	s.awaitStat("cluster_overflow", 1)
}

// egressExample is the egress listener and cluster of unified-upstream-tls.yaml at another port, without its check of
// certificates.
func egressExample(t *testing.T, port string) *compatibleExample {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "envoy-config", "unified-upstream-tls.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	e := newCompatibleExample(t, strings.Replace(strings.ReplaceAll(string(text), "15001", port), validation, " {}\n", 1))
	e.listener = e.bootstrap["static_resources"].(map[string]any)["listeners"].([]any)[1].(map[string]any)
	return e
}
