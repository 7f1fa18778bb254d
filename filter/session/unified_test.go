// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strconv"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

const unifiedRoute = `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.1:11911"},"brokerName":"broker-a","cluster":"c"},{"brokerAddrs":{0:"10.0.0.2:10911"},"brokerName":"broker-b","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4},{"brokerName":"broker-b","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`

const heartbeatBody = `{"clientID":"1@2","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"g","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],"topic":"t"},{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],"topic":"%RETRY%g"}],"unitMode":false}],"heartbeatFingerprint":0,"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}`

// dialUnified starts a unified session.
func dialUnified(t *testing.T) *harness {
	t.Helper()
	return dial(t, newEnvironment(t, unifiedMode, fakeNameServers{}), 19876, terminal)
}

// learnRoute has the client learn the route of topic t.
func (h *harness) learnRoute() {
	h.Helper()
	h.send(request(requests.GetRouteInfoByTopic, 1000, "", codec.Field{Name: "topic", Value: "t"}))
	h.tookUp(nameServerAddress)
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 1000, unifiedRoute))
	h.tookDown()
}

func TestUnifiedRouteNamesTheDialledAddressOncePerBroker(t *testing.T) {
	h := dialUnified(t)
	h.send(request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}))
	if got := one(t, h.tookUp(nameServerAddress)); requests.CodeOf(&got.Header) != requests.GetRouteInfoByTopic || got.Opaque != 3 {
		t.Fatalf("the name server got %+v", got.Header)
	}
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 3, unifiedRoute))
	got := one(t, h.tookDown()).body
	want := strings.Replace(unifiedRoute, `{0:"10.0.0.1:10911",1:"10.0.0.1:11911"}`, `{0:"127.0.0.1:19876"}`, 1)
	want = strings.Replace(want, `{0:"10.0.0.2:10911"}`, `{0:"127.0.0.1:19876"}`, 1)
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	h.wantStats(map[stats.ID]int64{stats.RouteAddressUncovered: 0, stats.RouteAddressRewritten: 2})
	h.wantIdle()
}

