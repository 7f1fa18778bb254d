// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestCompatibleConfig has the config of Envoy's own filter serve real clients: what that filter does, and what it
// never could.
func TestCompatibleConfig(t *testing.T) {
	x := install(t, world.Options{
		Mode:   world.Unified,
		Config: filepath.Join(root(t), "envoy-config", "cpp-compatible.yaml"),
		EditConfig: func(w *world.World, yaml string) (string, error) {
			// Envoy's admin interface is elsewhere than in the example.
			const plain = "envoy.extensions.filters.network.rocketmq_proxy.v3.RocketmqProxy\n            value:"
			start := strings.Index(yaml, plain)
			end := strings.Index(yaml, "\n  clusters:\n")
			if start < 0 || end < 0 {
				return "", fmt.Errorf("cpp-compatible.yaml is not as expected")
			}
			value := strings.ReplaceAll(yaml[start+len(plain):end], "\n", "\n  ")
			yaml, value = withOnlyB(yaml, value)
			end = strings.Index(yaml, "\n  clusters:\n")
			return yaml[:start] + "rocketmq_proxy.v1.FilterConfig\n            value:\n              envoy_admin: {address: \"" + w.Admin + "\", refresh_interval: 1s}\n              rocketmq_proxy:" + value + yaml[end:], nil
		},
		Topics:       map[string]int{"OnlyB": queues, "Nameless": queues, "Plain": queues, "Ordered": queues, "Half": queues, "Again": queues},
		BrokerConfig: map[string]string{"transactionCheckInterval": "3000", "transactionTimeOut": "4000", "transactionOpBatchInterval": "200", "messageDelayLevel": "1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 11s 12s 13s 14s 15s 16s 17s 18s"},
	})
	t.Run("answers", func(t *testing.T) { compatibleAnswers(x.on(t)) })
	t.Run("plain", func(t *testing.T) { plain(x.on(t)) })
	t.Run("ordered", func(t *testing.T) { ordered(x.on(t)) })
	t.Run("transactions", func(t *testing.T) { transactions(x.on(t)) })
	t.Run("redelivery", func(t *testing.T) { redelivery(x.on(t)) })
	t.Run("stats are those of a quiet proxy", func(t *testing.T) { x.on(t).idle() })
}

// withOnlyB adds a cluster that has nothing but broker-b, and a route that leads the topic OnlyB to it.
func withOnlyB(yaml, value string) (string, string) {
	const routes, clusters, lbEndpoints = "routes:\n", "\n  clusters:\n", "      - lb_endpoints:\n"
	_, cluster, _ := strings.Cut(yaml, clusters)
	cluster = strings.ReplaceAll(cluster, "rocketmq\n", "only-b\n")
	head, endpoints, _ := strings.Cut(cluster, lbEndpoints)
	_, second, _ := strings.Cut(endpoints[1:], "        - endpoint:")
	only := head + lbEndpoints + "        - endpoint:" + second
	value = strings.Replace(value, routes, routes+"                  - {match: {topic: {exact: OnlyB}}, route: {cluster: only-b}}\n", 1)
	return strings.TrimRight(yaml, "\n") + "\n" + only, value
}

func compatibleAnswers(x *installation) {
	c := x.connect()
	defer c.Close()
	topic := func(name string) codec.Field { return codec.Field{Name: "topic", Value: name} }
	h, body := exchangeOn(x.T, c, request(requests.GetRouteInfoByTopic, 1, topic("Plain")))
	want := fmt.Sprintf(`{"brokerDatas":[{"brokerAddrs":{"0":"%[1]s"},"brokerName":"broker-a","cluster":"DefaultCluster"},{"brokerAddrs":{"0":"%[1]s"},"brokerName":"broker-b","cluster":"DefaultCluster"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4},{"brokerName":"broker-b","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`, x.ProxyAddr)
	if h.ResponseCode() != codec.ResponseSuccess || string(body) != want {
		x.Errorf("got %v\n     %s\nwant %s", h.ResponseCode(), body, want)
	}
	_, body = exchangeOn(x.T, c, request(requests.GetRouteInfoByTopic, 2, topic("OnlyB")))
	if text := string(body); !strings.Contains(text, "broker-b") || strings.Contains(text, "broker-a") {
		x.Errorf("got %s", text)
	}
	// A send that names no broker goes to any of its topic's cluster, which chooses the queue.
	// msgId is hex of the broker's address and port.
	_, port, _ := strings.Cut(x.Brokers[1].Addr, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		x.Fatal(err)
	}
	for topic, queue := range map[string]string{"OnlyB": "77", "Nameless": "77"} {
		h, _ := exchangeOn(x.T, c, nameless(topic, queue))
		id, _ := h.Field("msgId")
		if h.ResponseCode() != codec.ResponseSuccess || len(id) < 16 || topic == "OnlyB" && string(id[8:16]) != fmt.Sprintf("%08X", n) {
			x.Errorf("%s: got %v %q, msgId %s; broker-b is at %s", topic, h.ResponseCode(), h.Remark(), id, x.Brokers[1].Addr)
		}
	}
	for _, each := range []struct {
		code   requests.Code
		fields []codec.Field
		want   codec.ResponseCode
		remark string
	}{
		{requests.GetRouteInfoByTopic, []codec.Field{topic("1 unrouted")}, codec.ResponseSystemError, "Cluster is not available"},
		{requests.SendMessageV2, []codec.Field{{Name: "b", Value: "1 unrouted"}}, codec.ResponseSystemError, "No route for current request."},
		{requests.AckMessage, []codec.Field{topic("Plain")}, codec.ResponseSystemError, "No ack directive is found"},
		{requests.GetBrokerClusterInfo, nil, codec.ResponseSystemError, "Request not supported"},
		{requests.UnregisterClient, []codec.Field{{Name: "clientID", Value: "c"}}, codec.ResponseSuccess, "Envoy unregister client OK."},
	} {
		h, _ := exchangeOn(x.T, c, request(each.code, 7, each.fields...))
		if h.Opaque != 7 || h.ResponseCode() != each.want || h.Remark() != each.remark {
			x.Errorf("%v: got %v %q, want %v %q", each.code, h.ResponseCode(), h.Remark(), each.want, each.remark)
		}
	}
}

// nameless is a send as clients without broker names make it.
func nameless(topic, queue string) []byte {
	send := codec.Command{
		Code: int32(requests.SendMessageV2), Language: codec.LanguageJava, Version: 401, Opaque: 3, Body: []byte("hello"),
		Fields: []codec.Field{{Name: "a", Value: "p"}, {Name: "b", Value: topic}, {Name: "c", Value: "TBW102"}, {Name: "d", Value: "4"}, {Name: "e", Value: queue}, {Name: "f", Value: "0"}, {Name: "g", Value: "0"}, {Name: "h", Value: "0"}},
	}
	return send.Append(nil)
}
