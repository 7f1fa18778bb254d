// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// nameServer answers every request with `answer`, and returns its address. As a cluster list a route has no brokers.
func nameServer(t *testing.T, answer codec.Command) string {
	t.Helper()
	return nameServerOf(t, func(requests.Code) codec.Command { return answer })
}

// nameServerOf answers requests by their code, and returns its address.
func nameServerOf(t *testing.T, answer func(requests.Code) codec.Command) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			start := make([]byte, codec.PrefixSize)
			if _, err := io.ReadFull(connection, start); err == nil {
				prefix, _ := codec.ParsePrefix(start, codec.Limits{})
				raw := make([]byte, prefix.HeaderSize)
				_, _ = io.ReadFull(connection, raw)
				var header codec.Header
				_ = header.Parse(prefix.Type, raw)
				command := answer(requests.Code(header.Code))
				_, _ = connection.Write(command.Append(nil))
			}
			connection.Close()
		}
	}()
	return listener.Addr().String()
}

func routeOf(brokers ...body.Address) codec.Command {
	var all []body.RouteBroker
	for _, b := range brokers {
		all = append(all, body.RouteBroker{Address: b, ReadQueues: 4, WriteQueues: 4, Perm: 6})
	}
	return codec.Command{Flag: codec.FlagResponse, Opaque: 1, Body: body.AppendTopicRouteData(nil, all, false)}
}

func TestExplain(t *testing.T) {
	known := nameServer(t, routeOf(
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-a", BrokerID: 0, Addr: "10.1.0.1:10911"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-a", BrokerID: 1, Addr: "10.1.0.2:10911"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-1", BrokerID: 0, Addr: "10.1.0.3:10911"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker\x1b[31m", BrokerID: 0, Addr: "10.1.0.4:10911"},
	))
	unknown := nameServer(t, codec.Command{Code: int32(codec.ResponseTopicNotExist), Flag: codec.FlagResponse, Opaque: 1, Remark: "No topic route info"})
	failing := nameServer(t, codec.Command{Code: int32(codec.ResponseSystemError), Flag: codec.FlagResponse, Opaque: 1, Remark: "out of order"})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()

	pass := perBrokerWith(t, "addressing:\n", "addressing:\n                uncovered: PASS\n")
	for _, test := range []struct {
		name, config string
		args         []string
	}{
		{"explain-per-broker", example("per-broker.yaml"), []string{"-n", known}},
		{"explain-per-broker-offline", example("per-broker.yaml"), []string{"--offline"}},
		{"explain-pass", pass, []string{"-n", known}},
		{"explain-template", example("per-broker-template.yaml"), []string{"-n", known}},
		{"explain-template-offline", example("per-broker-template.yaml"), []string{"--offline"}},
		{"explain-unified", example("unified.yaml"), []string{"-n", known}},
		{"explain-unified-dialled", example("unified.yaml"), []string{"-n", known, "--dialled", "mq.example.com:9876"}},
		{"explain-unified-down", example("unified.yaml"), []string{"-n", closed.Addr().String()}},
		{"explain-failing", example("policy.yaml"), []string{"-n", failing}},
		{"explain-second-server", example("unified.yaml"), []string{"-n", closed.Addr().String() + "," + known}},
		{"explain-transparent", example("transparent.yaml"), []string{"-n", known}},
		{"explain-no-topic", example("per-broker.yaml"), []string{"-n", unknown}},
		{"explain-compatible", example("cpp-compatible.yaml"), nil},
		{"explain-policy", example("policy.yaml"), []string{"--offline", "--topic", "payroll"}},
		{"explain-bad", "testdata/check-bad.yaml", nil},
		{"explain-other", "testdata/check-other.yaml", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := transcript(run(t, nil, append([]string{"explain", "--topic", "Orders", "--config", test.config}, test.args...)...))
			got = strings.NewReplacer(known, "KNOWN", unknown, "UNKNOWN", failing, "FAILING", closed.Addr().String(), "CLOSED", test.config, filepath.Base(test.config)).Replace(got)
			expect(t, test.name, got)
		})
	}
}

func example(name string) string { return filepath.Join(examples, name) }