func TestUnifiedSendsGoToTheBrokerTheyName(t *testing.T) {
	h := dialUnified(t)
	both := append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-b", "t")...)
	h.send(append(both, sendV2(3, "broker-a", "t")...))
	if got := h.tookUp(brokerAAddress); len(got) != 2 || got[0].Opaque != 1 || got[1].Opaque != 3 {
		t.Errorf("broker-a got %v", got)
	}
	if got := one(t, h.tookUp(brokerBAddress)); got.Opaque != 2 {
		t.Errorf("broker-b got %v", got)
	}
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 2, ""))
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 3, ""))
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 1, ""))
	if got := h.tookDown(); len(got) != 3 || got[0].Opaque != 2 || got[1].Opaque != 3 || got[2].Opaque != 1 {
		t.Errorf("the client got %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestActive: 0, stats.ResponseSuccess: 3})
	h.wantIdle()
}

func TestUnifiedTrafficCutAnywhereGivesTheSameBytes(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	requests := append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-b", "t")...)
	answers := append(response(codec.ResponseSuccess, 1, "one"), response(codec.ResponseSystemError, 7, "stranger")...)
	for cut := range len(requests) {
		h := dial(t, e, 19876, terminal)
		h.send(requests[:cut])
		h.send(requests[cut:])
		up := h.to(brokerAAddress)
		a := min(cut, len(answers))
		h.receive(up, answers[:a])
		h.receive(up, answers[a:])
		if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 1 {
			t.Fatalf("cut at %d: broker-a got %v", cut, got)
		}
		if got := one(t, h.tookUp(brokerBAddress)); got.Opaque != 2 {
			t.Fatalf("cut at %d: broker-b got %v", cut, got)
		}
		if got := one(t, h.tookDown()); got.Opaque != 1 || got.body != "one" {
			t.Fatalf("cut at %d: the client got %v", cut, got)
		}
		h.Close(h.clock)
	}
}

func TestUnifiedRequestsThatCannotBeRoutedAreAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		request []byte
		want    codec.ResponseCode
	}{
		"no broker name, topic unknown": {sendV2(9, "", "elsewhere"), codec.ResponseVersionNotSupported},
		"empty broker name": {
			request(requests.QueryConsumerOffset, 9, "", codec.Field{Name: "bname", Value: ""}, codec.Field{Name: "topic", Value: "x"}),
			codec.ResponseVersionNotSupported,
		},
		"unknown broker":                        {sendV2(9, "broker-z", "t"), codec.ResponseServiceNotAvailable},
		"a code that only an address can route": {request(requests.GetBrokerRuntimeInfo, 9, ""), codec.ResponseVersionNotSupported},
		"an unknown code without a name":        {request(4711, 9, ""), codec.ResponseRequestCodeNotSupported},
		"internal":                              {request(requests.UnregisterBroker, 9, ""), codec.ResponseRequestCodeNotSupported},
		"a request that brokers send":           {request(requests.NotifyConsumerIDsChanged, 9, ""), codec.ResponseRequestCodeNotSupported},
		"a heartbeat that is no JSON":           {request(requests.HeartBeat, 9, "{"), codec.ResponseSystemError},
		"a lock that is no JSON":                {request(requests.LockBatchMQ, 9, "x"), codec.ResponseSystemError},
		"a lock between brokers":                {request(requests.LockBatchMQ, 9, `{"mqSet":[{"brokerName":"broker-a","queueId":0,"topic":"t"}],"onlyThisBroker":true}`), codec.ResponseRequestCodeNotSupported},
	} {
		t.Run(name, func(t *testing.T) {
			h := dialUnified(t)
			h.send(c.request)
			got := one(t, h.tookDown())
			if got.Opaque != 9 || got.ResponseCode() != c.want || got.Remark() == "" {
				t.Errorf("got opaque %d, %v, %q; want 9, %v", got.Opaque, got.ResponseCode(), got.Remark(), c.want)
			}
			h.wantIdle()
		})
	}
}

func TestUnifiedRequestWithoutNameFindsTheOnlyBrokerOfItsTopic(t *testing.T) {
	h := dialUnified(t)
	fill, _ := fakeNameServers{}.Brokers(t.Context(), "")
	h.environment.Clusters.First().LearnRoute(directory.RouteSource{}, "only-b", &body.TopicRouteData{Brokers: fill[2:]})
	h.send(sendV2(1, "", "only-b"))
	one(t, h.tookUp(brokerBAddress))
	h.wantIdle()
}

func TestHeartbeatReachesEveryBrokerTheClientLearnedOfAndIsAnsweredOnce(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	h.send(request(requests.HeartBeat, 6, heartbeatBody)) // Java sends a copy for each broker name
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		if got := one(t, h.tookUp(address)); got.body != heartbeatBody {
			t.Errorf("%s got %q", address, got.body)
		}
	}
	v2 := codec.Field{Name: "IS_SUPPORT_HEART_BEAT_V2", Value: "true"}
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 5, "", v2, codec.Field{Name: "IS_SUB_CHANGE", Value: "true"}))
	if got := h.tookDown(); len(got) != 0 {
		t.Fatalf("answered before every broker has: %v", got)
	}
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 5, "", v2))
	got := h.tookDown()
	if len(got) != 2 || got[0].Opaque != 5 || got[1].Opaque != 6 {
		t.Fatalf("got %v", got)
	}
	for _, f := range got {
		change, _ := f.Field("IS_SUB_CHANGE")
		support, _ := f.Field("IS_SUPPORT_HEART_BEAT_V2")
		if f.ResponseCode() != codec.ResponseSuccess || string(change) != "true" || string(support) != "true" || f.Version != 479 {
			t.Errorf("got %v %s %s %d", f.ResponseCode(), change, support, f.Version)
		}
	}
	h.send(request(requests.HeartBeat, 7, heartbeatBody))
	if got := one(t, h.tookDown()); got.Opaque != 7 {
		t.Errorf("got %v", got)
	}
	h.clock += 30 * time.Second
	h.send(request(requests.HeartBeat, 8, heartbeatBody))
	one(t, h.tookUp(brokerAAddress))
	h.wantStats(map[stats.ID]int64{stats.Heartbeat: 4, stats.HeartbeatFanOut: 4, stats.HeartbeatRepeated: 2, stats.RequestActive: 1})
	h.wantIdle()
}

