// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// TestAccessControl has brokers check every request: what the proxy passes on must still be what was signed.
func TestAccessControl(t *testing.T) {
	t.Parallel()
	for _, version := range []struct {
		name string
		acl  world.ACL
	}{{"1.0", world.ACL1}, {"2.0", world.ACL2}} {
		t.Run(version.name, func(t *testing.T) {
			credentials := true // of the proxy's own
			x := install(t, world.Options{
				Mode: world.SideBySide, ACL: version.acl,
				// The group's retry topic is made before, since a consumer takes up to 20 s to find a new one.
				Topics:       map[string]int{"per-broker": queues, "unified": queues, "%RETRY%signed-per-broker": 1, "%RETRY%signed-unified": 1},
				BrokerConfig: map[string]string{"messageDelayLevel": "1s 1s 1s 1s"},
				EditConfig: func(_ *world.World, yaml string) (string, error) {
					options := []string{"refresh_interval: 1s"}
					if credentials {
						a := world.Administrator
						options = append(options, fmt.Sprintf("credentials: {access_key: %s, secret_key: %s}", a.AccessKey, a.SecretKey))
					}
					return withClusterOptions(yaml, options...)
				},
			})
			x.account = world.Application
			t.Run("signed clients pass", func(t *testing.T) {
				for _, way := range x.ProxiedWays() {
					t.Run(way.Name, func(t *testing.T) {
						t.Parallel()
						signed(x.by(t, way), way.Name)
					})
				}
			})
			t.Run("what is signed wrongly gets the broker's own answer", func(t *testing.T) { refusals(x.on(t)) })
			t.Run("a producer with a wrong secret is told so", func(t *testing.T) { wrongSecret(x.on(t)) })
			if version.acl != world.ACL2 {
				return
			}
			t.Run("name server that demands signatures", func(t *testing.T) {
				x := x.on(t)
				x.guardNameServer()
				for _, way := range x.ProxiedWays() {
					x := x.by(t, way)
					var ledger world.Ledger
					x.produce(&ledger, way.Name, 0, 20)
					x.awaitAtLeast("directory_refresh", 1)
					x.awaitStat("directory_refresh_failure", 0)
				}
				credentials = false
				x.restartEnvoy()
				for _, way := range x.ProxiedWays() {
					x.by(t, way).awaitAtLeast("directory_refresh_failure", 1)
				}
			})
		})
	}
}

// withClusterOptions adds options of the RocketMQ cluster to the config of each way.
func withClusterOptions(yaml string, options ...string) (string, error) {
	const cluster = "              - name: DefaultCluster\n"
	if strings.Count(yaml, cluster) != 2 {
		return "", errors.New("want one cluster for each way in the config")
	}
	var lines strings.Builder
	for _, option := range options {
		lines.WriteString("                " + option + "\n")
	}
	return strings.ReplaceAll(yaml, cluster, cluster+lines.String()), nil
}

// signed sends and consumes a bit of everything whose requests brokers check.
func signed(x *installation, topic string) {
	var ledger world.Ledger
	group := x.group(&ledger, topic, "signed-"+topic, 1, "--fail-every", "20")
	x.produce(&ledger, topic, 0, 100, "--mode", "batch", "--batch", "10")
	x.produce(&ledger, topic, 100, 100, "--mode", "transaction", "--rollback-every", "10")
	if sums := x.drained(&ledger, 30*time.Second); sums.Sent != 190 || sums.Duplicated != 0 || sums.Unacknowledged != 0 {
		x.Errorf("got %v, %d unacknowledged; want 190", sums, sums.Unacknowledged)
	}
	if end := x.finish(group...)[0]; end.Failed != 10 {
		x.Errorf("%d messages were sent back to their brokers, want 10", end.Failed)
	}
	x.idle()
}