// perBrokerWith returns a copy of per-broker.yaml with one text replaced by another.
func perBrokerWith(t *testing.T, old, new string) string {
	t.Helper()
	text, err := os.ReadFile(example("per-broker.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("per-broker.yaml has no %q", old)
	}
	file := filepath.Join(t.TempDir(), "edited.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExplainOfSeveralClusters(t *testing.T) {
	config := `
rocketmq_proxy:
  stat_prefix: demo
  route_config:
    routes:
    - match: {topic: {exact: "Old"}}
      route: {cluster: first}
    - match: {topic: {prefix: "New"}}
      route: {cluster: second}
clusters:
- {name: first, name_servers: ["127.0.0.1:1"]}
- {name: second, name_servers: ["127.0.0.1:2"]}
addressing: {unified: {}}
`
	for topic, want := range map[string][]string{
		"Orders":        {"cluster first, the first, as no route matches\n"},
		"NewOrders":     {"cluster second, by route_config.routes[1]\n"},
		"%RETRY%group1": {"cluster first,", "cluster second,"},
	} {
		_, out, _ := run(t, []byte(config), "explain", "--offline", "--topic", topic, "--config", "-")
		for _, each := range want {
			if !strings.Contains(out, each) {
				t.Errorf("%s: %q is not in\n%s", topic, each, out)
			}
		}
	}
}

func TestExplainOfATopicWithoutAName(t *testing.T) {
	status, out, errs := run(t, nil, "explain", "--offline", "--topic", "", "--config", example("unified.yaml"))
	if status != 2 || out != "" || !strings.Contains(errs, "--topic is empty; want the name of a topic") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

func TestExplainNeedsATopicAndAConfig(t *testing.T) {
	if status, _, errs := run(t, nil, "explain"); status != 2 || !strings.Contains(errs, `"config", "topic" not set`) {
		t.Errorf("status %d: %s", status, errs)
	}
}

// TestExplainNamesBrokersToWhichNothingIsSent asks for a route whose brokers are at the file's own listeners, at what
// clients are given as the proxy, and outside of the brokers' networks.
func TestExplainNamesBrokersToWhichNothingIsSent(t *testing.T) {
	known := nameServer(t, routeOf(
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-a", Addr: "127.0.0.1:20921"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-b", Addr: "127.0.0.1:10921"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-c", Addr: "127.0.0.1:9901"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-d", Addr: "[::ffff:127.0.0.1]:19876"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-e", Addr: "192.0.2.7:10911"},
		body.Address{Cluster: "DefaultCluster", BrokerName: "broker-f", Addr: "127.0.0.9:10911"},
	))
	_, out, _ := run(t, nil, "explain", "--topic", "Orders", "-n", known, "--config", example("per-broker.yaml"))
	_, refused, _ := strings.Cut(out, "nothing is sent to ")
	const want = `broker-a, id 0: its address 127.0.0.1:20921 leads back to the proxy (broker_is_self)
nothing is sent to broker-c, id 0: its address 127.0.0.1:9901 leads back to the proxy (broker_is_self)
nothing is sent to broker-d, id 0: its address [::ffff:127.0.0.1]:19876 leads back to the proxy (broker_is_self)
nothing is sent to broker-e, id 0: its address 192.0.2.7:10911 is in none of the networks where brokers may be (broker_outside_networks)
nothing is sent to broker-f, id 0: its address 127.0.0.9:10911 is in none of the networks where brokers may be (broker_outside_networks)
`
	if refused != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// TestExplainShowsWhichSourceIsBelieved has two name servers that disagree about a broker, and whose routes differ from
// their lists.
func TestExplainShowsWhichSourceIsBelieved(t *testing.T) {
	server := func(listed, routed string) string {
		return nameServerOf(t, func(code requests.Code) codec.Command {
			if code == requests.GetBrokerClusterInfo {
				list := fmt.Sprintf(`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"%s"},"brokerName":"broker-a","cluster":"c"}}}`, listed)
				return codec.Command{Flag: codec.FlagResponse, Opaque: 1, Body: []byte(list)}
			}
			return routeOf(body.Address{Cluster: "c", BrokerName: "broker-a", Addr: routed})
		})
	}
	first, second := server("127.0.0.1:1", "127.0.0.1:2"), server("127.0.0.1:3", "127.0.0.1:3")
	_, out, _ := run(t, nil, "explain", "--topic", "Orders", "-n", first, "-n", second, "--config", example("unified.yaml"))
	_, shown, _ := strings.Cut(out, "the sources disagree about broker-a:\n")
	for _, want := range []string{
		"cluster list of " + first + "   0 127.0.0.1:1 goes there",
		"cluster list of " + second + " 0 127.0.0.1:3 does not go there",
		"the route 0 127.0.0.1:2 does not go there",
	} {
		if !strings.Contains(strings.Join(strings.Fields(shown), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("want %q, got\n%s", want, out)
		}
	}
	agreed := server("127.0.0.1:1", "127.0.0.1:1")
	if _, out, _ := run(t, nil, "explain", "--topic", "Orders", "-n", agreed, "--config", example("unified.yaml")); strings.Contains(out, "disagree") {
		t.Errorf("got\n%s", out)
	}
}