func TestHeartbeatSucceedsWhereABrokerIsDownAndFailsWhereAllAre(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	h.UpstreamFailed(h.clock, h.host.order[1], RemoteFailure)
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 5, ""))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("got %v", got.ResponseCode())
	}
	h.clock += 30 * time.Second
	h.send(request(requests.HeartBeat, 6, heartbeatBody))
	for _, id := range h.host.order[2:] {
		h.UpstreamClosed(h.clock, id)
	}
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError || got.Opaque != 6 {
		t.Errorf("got %v", got.ResponseCode())
	}
	h.wantIdle()
}

func TestHeartbeatThatOneBrokerRefusesSucceedsAtTheOthers(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	h.receive(h.to(brokerAAddress), response(codec.ResponseNoPermission, 5, ""))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 5, ""))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("got %v", got.ResponseCode())
	}
	h.wantIdle()
}

func TestOnewayHeartbeatInventsNoAnswerForTheNext(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	silent := codec.Command{Code: int32(requests.HeartBeat), Version: 479, Opaque: 1, Flag: codec.FlagOneway, Body: []byte(heartbeatBody)}
	h.send(silent.Append(nil))
	h.send(request(requests.HeartBeat, 2, heartbeatBody))
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("answered %v though no broker has", got)
	}
	h.wantIdle()
}

func TestCopiesOfAnUnregisterReachEachBrokerOnce(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	for opaque := range int32(2) {
		h.send(request(requests.UnregisterClient, opaque, "", codec.Field{Name: "clientID", Value: "c"}, codec.Field{Name: "consumerGroup", Value: "g"}))
	}
	one(t, h.tookUp(brokerAAddress))
	one(t, h.tookUp(brokerBAddress))
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 0, ""))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 0, ""))
	if got := h.tookDown(); len(got) != 2 {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

func TestUnregisterOfOneGroupKeepsTheOthersRegistered(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	h.send(request(requests.UnregisterClient, 6, "", codec.Field{Name: "producerGroup", Value: "CLIENT_INNER_PRODUCER"}))
	h.UpstreamClosed(h.clock, h.to(brokerAAddress))
	h.send(sendV2(7, "broker-a", "t"))
	if got := h.tookUp(brokerAAddress); len(got) != 2 || requests.CodeOf(&got[0].Header) != requests.HeartBeat {
		t.Errorf("the reopened broker got %v", got)
	}
	h.send(request(requests.UnregisterClient, 8, "", codec.Field{Name: "consumerGroup", Value: "g"}))
	h.UpstreamClosed(h.clock, h.to(brokerAAddress))
	h.send(sendV2(9, "broker-a", "t"))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 9 {
		t.Errorf("the reopened broker got %v: no group is left", got)
	}
	h.wantIdle()
}

func TestAnOpaqueThatIsInUseEndsAUnifiedConnectionToo(t *testing.T) {
	for name, second := range map[string][]byte{
		"a send":      sendV2(5, "broker-a", "t"),
		"a heartbeat": request(requests.HeartBeat, 5, heartbeatBody),
	} {
		t.Run(name, func(t *testing.T) {
			h := dialUnified(t)
			h.send(sendV2(5, "broker-a", "t"))
			h.send(second)
			if !h.host.downClosed {
				t.Error("it stays open")
			}
			h.wantIdle()
		})
	}
}

func TestFanOutsKeepToTheLimitOfPendingRequests(t *testing.T) {
	h := dial(t, limited(t, unifiedMode, func(c *apiv1.Config) { c.Limits.MaxPendingRequests = 1 }), 19876, terminal)
	h.learnRoute()
	for opaque := range int32(50) {
		h.send(request(requests.UnregisterClient, opaque, "", codec.Field{Name: "clientID", Value: strconv.Itoa(int(opaque))}))
	}
	if h.inFlight.all > 1 {
		t.Errorf("%d requests wait", h.inFlight.all)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 49})
	h.wantIdle()
}

