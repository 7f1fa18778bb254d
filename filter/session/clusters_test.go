// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

const (
	secondNameServer = "10.0.1.9:9876"
	secondBrokerA    = "10.0.1.1:10911"
	secondBrokerC    = "10.0.1.3:10911"
)

// secondCluster has a broker of a name that the first has too.
type secondCluster struct{ fakeNameServers }

func (secondCluster) Brokers(context.Context, string) ([]body.Address, error) {
	return []body.Address{
		{Cluster: "d", BrokerName: "broker-a", Addr: secondBrokerA},
		{Cluster: "d", BrokerName: "broker-c", Addr: secondBrokerC},
	}, nil
}

// dialTwoClusters starts a unified session; topics that begin with "second" are in the second cluster.
func dialTwoClusters(t *testing.T) *harness {
	t.Helper()
	of := func(topic string) int {
		if strings.HasPrefix(topic, "second") {
			return 1
		}
		return 0
	}
	clusters := directory.NewClusters(of,
		newDirectory(t, []string{nameServerAddress}, fakeNameServers{}),
		newDirectory(t, []string{secondNameServer}, secondCluster{}))
	return dial(t, environmentOf(unifiedMode, clusters), 19876, terminal)
}

// routeOf is a route as the name server of cluster c or d gives it.
func routeOf(cluster string, brokers ...string) string {
	addresses := map[string]string{
		"c broker-a": brokerAAddress, "c broker-b": brokerBAddress,
		"d broker-a": secondBrokerA, "d broker-c": secondBrokerC,
	}
	return route(cluster, brokers, func(name string) string { return addresses[cluster+" "+name] })
}

// advertised is a route as the client shall see it.
func advertised(cluster string, brokers ...string) string {
	return route(cluster, brokers, func(string) string { return "127.0.0.1:19876" })
}

func route(cluster string, brokers []string, address func(string) string) string {
	var datas, queues []string
	for _, b := range brokers {
		datas = append(datas, fmt.Sprintf(`{"brokerAddrs":{0:"%s"},"brokerName":"%s","cluster":"%s"}`, address(b), b, cluster))
		queues = append(queues, fmt.Sprintf(`{"brokerName":"%s","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}`, b))
	}
	return `{"brokerDatas":[` + strings.Join(datas, ",") + `],"filterServerTable":{},"queueDatas":[` + strings.Join(queues, ",") + `]}`
}

func TestATopicsClusterIsAskedForItsRouteAndGetsItsMessages(t *testing.T) {
	h := dialTwoClusters(t)
	for i, topic := range []string{"first", "second-x"} {
		server, broker := nameServerAddress, brokerAAddress
		if i == 1 {
			server, broker = secondNameServer, secondBrokerA
		}
		h.send(request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: topic}))
		if got := one(t, h.tookUp(server)); requests.CodeOf(&got.Header) != requests.GetRouteInfoByTopic {
			t.Fatalf("%s got %+v", server, got.Header)
		}
		h.send(sendV2(2, "broker-a", topic))
		if got := one(t, h.tookUp(broker)); requests.CodeOf(&got.Header) != requests.SendMessageV2 {
			t.Fatalf("%s got %+v", broker, got.Header)
		}
		h.receive(h.to(server), response(codec.ResponseTopicNotExist, 1, ""))
		h.receive(h.to(broker), response(codec.ResponseSuccess, 2, ""))
		if got := h.tookDown(); len(got) != 2 {
			t.Fatalf("the client got %v", got)
		}
	}
	h.wantIdle()
}

func TestABrokerOfAnotherClusterIsRefused(t *testing.T) {
	h := dialTwoClusters(t)
	h.send(sendV2(1, "broker-c", "first"))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseServiceNotAvailable || got.Remark() != brokerUnknown.Remark {
		t.Errorf("got %+v", got.Header)
	}
	h.send(sendV2(2, "broker-c", "second"))
	one(t, h.tookUp(secondBrokerC))
	h.wantIdle()
}

