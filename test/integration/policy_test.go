// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestPolicyAndObservability has real clients meet the rules and rate limits of envoy-config/policy.yaml, behind an Envoy
// that is otherwise configured by envoy-config/observability.yaml.
func TestPolicyAndObservability(t *testing.T) {
	log := filepath.Join(t.TempDir(), "requests.log")
	x := install(t, world.Options{
		Mode:   world.Unified,
		Config: filepath.Join(root(t), "envoy-config", "observability.yaml"),
		Topics: map[string]int{"payroll": queues, "imports": queues, "reports": queues, "orders": queues},
		EditConfig: func(_ *world.World, yaml string) (string, error) {
			const path, policy = "/var/log/envoy/rocketmq.log", "              policy:\n"
			_, rules, ok := strings.Cut(example(t, "policy.yaml"), policy)
			if !ok || !strings.Contains(yaml, path) {
				return "", errors.New("the examples are not as expected")
			}
			return strings.Replace(yaml, path, log, 1) + policy + rules, nil
		},
	})
	t.Run("clients", func(t *testing.T) {
		t.Run("a denied topic", func(t *testing.T) { t.Parallel(); deniedTopic(x.on(t)) })
		t.Run("a limited topic", func(t *testing.T) { t.Parallel(); limitedTopic(x.on(t)) })
		t.Run("a rule in shadow", func(t *testing.T) {
			t.Parallel()
			x := x.on(t)
			x.produce(&world.Ledger{}, "reports", 0, 20)
			x.awaitStat("policy_shadow_denied", 20)
			x.awaitStat("policy.rule.retire-reports", 20)
		})
		t.Run("a limited group", func(t *testing.T) { t.Parallel(); limitedGroup(x.on(t)) })
		t.Run("tools", func(t *testing.T) {
			t.Parallel()
			x := x.on(t)
			if code, remark := x.ask(x.ProxyAddr, requests.GetBrokerClusterInfo, nil, nil); code != codec.ResponseSuccess {
				x.Errorf("the operators' network gets %v: %s", code, remark)
			}
		})
	})
	t.Run("counters have tags", func(t *testing.T) { taggedCounters(x.on(t)) })
	t.Run("request log", func(t *testing.T) { requestLog(x.on(t), log) })
	t.Run("stats are those of a quiet proxy", func(t *testing.T) { x.on(t).idle() })
}

// attempt has a producer send and gives what it was told.
func (x *installation) attempt(topic string, count int) world.Event {
	x.Helper()
	producer := x.start("Producer", &world.Ledger{}, "--topic", topic, "--count", strconv.Itoa(count))
	end, err := producer.Await(x.limit(time.Minute), "end", nil)
	if err != nil {
		x.Fatal(err)
	}
	x.finish(producer)
	return end
}

func deniedTopic(x *installation) {
	end := x.attempt("payroll", 1)
	const remark = `denied by the rule "payroll" of this proxy's policy: ask its operator if this client shall be allowed`
	if end.Sent != 0 || end.Failed != 1 || end.Code != int(codec.ResponseNoPermission) || end.Remark != remark {
		x.Errorf("got %s", end.Raw)
	}
	x.awaitStat("policy_denied", 3) // NO_PERMISSION has a Java client try twice more
	x.awaitStat("topic.payroll.errors", 3)
	x.awaitStat("topic.payroll.messages_sent", 0)
}

func limitedTopic(x *installation) {
	end := x.attempt("imports", 60)
	const remark = `over the rate limit "imports" of this proxy's policy: come back later, or ask its operator for a greater one`
	if end.Sent < 20 || end.Sent == 60 || end.Sent+end.Failed != 60 || end.Code != int(codec.ResponseSystemBusy) || end.Remark != remark {
		x.Errorf("got %s", end.Raw)
	}
}

// limitedGroup has a consumer fetch more than its group may in a second: it gets everything, and later.
func limitedGroup(x *installation) {
	var ledger world.Ledger
	group := x.group(&ledger, "orders", "batch-group", 1)
	x.produce(&ledger, "orders", 0, 20, "--mode", "batch", "--size", "3000")
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 20 || sums.Duplicated != 0 {
		x.Errorf("got %v", sums)
	}
	x.awaitAtLeast("policy.rate_limit.batch-readers", 1)
	x.finish(group...)
}