func TestAnExpiredHeartbeatCountsOnce(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 2, heartbeatBody))
	h.to(brokerAAddress)
	h.to(brokerBAddress)
	h.clock += 3 * time.Second
	h.Wake(h.clock)
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError {
		t.Errorf("got %v", got.ResponseCode())
	}
	h.wantStats(map[stats.ID]int64{stats.RequestExpired: 1, stats.ResponseError: 1, stats.ResponseSuccess: 1}) // the success is the route's
	h.wantIdle()
}

func TestABrokerTheNameServersForgotIsServedWhileItsConnectionLives(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-a", "t"))
	one(t, h.tookUp(brokerAAddress))
	h.upstreams[1].target.broker = "forgotten"
	h.send(sendV2(2, "forgotten", "t"))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 2 {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

func TestQueuedBytesAreBoundedOverAllBrokers(t *testing.T) {
	h := dialUnified(t)
	for opaque, broker := range []string{"broker-a", "broker-b", "broker-a"} {
		h.send(request(requests.SendMessage, int32(opaque), strings.Repeat("x", 40<<10), codec.Field{Name: "bname", Value: broker}))
	}
	h.wantOneAnswer(2, codec.ResponseSystemBusy)
	h.wantIdle()
}

func TestConnectionsAreServedAfterAFailedRefresh(t *testing.T) {
	h := dial(t, newEnvironment(t, unifiedMode, fakeNameServers{down: true}), 19876, terminal)
	h.send(request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}))
	one(t, h.tookUp(nameServerAddress))
	h.wantIdle()
}

func TestABrokerThatJoinsGetsTheNextHeartbeatAtOnce(t *testing.T) {
	h := dialUnified(t)
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	h.tookUp(brokerAAddress)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 6, heartbeatBody))
	one(t, h.tookUp(brokerAAddress))
	h.wantIdle()
}

func TestUnregisterReachesEveryBroker(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.UnregisterClient, 5, "", codec.Field{Name: "clientID", Value: "1@2"}, codec.Field{Name: "consumerGroup", Value: "g"}))
	one(t, h.tookUp(brokerAAddress))
	one(t, h.tookUp(brokerBAddress))
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 5, ""))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 5, ""))
	if got := one(t, h.tookDown()); got.Opaque != 5 || got.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("got %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.Unregister: 1})
	h.wantIdle()
}

func TestALostBrokerIsAnsweredForAndRegisteredAtAgainFirst(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		h.receive(h.to(address), response(codec.ResponseSuccess, 5, ""))
	}
	h.tookDown()
	h.send(append(sendV2(6, "broker-a", "t"), sendV2(7, "broker-b", "t")...))
	h.UpstreamClosed(h.clock, h.to(brokerAAddress))
	if got := one(t, h.tookDown()); got.Opaque != 6 || got.ResponseCode() != codec.ResponseSystemError {
		t.Errorf("got %+v", got.Header)
	}
	if h.host.downClosed {
		t.Error("the client lost its connection for one broker")
	}
	h.send(sendV2(8, "broker-a", "t"))
	if got := h.tookUp(brokerAAddress); len(got) != 2 || requests.CodeOf(&got[0].Header) != requests.HeartBeat || got[1].Opaque != 8 {
		t.Errorf("the reopened broker got %v", got)
	}
	h.receive(h.to(brokerAAddress), append(response(codec.ResponseSuccess, firstReplayOpaque, ""), response(codec.ResponseSuccess, 8, "")...))
	if got := one(t, h.tookDown()); got.Opaque != 8 {
		t.Errorf("the client got %v: the replay's answer is not its business", got)
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamLost: 1, stats.HeartbeatReplayed: 1, stats.ResponseUnexpected: 0, stats.RequestActive: 1})
	h.wantIdle()
}