// TestEntriesOfSeveralClustersAreRefused has both clusters know a broker-a: the first entry must not decide for all.
func TestEntriesOfSeveralClustersAreRefused(t *testing.T) {
	for _, c := range []struct {
		code requests.Code
		body string // %s is the topic of the second entry
	}{
		{requests.LockBatchMQ, `{"consumerGroup":"g","mqSet":[{"topic":"second-a","brokerName":"broker-a"},{"topic":"%s","brokerName":"broker-a"}]}`},
		{requests.UnlockBatchMQ, `{"consumerGroup":"g","mqSet":[{"topic":"second-a","brokerName":"broker-a"},{"topic":"%s","brokerName":"broker-a"}]}`},
		{requests.BatchAckMessage, `{"brokerName":"broker-a","acks":[{"t":"second-a","c":"g"},{"t":"%s","c":"g"}]}`},
		{requests.UpdateAndCreateTopicList, `{"topicConfigList":[{"topicName":"second-a"},{"topicName":"%s"}]}`},
		{requests.DeleteTopicInBrokerList, `{"topicList":["second-a","%s"]}`},
	} {
		h := dialTwoClusters(t)
		h.send(request(c.code, 1, fmt.Sprintf(c.body, "first")))
		if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError || got.Remark() != severalClusters.Remark {
			t.Errorf("%v: got %v %q", c.code, got.ResponseCode(), got.Remark())
		}
		h.send(request(c.code, 2, fmt.Sprintf(c.body, "second-b")))
		if got := one(t, h.tookUp(secondBrokerA)); got.Opaque != 2 {
			t.Errorf("%v: the second cluster got %d", c.code, got.Opaque)
		}
		if len(h.host.address) == 0 || h.connected(brokerAAddress) {
			t.Errorf("%v: the first cluster is asked too", c.code)
		}
		h.wantIdle()
	}
}

// connected reports whether there is a connection to an address.
func (h *harness) connected(address string) bool {
	for _, each := range h.host.address {
		if each == address {
			return true
		}
	}
	return false
}

func TestARetryTopicsRouteIsThatOfAllClustersUntilTheGroupIsKnown(t *testing.T) {
	h := dialTwoClusters(t)
	retry := codec.Field{Name: "topic", Value: "%RETRY%g"}
	h.send(request(requests.GetRouteInfoByTopic, 1, "", retry))
	one(t, h.tookUp(nameServerAddress))
	one(t, h.tookUp(secondNameServer))
	h.receive(h.to(secondNameServer), response(codec.ResponseSuccess, 1, routeOf("d", "broker-a", "broker-c")))
	if got := h.tookDown(); len(got) != 0 {
		t.Fatalf("answered early: %v", got)
	}
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 1, routeOf("c", "broker-a", "broker-b")))
	got := one(t, h.tookDown())
	want := `{"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:19876"},"brokerName":"broker-a","cluster":"c"},` // of the first cluster, though it answered last
	if got.ResponseCode() != codec.ResponseSuccess || got.Opaque != 1 || !strings.HasPrefix(got.body, want) ||
		strings.Count(got.body, `"brokerName":"broker-a"`) != 2 || strings.Count(got.body, `"brokerName":"broker-b"`) != 2 || strings.Count(got.body, `"brokerName":"broker-c"`) != 2 {
		t.Errorf("got %v %s", got.Header, got.body)
	}
	h.wantStats(map[stats.ID]int64{stats.BrokerNameClash: 1, stats.ResponseSuccess: 1})

	h.send(request(requests.HeartBeat, 2, strings.ReplaceAll(heartbeatBody, `"topic":"t"`, `"topic":"second"`)))
	for _, address := range []string{brokerAAddress, brokerBAddress, secondBrokerA, secondBrokerC} {
		one(t, h.tookUp(address))
		h.receive(h.to(address), response(codec.ResponseSuccess, 2, ""))
	}
	h.tookDown()
	h.send(request(requests.GetRouteInfoByTopic, 3, "", retry))
	one(t, h.tookUp(secondNameServer))
	if got := h.tookUp(nameServerAddress); len(got) != 0 {
		t.Errorf("the first cluster was asked too: %v", got)
	}
	h.receive(h.to(secondNameServer), response(codec.ResponseSuccess, 3, routeOf("d", "broker-a")))
	if got := one(t, h.tookDown()); got.body != advertised("d", "broker-a") {
		t.Errorf("got %s", got.body)
	}
	// Pop consumers have a retry topic for each topic.
	h.send(request(requests.PullMessage, 4, "", codec.Field{Name: "topic", Value: "%RETRY%g_second"}, codec.Field{Name: "bname", Value: "broker-a"}))
	one(t, h.tookUp(secondBrokerA))
	h.wantIdle()
}