// taggedCounters finds the counters as Prometheus would.
func taggedCounters(x *installation) {
	x.awaitStat("topic.orders.messages_sent", 20)
	x.awaitAtLeast("topic._other.messages_sent", 40)
	x.awaitAtLeast("topic.orders.bytes_fetched", 60_000)
	response, err := http.Get("http://" + x.Admin + "/stats/prometheus?filter=^rocketmq")
	if err != nil {
		x.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		x.Fatal(err)
	}
	for _, want := range []string{
		`envoy_rocketmq_topic_messages_sent{rocketmq_prefix="demo",rocketmq_topic="orders"} 20`,
		`envoy_rocketmq_topic_errors{rocketmq_prefix="demo",rocketmq_topic="payroll"} 3`,
		`envoy_rocketmq_group_requests{rocketmq_prefix="demo",rocketmq_group="billing"} 0`,
		`envoy_rocketmq_policy_rule{rocketmq_prefix="demo",rocketmq_rule="retire-reports"} 20`,
		`envoy_rocketmq_policy_rate_limit{rocketmq_prefix="demo",rocketmq_rate_limit="connection"} 0`,
		`envoy_rocketmq_request_code{rocketmq_prefix="demo",rocketmq_request_code="get_broker_cluster_info"} 1`,
	} {
		if !strings.Contains("\n"+string(text), "\n"+want+"\n") {
			x.Errorf("no %s", want)
		}
	}
}

// loggedRequest is a line of the request log.
type loggedRequest struct {
	Event       string `json:"event.name"`
	Operation   string `json:"messaging.operation.name"`
	Type        string `json:"messaging.operation.type"`
	Destination string `json:"messaging.destination.name"`
	Producer    string `json:"rocketmq.producer.group"`
	Consumer    string `json:"messaging.consumer.group.name"`
	Client      string `json:"client.address"`
	Broker      string `json:"rocketmq.broker.name"`
	Server      string `json:"server.address"`
	Response    string `json:"rocketmq.response.name"`
	ErrorType   string `json:"error.type"`
	Error       string `json:"error.message"`
}

// requestLog reads the log of what the clients have done. All that they have is written a second later.
func requestLog(x *installation, path string) {
	x.awaitStat("request_log_dropped", 0)
	x.awaitStat("request_log_failure", 0)
	counted := map[loggedRequest]int{}
	for limit := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		text, err := os.ReadFile(path)
		if err != nil {
			x.Fatal(err)
		}
		if lines := strings.Split(string(text), "\n"); int64(len(lines)-1) == x.stat("request_log_written") {
			for _, line := range lines[:len(lines)-1] {
				var r loggedRequest
				if err := json.Unmarshal([]byte(line), &r); err != nil {
					x.Fatalf("%v in %s", err, line)
				}
				counted[r]++
			}
			break
		}
		if time.Now().After(limit) {
			x.Fatal("the log never has as many lines as are counted")
		}
	}
	sent := 0
	for r, n := range counted {
		if r.Client != "127.0.0.1" {
			x.Errorf("%+v", r)
		}
		if r.Operation == "SEND_MESSAGE_V2" && r.Destination == "reports" && r.Response == "SUCCESS" && r.Type == "send" && strings.HasPrefix(r.Broker, "broker-") && r.Server == "127.0.0.1" {
			sent += n
		}
	}
	denied := loggedRequest{
		Event: "rocketmq.request", Operation: "SEND_MESSAGE_V2", Type: "send", Destination: "payroll", Producer: "workload-producer", Client: "127.0.0.1",
		Response: "NO_PERMISSION", ErrorType: "refused", Error: `denied by the rule "payroll" of this proxy's policy: ask its operator if this client shall be allowed`,
	}
	if sent != 20 || counted[denied] != 3 || counted[loggedRequest{Event: "rocketmq.connection", Client: "127.0.0.1"}] < 5 {
		x.Errorf("%d sends to reports, %d denied ones; want 20 and 3 in %+v", sent, counted[denied], counted)
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		x.Fatal(err)
	}
	for limit := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		x.ask(x.ProxyAddr, requests.GetBrokerClusterInfo, nil, nil)
		if _, err := os.Stat(path); err == nil {
			break
		}
		if time.Now().After(limit) {
			x.Fatal("no new file after the log was moved")
		}
	}
}