func TestABrokerThatCannotBeReachedIsAnsweredFor(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-a", "t"))
	h.UpstreamFailed(h.clock, 1, RemoteFailure)
	if got := one(t, h.tookDown()); got.Opaque != 1 || got.ResponseCode() != codec.ResponseServiceNotAvailable {
		t.Errorf("got %+v", got.Header)
	}
	h.send(sendV2(2, "broker-a", "t"))
	h.clock += 3 * time.Second
	h.Wake(h.clock)
	if got := one(t, h.tookDown()); got.Opaque != 2 || got.ResponseCode() != codec.ResponseServiceNotAvailable {
		t.Errorf("got %+v", got.Header)
	}
	if !h.host.upClosed[2] {
		t.Error("the connection attempt goes on")
	}
	h.wantStats(map[stats.ID]int64{stats.UpstreamConnectFailure: 2, stats.UpstreamActive: 0})
	h.wantIdle()
}

func TestConsumerListIsAskedOfTheSameBrokerByEverySession(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	asked := map[string]bool{}
	for range 5 {
		h := dial(t, e, 19876, terminal)
		h.learnRoute()
		h.send(request(requests.HeartBeat, 5, heartbeatBody))
		h.tookUp(brokerAAddress)
		h.tookUp(brokerBAddress)
		h.send(request(requests.GetConsumerListByGroup, 6, "", codec.Field{Name: "consumerGroup", Value: "g"}))
		for _, address := range []string{brokerAAddress, brokerBAddress} {
			if len(h.tookUp(address)) == 1 {
				asked[address] = true
			}
		}
		h.wantIdle()
	}
	if len(asked) != 1 {
		t.Errorf("asked of %v", asked)
	}
}

func TestAConsumerWithTwoConnectionsIsNamedOnce(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	h.send(request(requests.HeartBeat, 5, heartbeatBody))
	for opaque, x := range []struct{ answer, want string }{
		{`{"consumerIdList":["x@1","y@2","x@1"]}`, `{"consumerIdList":["x@1","y@2"]}`},
		{`{"consumerIdList":["x@1"]}`, `{"consumerIdList":["x@1"]}`},
		{`{"consumerIdList":7}`, `{"consumerIdList":7}`},
	} {
		h.tookUp(brokerAAddress)
		h.tookUp(brokerBAddress)
		h.tookDown()
		h.send(request(requests.GetConsumerListByGroup, 10+int32(opaque), "", codec.Field{Name: "consumerGroup", Value: "g"}))
		asked := brokerAAddress
		if len(h.tookUp(asked)) == 0 {
			asked = brokerBAddress
		}
		h.receive(h.to(asked), response(codec.ResponseSuccess, 10+int32(opaque), x.answer))
		if got := one(t, h.tookDown()); got.body != x.want || got.Opaque != 10+int32(opaque) {
			t.Errorf("got %q to %d, want %q", got.body, got.Opaque, x.want)
		}
	}
	h.wantStats(map[stats.ID]int64{stats.ConsumerNamedTwice: 1})
	h.wantIdle()
}

func TestLocksGoToTheBrokerOfTheirQueues(t *testing.T) {
	h := dialUnified(t)
	h.send(request(requests.LockBatchMQ, 1, `{"clientId":"c","consumerGroup":"g","mqSet":[{"brokerName":"broker-b","queueId":0,"topic":"t"}],"onlyThisBroker":false}`))
	one(t, h.tookUp(brokerBAddress))
	h.wantIdle()
}