func TestARetryTopicsRouteNeedsTheAnswerOfEveryCluster(t *testing.T) {
	for name, end := range map[string]func(h *harness){
		"refused": func(h *harness) {
			h.receive(h.to(secondNameServer), response(codec.ResponseSystemBusy, 1, "later"))
		},
		"lost":       func(h *harness) { h.UpstreamClosed(h.clock, h.to(secondNameServer)) },
		"unreadable": func(h *harness) { h.receive(h.to(secondNameServer), response(codec.ResponseSuccess, 1, "[")) },
	} {
		h := dialTwoClusters(t)
		h.send(request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "%RETRY%g"}))
		h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 1, routeOf("c", "broker-b")))
		end(h)
		if got := one(t, h.tookDown()); got.ResponseCode() == codec.ResponseSuccess {
			t.Errorf("%s: got %v %s", name, got.Header, got.body)
		}
		h.wantIdle()
	}
	// A cluster that does not have the topic is no failure.
	h := dialTwoClusters(t)
	h.send(request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "%RETRY%g"}))
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 1, routeOf("c", "broker-b")))
	h.receive(h.to(secondNameServer), response(codec.ResponseTopicNotExist, 1, ""))
	if got := one(t, h.tookDown()); got.body != advertised("c", "broker-b") {
		t.Errorf("got %v %s", got.Header, got.body)
	}
	h.wantIdle()
}

func TestATransactionEndsAtTheClusterThatHasItsHalfMessage(t *testing.T) {
	h := dialTwoClusters(t)
	h.send(sendV2(1, "broker-a", "second")) // opens the connection
	check := request(requests.CheckTransactionState, 5, "", codec.Field{Name: "tranStateTableOffset", Value: "7"}, codec.Field{Name: "commitLogOffset", Value: "99"})
	h.receive(h.to(secondBrokerA), check)
	h.tookUp(secondBrokerA)
	h.send(oneway(requests.EndTransaction, 6, codec.Field{Name: "bname", Value: "broker-a"}, codec.Field{Name: "topic", Value: "RMQ_SYS_TRANS_HALF_TOPIC"}, codec.Field{Name: "tranStateTableOffset", Value: "7"}, codec.Field{Name: "commitLogOffset", Value: "99"}))
	if got := one(t, h.tookUp(secondBrokerA)); requests.CodeOf(&got.Header) != requests.EndTransaction {
		t.Errorf("got %v", got.Header)
	}
	h.wantIdle()
}

