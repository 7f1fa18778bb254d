// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/policy"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// withPolicy puts a policy into an environment.
func withPolicy(t *testing.T, e *Environment, options string) *Environment {
	t.Helper()
	packed, err := anypb.New(wrapperspb.String(`{"rocketmq_proxy":{"stat_prefix":"s"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],"addressing":{"unified":{}},"policy":` + options + `}`))
	if err != nil {
		t.Fatal(err)
	}
	message, err := apiv1.Parse(packed)
	if err != nil {
		t.Fatal(err)
	}
	config, err := apiv1.Resolve(message)
	if err != nil {
		t.Fatal(err)
	}
	e.Stats = stats.New()
	e.Policy = policy.New(config.Policy, e.Stats)
	return e
}

const denySecret = `{"rules":[{"name":"secrets","action":"DENY","match":{"topics":[{"exact":"secret"}]}}]}`

func TestADeniedSendIsAnsweredAndTheRestPassesUntouched(t *testing.T) {
	h := dial(t, withPolicy(t, newEnvironment(t, perBroker, fakeNameServers{}), denySecret), 20911, inPlace)
	if !h.DownstreamData(h.clock, [][]byte{sendV2(1, "broker-a", "t")}) {
		t.Error("a send that is allowed was touched")
	}
	// The header decides: the body of the denied one is dropped as it comes.
	secret := sendV2(2, "broker-a", "secret")
	h.send(secret[:len(secret)-2])
	answer := one(t, h.tookDown())
	if want := `denied by the rule "secrets" of this proxy's policy: ask its operator if this client shall be allowed`; answer.ResponseCode() != codec.ResponseNoPermission || answer.Opaque != 2 || answer.Remark() != want {
		t.Errorf("got %v %d %q", answer.ResponseCode(), answer.Opaque, answer.Remark())
	}
	h.send(append(secret[len(secret)-2:], sendV2(3, "broker-a", "t")...))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 3 {
		t.Errorf("broker-a got %d", got.Opaque)
	}
	h.wantStats(map[stats.ID]int64{stats.PolicyDenied: 1, stats.RequestRefused: 1, stats.RequestActive: 2})
	h.wantIdle()
}

func TestUnifiedRequestsAreJudgedToo(t *testing.T) {
	h := dial(t, withPolicy(t, newEnvironment(t, unifiedMode, fakeNameServers{}), denySecret), 19876, terminal)
	h.learnRoute()
	h.send(request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "secret"}))
	h.send(request(requests.HeartBeat, 2, strings.ReplaceAll(heartbeatBody, `"topic":"t"`, `"topic":"secret"`)))
	h.send(oneway(requests.EndTransaction, 3, codec.Field{Name: "topic", Value: "secret"}))
	answers := h.tookDown()
	if len(answers) != 2 || answers[0].ResponseCode() != codec.ResponseNoPermission || answers[0].Opaque != 1 || answers[1].Opaque != 2 {
		t.Errorf("got %v", answers)
	}
	h.send(request(requests.HeartBeat, 4, heartbeatBody))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 4 {
		t.Errorf("broker-a got %d", got.Opaque)
	}
	h.wantStats(map[stats.ID]int64{stats.PolicyDenied: 3, stats.PolicyOnewayDropped: 1})
	h.wantIdle()
}

// TestAHeartbeatIsJudgedWhole has one arrive byte by byte where bodies pass as they come.
func TestAHeartbeatIsJudgedWhole(t *testing.T) {
	h := dial(t, withPolicy(t, newEnvironment(t, perBroker, fakeNameServers{}), denySecret), 20911, inPlace)
	for _, each := range []struct {
		opaque int32
		topic  string
	}{{1, "secret"}, {2, "t"}} {
		for _, b := range request(requests.HeartBeat, each.opaque, strings.ReplaceAll(heartbeatBody, `"topic":"t"`, `"topic":"`+each.topic+`"`)) {
			h.send([]byte{b})
		}
	}
	if got := one(t, h.tookDown()); got.Opaque != 1 || got.ResponseCode() != codec.ResponseNoPermission {
		t.Errorf("the client got %v %v", got.Opaque, got.ResponseCode())
	}
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 2 {
		t.Errorf("broker-a got %d", got.Opaque)
	}
	h.wantIdle()
}