func TestDeadlinesAreAnsweredAndLateAnswersDropped(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-a", "t"))
	up := h.to(brokerAAddress)
	h.send(request(requests.LockBatchMQ, 2, `{"mqSet":[{"brokerName":"broker-a","queueId":0,"topic":"t"}]}`))
	if want := h.clock + 900*time.Millisecond; h.host.wakeAt != want {
		t.Errorf("woken at %v, want %v", h.host.wakeAt, want)
	}
	h.clock += time.Second
	h.Wake(h.clock)
	if got := one(t, h.tookDown()); got.Opaque != 2 || got.ResponseCode() != codec.ResponseSystemError {
		t.Errorf("got %+v", got.Header)
	}
	h.receive(up, append(response(codec.ResponseSuccess, 2, ""), response(codec.ResponseSuccess, 1, "")...))
	if got := one(t, h.tookDown()); got.Opaque != 1 {
		t.Errorf("got %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestExpired: 1, stats.ResponseUnexpected: 1, stats.RequestActive: 0})
	h.wantIdle()
}

// A producer may wait longer than its clients do by default: its sends have the time that the config gives them.
func TestSendsHaveTheTimeOfTheConfig(t *testing.T) {
	h := dialUnified(t)
	h.environment.Config.Timeouts.Send = 10 * time.Second
	h.environment.Config.Timeouts.Short = 20 * time.Second
	h.send(sendV2(1, "broker-a", "t"))
	up := h.to(brokerAAddress)
	h.send(request(requests.ConsumerSendMsgBack, 2, "", codec.Field{Name: "bname", Value: "broker-a"}))
	h.clock += 9 * time.Second
	h.Wake(h.clock)
	if got := h.tookDown(); len(got) != 0 {
		t.Fatalf("answered too early: %v", got)
	}
	h.clock += time.Second
	h.Wake(h.clock)
	if got := one(t, h.tookDown()); got.Opaque != 1 || got.Remark() != deadlinePassed.reply.Remark {
		t.Errorf("got %+v", got.Header)
	}
	h.clock += 10 * time.Second
	h.Wake(h.clock)
	if got := one(t, h.tookDown()); got.Opaque != 2 {
		t.Errorf("got %+v", got.Header)
	}
	stored := []codec.Field{{Name: "msgId", Value: "0A00000100002A9F0000000000000001"}, {Name: "queueId", Value: "0"}, {Name: "queueOffset", Value: "1"}}
	h.receive(up, response(codec.ResponseSuccess, 1, "", stored...))
	h.receive(up, response(codec.ResponseSuccess, 2, ""))
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("late answers passed: %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestExpired: 2, stats.ResponseUnexpected: 2, stats.SendAnsweredLate: 1})
	h.wantIdle()
}

func TestLongPollsHaveTheTimeTheyAskFor(t *testing.T) {
	polls := []requests.Code{
		requests.PullMessage, requests.LitePullMessage, requests.PopMessage, requests.PopLiteMessage, requests.Notification,
	}
	for _, code := range polls {
		h := dialUnified(t)
		h.send(request(code, 1, "", codec.Field{Name: "bname", Value: "broker-a"}, codec.Field{Name: "sysFlag", Value: "6"},
			codec.Field{Name: "suspendTimeoutMillis", Value: "20000"}, codec.Field{Name: "pollTime", Value: "20000"}))
		h.to(brokerAAddress)
		h.clock += 29 * time.Second
		h.Wake(h.clock)
		if got := h.tookDown(); len(got) != 0 {
			t.Errorf("%v was answered early: %v", code, got)
		}
		h.clock += time.Second
		h.Wake(h.clock)
		one(t, h.tookDown())
		h.wantIdle()
	}
	waits := 0
	for i := range requests.Table {
		if requests.Table[i].LongPoll.Wait != "" {
			waits++
		}
	}
	if waits != len(polls) {
		t.Errorf("%d codes are long polls, %d are tested", waits, len(polls))
	}
}

func TestBrokersRequestsKeepApartAndTheirAnswersFindThemBack(t *testing.T) {
	h := dialUnified(t)
	h.send(append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-b", "t")...))
	a, b := h.to(brokerAAddress), h.to(brokerBAddress)
	h.tookUp(brokerAAddress)
	h.tookUp(brokerBAddress)
	h.receive(a, request(requests.GetConsumerRunningInfo, 42, ""))
	h.receive(b, request(requests.GetConsumerRunningInfo, 42, ""))
	h.receive(b, oneway(requests.NotifyConsumerIDsChanged, 43))
	asked := h.tookDown()
	if len(asked) != 3 || asked[0].Opaque == asked[1].Opaque || asked[2].Opaque != 43 {
		t.Fatalf("the client got %v", asked)
	}
	h.send(response(codec.ResponseSuccess, asked[1].Opaque, "from the client, for b"))
	h.send(response(codec.ResponseSuccess, asked[0].Opaque, "from the client, for a"))
	h.send(response(codec.ResponseSuccess, 4711, "nobody asked"))
	if got := one(t, h.tookUp(brokerAAddress)); got.Opaque != 42 || !strings.HasSuffix(got.body, "for a") {
		t.Errorf("broker-a got %v", got)
	}
	if got := one(t, h.tookUp(brokerBAddress)); got.Opaque != 42 || !strings.HasSuffix(got.body, "for b") {
		t.Errorf("broker-b got %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.ServerRequest: 3, stats.ClientResponseUnexpected: 1})
	h.wantIdle()
}

func TestBrokersRequestsThatTheClientNeverAnswersExpire(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-a", "t"))
	h.receive(h.to(brokerAAddress), request(requests.GetConsumerRunningInfo, 42, ""))
	h.clock += 11 * time.Second
	h.Wake(h.clock)
	h.wantStats(map[stats.ID]int64{stats.ServerRequestExpired: 1})
	if len(h.shared().serverRequests) != 0 {
		t.Error("it is still remembered")
	}
	h.wantIdle()
}

func TestEndTransactionWithoutNameGoesToTheBrokerThatAsked(t *testing.T) {
	h := dialUnified(t)
	h.send(sendV2(1, "broker-b", "t"))
	h.receive(h.to(brokerBAddress), oneway(requests.CheckTransactionState, 1, codec.Field{Name: "tranStateTableOffset", Value: "12"}, codec.Field{Name: "commitLogOffset", Value: "3456"}))
	h.tookUp(brokerBAddress)
	h.send(oneway(requests.EndTransaction, 2, codec.Field{Name: "tranStateTableOffset", Value: "12"}, codec.Field{Name: "commitLogOffset", Value: "3456"}, codec.Field{Name: "bname", Value: ""}))
	if got := one(t, h.tookUp(brokerBAddress)); requests.CodeOf(&got.Header) != requests.EndTransaction {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

func TestEndTransactionWithoutNameGoesWhereTheHalfMessageWasSent(t *testing.T) {
	h := dialUnified(t)
	h.send(request(requests.SendMessageV2, 1, "half", codec.Field{Name: "b", Value: "t"}, codec.Field{Name: "f", Value: "4"}, codec.Field{Name: "n", Value: "broker-b"}))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 1, "", codec.Field{Name: "msgId", Value: "7F00000100002A9F0000000000000D80"}, codec.Field{Name: "queueOffset", Value: "12"}))
	h.tookUp(brokerBAddress)
	h.send(oneway(requests.EndTransaction, 2, codec.Field{Name: "tranStateTableOffset", Value: "12"}, codec.Field{Name: "commitLogOffset", Value: "3456"}))
	one(t, h.tookUp(brokerBAddress))
	h.wantStats(map[stats.ID]int64{stats.RequestRefused: 0})
	h.wantIdle()
}

func TestChangesOfTheClusterReachEveryBrokerAndAllMustAgree(t *testing.T) {
	for name, code := range map[string]codec.ResponseCode{"all agree": codec.ResponseSuccess, "one does not": codec.ResponseNoPermission} {
		t.Run(name, func(t *testing.T) {
			h := dialUnified(t)
			h.send(request(requests.UpdateAndCreateTopic, 1, "", codec.Field{Name: "topic", Value: "new"}))
			one(t, h.tookUp(brokerAAddress))
			one(t, h.tookUp(brokerBAddress))
			h.receive(h.to(brokerAAddress), response(code, 1, ""))
			h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 1, ""))
			if got := one(t, h.tookDown()); got.ResponseCode() != code || got.Opaque != 1 {
				t.Errorf("got %+v", got.Header)
			}
			h.wantIdle()
		})
	}
}

func TestAnUndecodableBrokerLosesItsConnectionAlone(t *testing.T) {
	h := dialUnified(t)
	h.send(append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-b", "t")...))
	a := h.to(brokerAAddress)
	h.to(brokerBAddress)
	h.receive(a, append(response(codec.ResponseSuccess, 99, "stranger"), 0, 0, 0, 1))
	if got := one(t, h.tookDown()); got.Opaque != 1 || got.ResponseCode() != codec.ResponseSystemError {
		t.Errorf("got %+v", got.Header)
	}
	if !h.host.upClosed[a] || h.host.downClosed {
		t.Error("want the broker's connection closed and the client's open")
	}
	h.wantStats(map[stats.ID]int64{stats.ResponseDecodingError: 1, stats.RequestActive: 1, stats.Response: 2})
	h.wantIdle()
}

func TestBytesForAConnectionThatOpensAreBounded(t *testing.T) {
	h := dialUnified(t)
	var event []byte // that bytes come together makes no difference
	for opaque := range int32(3) {
		event = append(event, request(requests.SendMessage, opaque, strings.Repeat("x", 40<<10), codec.Field{Name: "bname", Value: "broker-a"})...)
	}
	h.send(event)
	h.wantOneAnswer(2, codec.ResponseSystemBusy)
	h.wantIdle()
}

func TestChangesOfNameServerDataReachAllNameServersAndAllMustAgree(t *testing.T) {
	h := dialUnified(t)
	h.send(request(requests.WipeWritePermOfBroker, 1, "", codec.Field{Name: "brokerName", Value: "broker-a"}))
	one(t, h.tookUp(nameServerAddress))
	h.receive(h.to(nameServerAddress), response(codec.ResponseSystemError, 1, ""))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError {
		t.Errorf("got %v", got.ResponseCode())
	}
	h.send(request(requests.WipeWritePermOfBroker, 2, "", codec.Field{Name: "brokerName", Value: "broker-a"}))
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 2, "", codec.Field{Name: "wipeTopicCount", Value: "7"}))
	got := one(t, h.tookDown())
	if n, _ := got.IntField("wipeTopicCount"); n != 7 || got.Opaque != 2 {
		t.Errorf("got opaque %d, wipeTopicCount %d: the answer's own fields are lost", got.Opaque, n)
	}
	h.wantIdle()
}

func TestManyBrokersAreBounded(t *testing.T) {
	h := dialUnified(t)
	fill, _ := fakeNameServers{}.Brokers(t.Context(), "")
	for i := range 10 {
		a := fill[0]
		a.BrokerName, a.Addr = "many-"+strconv.Itoa(i), "10.0.1."+strconv.Itoa(i)+":10911"
		h.environment.Clusters.First().LearnBrokers(append(fill[:0:0], a))
		h.send(sendV2(int32(i), a.BrokerName, "t"))
	}
	if got := h.tookDown(); len(got) != 2 || got[0].ResponseCode() != codec.ResponseSystemBusy {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}