// refusals sends requests with bad signatures all ways: what brokers answer must arrive.
func refusals(x *installation) {
	broker := x.Brokers[0]
	send := map[string]string{"a": "group", "b": "unified", "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1", "h": "0", "j": "0", "k": "false", "m": "false", "n": broker.Name}
	pull := map[string]string{
		"consumerGroup": "group", "topic": "unified", "queueId": "0", "queueOffset": "0", "maxMsgNums": "1", "sysFlag": "0",
		"commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "1", "bname": broker.Name,
	}
	offset := map[string]string{"consumerGroup": "group", "topic": "unified", "queueId": "0", "bname": broker.Name}
	heartbeat := []byte(`{"clientID":"c","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"group","messageModel":"CLUSTERING","subscriptionDataSet":[{"subString":"*","subVersion":1,"topic":"unified"}],"unitMode":false}],"producerDataSet":[]}`)
	accounts := map[string]world.Account{
		"wrong secret": {AccessKey: world.Application.AccessKey, SecretKey: "wrong-secret"},
		"nobody":       {AccessKey: "somebody", SecretKey: "somebody-secret"},
		"unsigned":     {},
	}
	for _, request := range []struct {
		code   requests.Code
		fields map[string]string
		body   []byte
	}{
		{requests.SendMessageV2, send, []byte("x")},
		{requests.PullMessage, pull, nil},
		{requests.QueryConsumerOffset, offset, nil},
		{requests.HeartBeat, nil, heartbeat},
	} {
		for name, account := range accounts {
			fields := maps.Clone(request.fields)
			if fields == nil {
				fields = map[string]string{}
			}
			account.Sign(fields, request.body)
			answers := map[string]string{}
			for _, way := range x.Ways() {
				code, remark := x.ask(way.Broker(broker), request.code, fields, request.body)
				answers[way.Name] = fmt.Sprintf("%v: %s", code, remark)
			}
			direct := answers["direct"]
			if strings.HasPrefix(direct, codec.ResponseSuccess.String()) {
				x.Errorf("%v, %s: the broker lets it pass", request.code, name)
			}
			for way, answer := range answers {
				if answer != direct {
					x.Errorf("%v, %s: %s got %q, a direct client %q", request.code, name, way, answer, direct)
				}
			}
			x.Logf("%v, %s: %s", request.code, name, direct)
		}
	}
}

// wrongSecret compares what a real client is told.
func wrongSecret(x *installation) {
	x.account.SecretKey = "wrong-secret"
	var direct world.Event
	for _, way := range x.Ways() {
		var ledger world.Ledger
		x := x.by(x.T, way)
		producer := x.start("Producer", &ledger, "--topic", "unified", "--count", "1")
		end, err := producer.Await(x.limit(time.Minute), "end", nil)
		if err != nil {
			x.Fatal(err)
		}
		x.finish(producer)
		if !way.Proxied() {
			direct = end
			x.Logf("code %d: %s", end.Code, end.Remark)
		}
		if end.Sent != 0 || end.Failed != 1 || end.Code == 0 || end.Code != direct.Code || end.Remark != direct.Remark {
			x.Errorf("%s: got %s, want 1 failure with %d, %s", way.Name, end.Raw, direct.Code, direct.Remark)
		}
	}
}

// guardNameServer puts a name server that demands signatures in the place of the other, with everybody's memory of it
// gone.
func (x *installation) guardNameServer() {
	x.Helper()
	x.GuardNameServer()
	x.KillNameServer()
	if err := x.StartNameServer(x.limit(time.Minute)); err != nil {
		x.Fatal(err)
	}
	for _, b := range x.Brokers {
		if err := b.Register(x.limit(time.Minute)); err != nil {
			x.Fatal(err)
		}
	}
	if code, remark := x.ask(x.NameServer, requests.GetBrokerClusterInfo, nil, nil); code != codec.ResponseNoPermission {
		x.Fatalf("the name server answers an unsigned request with %v: %s", code, remark)
	}
	x.restartEnvoy()
}

func (x *installation) restartEnvoy() {
	x.Helper()
	if err := x.StopEnvoy(); err != nil {
		x.Fatal(err)
	}
	if err := x.StartEnvoy(x.limit(time.Minute)); err != nil {
		x.Fatal(err)
	}
}

// ask makes one request on a connection of its own.
func (x *installation) ask(address string, code requests.Code, fields map[string]string, body []byte) (codec.ResponseCode, string) {
	x.Helper()
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: 7, Body: body}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		command.Fields = append(command.Fields, codec.Field{Name: name, Value: fields[name]})
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		x.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	answer, _ := exchangeOn(x.T, c, command.Append(nil))
	if answer.Opaque != 7 {
		x.Errorf("%v was answered with opaque %d", code, answer.Opaque)
	}
	return answer.ResponseCode(), answer.Remark()
}