// TestEveryEntryOfABodyIsJudgedBeforeItPasses has the bodies arrive byte by byte where bodies pass as they come.
func TestEveryEntryOfABodyIsJudgedBeforeItPasses(t *testing.T) {
	for code, body := range map[requests.Code]string{
		requests.LockBatchMQ:              `{"consumerGroup":"g","mqSet":[{"topic":"t","brokerName":"broker-a"},{"topic":"%s","brokerName":"broker-a"}]}`,
		requests.BatchAckMessage:          `{"brokerName":"broker-a","acks":[{"t":"t","c":"g"},{"t":"%s","c":"g"}]}`,
		requests.UpdateAndCreateTopicList: `{"topicConfigList":[{"topicName":"t"},{"topicName":"%s"}]}`,
		requests.DeleteTopicInBrokerList:  `{"topicList":["t","%s"]}`,
	} {
		h := dial(t, withPolicy(t, newEnvironment(t, perBroker, fakeNameServers{}), denySecret), 20911, inPlace)
		for opaque, topic := range []string{"secret", "u"} {
			for _, b := range request(code, int32(opaque), fmt.Sprintf(body, topic)) {
				h.send([]byte{b})
			}
		}
		if got := one(t, h.tookDown()); got.Opaque != 0 || got.ResponseCode() != codec.ResponseNoPermission {
			t.Errorf("%v: the client got %d, %v", code, got.Opaque, got.ResponseCode())
		}
		if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 1 {
			t.Errorf("%v: broker-a got %d", code, got.Opaque)
		}
		h.wantIdle()
	}
}

func TestSendsOverALimitAreBusyUntilThereIsRoom(t *testing.T) {
	e := withPolicy(t, newEnvironment(t, perBroker, fakeNameServers{}), `{"rate_limits":[{"name":"slow","key":"TOPIC","messages":{"per_second":1}}]}`)
	h, other := dial(t, e, 20911, inPlace), dial(t, e, 20921, inPlace)
	h.send(sendV2(1, "broker-a", "t"))
	other.send(sendV2(1, "broker-b", "t")) // all connections of a config share the limit
	answer := one(t, other.tookDown())
	if want := `over the rate limit "slow" of this proxy's policy: come back later, or ask its operator for a greater one`; answer.ResponseCode() != codec.ResponseSystemBusy || answer.Remark() != want {
		t.Errorf("got %v %q", answer.ResponseCode(), answer.Remark())
	}
	h.clock += time.Second
	h.send(sendV2(2, "broker-a", "t"))
	if len(h.tookDown()) != 0 {
		t.Error("refused after a second")
	}
	h.wantStats(map[stats.ID]int64{stats.PolicyLimited: 1, stats.PolicyDenied: 0})
	other.Close(other.clock)
	h.wantIdle()
}

func TestPullsAreSlowedDownByWhatWasPulled(t *testing.T) {
	answer := response(codec.ResponseSuccess, 1, strings.Repeat("m", 1000))
	e := withPolicy(t, newEnvironment(t, perBroker, fakeNameServers{}), fmt.Sprintf(`{"rate_limits":[{"name":"slow","key":"CONSUMER_GROUP","bytes":{"per_second":%d}}]}`, len(answer)))
	h := dial(t, e, 20911, inPlace)
	pull := func(opaque int32) []byte {
		return request(requests.PullMessage, opaque, "", codec.Field{Name: "consumerGroup", Value: "g"}, codec.Field{Name: "topic", Value: "t"})
	}
	h.send(pull(1))
	h.receive(h.only().id, answer[:len(answer)-100]) // the header decides, and pays for all of it
	h.send(pull(2))
	h.receive(h.only().id, answer[len(answer)-100:])
	got := h.tookDown()
	if len(got) != 2 || got[0].Opaque != 1 || got[1].Opaque != 2 || got[1].ResponseCode() != codec.ResponseFlowControl {
		t.Errorf("got %v", got)
	}
	h.clock += time.Millisecond
	h.send(pull(3))
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

func TestRequestsOfCompatibleConfigsAreJudgedAndObserved(t *testing.T) {
	e := withPolicy(t, compatibleEnvironment(t), denySecret)
	o := observe(e)
	h := dial(t, e, 10911, terminal)
	h.send(request(requests.GetRouteInfoByTopic, 1, "", topicField("secret")))
	h.wantAnswer(1, codec.ResponseNoPermission, `denied by the rule "secrets" of this proxy's policy: ask its operator if this client shall be allowed`)
	h.send(request(requests.GetRouteInfoByTopic, 2, "", topicField("t")))
	h.wantAnswer(2, codec.ResponseSuccess, "")
	h.send(sendV2(3, "broker-a", "t"))
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 3, ""))
	o.want(t, "GET_ROUTEINFO_BY_TOPIC 1 secret//   0s NO_PERMISSION refused\n"+
		"GET_ROUTEINFO_BY_TOPIC 2 t//   0s SUCCESS\n"+
		"SEND_MESSAGE_V2 3 t/p/ broker-a 10.0.0.1:10911 0s SUCCESS")
	h.wantIdle()
}