func TestBodiesNameTheTopicThatDecides(t *testing.T) {
	h := dialTwoClusters(t)
	lock := `{"clientId":"c","consumerGroup":"g","mqSet":[{"brokerName":"broker-a","queueId":1,"topic":"second"}]}`
	h.send(request(requests.LockBatchMQ, 1, lock))
	h.send(request(requests.BatchAckMessage, 2, `{"acks":[{"c":"g","t":"second","b":"AQ=="}],"brokerName":"broker-a"}`))
	if got := h.tookUp(secondBrokerA); len(got) != 2 {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

func TestChangesOfATopicGoToItsClusterAndThoseOfNoneAreRefused(t *testing.T) {
	h := dialTwoClusters(t)
	h.send(request(requests.UpdateAndCreateTopic, 1, "", codec.Field{Name: "topic", Value: "second"}))
	one(t, h.tookUp(secondBrokerA))
	one(t, h.tookUp(secondBrokerC))
	h.send(request(requests.UpdateAndCreateSubscriptionGroup, 2, "{}"))
	h.wantRefusal(2, severalNames)
	if h.connected(brokerAAddress) {
		t.Error("a broker of the first cluster is asked")
	}
	h.wantIdle()
}

func TestAConsumerListIsAskedOfTheClusterOfItsGroup(t *testing.T) {
	h := dialTwoClusters(t)
	h.send(request(requests.HeartBeat, 1, strings.ReplaceAll(heartbeatBody, `"topic":"t"`, `"topic":"second"`)))
	h.environment.Clusters.All()[1].LearnRoute(directory.RouteSource{}, "second", &body.TopicRouteData{Brokers: []body.Address{{BrokerName: "broker-a", Addr: secondBrokerA}}})
	h.tookUp(secondBrokerA)
	h.send(request(requests.GetConsumerListByGroup, 2, "", codec.Field{Name: "consumerGroup", Value: "g"}))
	if got := one(t, h.tookUp(secondBrokerA)); got.Opaque != 2 {
		t.Errorf("got %v", got.Header)
	}
	h.wantIdle()
}

func TestAFanOutAsksOneAddressOnce(t *testing.T) {
	clusters := directory.NewClusters(func(string) int { return 0 },
		newDirectory(t, []string{nameServerAddress}, fakeNameServers{}),
		newDirectory(t, []string{nameServerAddress}, secondCluster{}))
	h := dial(t, environmentOf(unifiedMode, clusters), 19876, terminal)
	h.send(request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "%RETRY%g"}))
	one(t, h.tookUp(nameServerAddress))
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 1, routeOf("c", "broker-b")))
	one(t, h.tookDown())
	h.wantIdle()
}

func TestMergedRoutesDoNotKeepBorrowedBytes(t *testing.T) {
	h := dialTwoClusters(t)
	h.send(request(requests.GetRouteInfoByTopic, 1, "", codec.Field{Name: "topic", Value: "%RETRY%g"}))
	empty := `{"brokerDatas":[],"queueDatas":[]}` // nothing to rewrite
	answer := response(codec.ResponseSuccess, 1, empty)
	h.receive(h.to(nameServerAddress), answer)
	copy(answer, strings.Repeat("!", len(answer)))
	h.receive(h.to(secondNameServer), response(codec.ResponseSuccess, 1, routeOf("d", "broker-c")))
	if got := one(t, h.tookDown()); got.body != advertised("d", "broker-c") {
		t.Errorf("got %v %s", got.Header, got.body)
	}
	h.wantIdle()
}

func TestHalfMessagesAtTheSameOffsetsAreToldApartByTheirTransactions(t *testing.T) {
	h := dialTwoClusters(t)
	offsets := func(id string) []codec.Field {
		return []codec.Field{{Name: "bname", Value: "broker-a"}, {Name: "tranStateTableOffset", Value: "7"}, {Name: "commitLogOffset", Value: "99"}, {Name: "transactionId", Value: id}}
	}
	for address, topic := range map[string]string{brokerAAddress: "first", secondBrokerA: "second"} {
		h.send(sendV2(1, "broker-a", topic))
		h.receive(h.to(address), request(requests.CheckTransactionState, 5, "", offsets(topic)[1:]...))
		h.tookUp(address)
		h.receive(h.to(address), response(codec.ResponseSuccess, 1, ""))
	}
	for address, topic := range map[string]string{brokerAAddress: "first", secondBrokerA: "second"} {
		h.send(oneway(requests.EndTransaction, 6, offsets(topic)...))
		if got := one(t, h.tookUp(address)); requests.CodeOf(&got.Header) != requests.EndTransaction {
			t.Errorf("%s got %v", topic, got.Header)
		}
	}
	h.wantIdle()
}
