// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// realAddresses are the brokers' IP, which nobody else has, and the name server's address, in every form in which
// RocketMQ writes addresses.
type realAddresses [][]byte

func (x *installation) realAddresses() (forms realAddresses) {
	for _, address := range []string{x.NameServer, x.Brokers[0].Addr, x.Brokers[1].Addr} {
		a := netip.MustParseAddrPort(address)
		ip := a.Addr().As4()
		stored := binary.BigEndian.AppendUint32(ip[:], uint32(a.Port())) // storeHost
		forms = append(forms, []byte(address), stored, fmt.Appendf(nil, "%X", stored))
	}
	return append(forms, []byte(netip.MustParseAddrPort(x.Brokers[0].Addr).Addr().String()))
}

func (r realAddresses) in(b []byte) bool {
	for _, form := range r {
		if bytes.Contains(b, form) {
			return true
		}
	}
	return false
}

// probe is what the requests of this test say: all fields of all headers, and all members of all bodies. Java ignores what
// a header or a body does not have.
type probe struct {
	fields map[string]string
	body   []byte
}

func newProbe(broker, topic, group, producerGroup, clientID string) *probe {
	const properties = "KEYS\x01a-key\x02"
	p := &probe{fields: map[string]string{
		"topic": topic, "originTopic": topic, "defaultTopic": "TBW102", "defaultTopicQueueNums": "1", "parentTopic": topic, "liteTopic": topic,
		"consumerGroup": group, "group": group, "groupName": group, "compareGroup": group, "producerGroup": producerGroup,
		"clientId": clientID, "clientID": clientID, "cluster": "DefaultCluster", "brokerName": broker, "bname": broker,
		"queueId": "0", "queueOffset": "0", "offset": "0", "commitOffset": "0", "committed": "true", "index": "0", "count": "8",
		"sysFlag": "0", "suspendTimeoutMillis": "0", "pollTime": "0", "subscription": "*", "subVersion": "0", "expressionType": "TAG",
		"maxMsgNums": "8", "maxMsgNum": "8", "maxNum": "8", "key": "a-key", "beginTimestamp": "0", "endTimestamp": "9999999999999", "timestamp": "0",
		"bornTimestamp": "1", "flag": "0", "properties": properties, "reconsumeTimes": "0", "unitMode": "false", "maxReconsumeTimes": "16", "delayLevel": "1",
		"invisibleTime": "60000", "initMode": "0", "exp": "*", "expType": "TAG", "order": "false", "extraInfo": "0 1 60000 0 0 " + broker + " 0 0",
		"statsName": "TOPIC_PUT_NUMS", "statsKey": topic, "namespace": "a-namespace", "isOrder": "false", "jstackEnable": "false", "filterGroups": "",
		"checkStoreTime": "0", "maxCount": "8", "topK": "8", "username": "u", "subject": "User:u", "resource": "*",
		// SendMessageRequestHeaderV2
		"a": producerGroup, "b": topic, "c": "TBW102", "d": "1", "e": "0", "f": "0", "g": "1", "h": "0", "i": properties, "j": "0", "k": "false", "l": "16", "m": "false", "n": broker,
	}}
	p.body = fmt.Appendf(nil, `{"topic":%[1]q,"consumerGroup":%[2]q,"group":%[2]q,"brokerName":%[3]q,"clientId":%[4]q,"clientID":%[4]q,`+
		`"mqSet":[{"topic":%[1]q,"brokerName":%[3]q,"queueId":0}],"subscriptionData":{"topic":%[1]q,"subString":"*","expressionType":"TAG","subVersion":1},`+
		`"messageModel":"CLUSTERING","strategyName":"AVG","acks":[],"producerDataSet":[],"consumerDataSet":[]}`, topic, group, broker, clientID)
	return p
}

// send makes one request on a connection of its own, and returns the whole answer.
func (p *probe) send(x *installation, address string, code requests.Code) (h *codec.Header, body, all []byte) {
	x.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		x.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	h, body = exchangeOn(x.T, c, p.frame(code))
	return h, body, append(bytes.Clone(h.Raw()), body...)
}

func (p *probe) frame(code requests.Code) []byte {
	p.fields["bornTime"] = strconv.FormatInt(time.Now().UnixMilli(), 10)
	command := codec.Command{Code: int32(code), Language: codec.LanguageJava, Version: 479, Opaque: 7, Body: p.body}
	for _, name := range slices.Sorted(maps.Keys(p.fields)) {
		command.Fields = append(command.Fields, codec.Field{Name: name, Value: p.fields[name]})
	}
	return command.Append(nil)
}

// unanswered are the requests of the test that servers of 5.3.3 refuse here, and why.
var unanswered = map[requests.Code]string{
	requests.SendReplyMessage:          "no request is replied to",
	requests.SendReplyMessageV2:        "no request is replied to",
	requests.BatchAckMessage:           "it acknowledges nothing",
	requests.RecallMessage:             "it is not allowed by default",
	requests.GetBrokerEpochCache:       "there is no controller",
	requests.AuthGetUser:               "there is no ACL",
	requests.AuthListUser:              "there is no ACL",
	requests.AuthGetACL:                "there is no ACL",
	requests.AuthListACL:               "there is no ACL",
	requests.GetBrokerClusterACLInfo:   "up to 5.3.2",
	requests.GetBrokerClusterACLConfig: "up to 5.3.2",
	requests.QueryBrokerOffset:         "a code without a processor",
	requests.GetTopicConfigList:        "a code without a processor",
	requests.GetTopicNameList:          "a code without a processor",
	requests.GetClientConfig:           "a code without a processor",
	requests.WhoConsumeTheMessage:      "a code without a processor",
	requests.PopLiteMessage:            "since 5.4",
	requests.LiteSubscriptionCtl:       "since 5.4",
	requests.AckLiteMessage:            "since 5.4",
	requests.GetBrokerLiteInfo:         "since 5.4",
	requests.GetParentTopicInfo:        "since 5.4",
	requests.GetLiteTopicInfo:          "since 5.4",
	requests.GetLiteClientInfo:         "since 5.4",
	requests.GetLiteGroupInfo:          "since 5.4",
}

// unseen are the answers that can hold addresses and hold none of these servers, and why.
var unseen = map[requests.Code]string{
	requests.GetNamesrvConfig:          "IP and port stand apart",
	requests.GetBrokerHAStatus:         "there is no replica",
	requests.GetConsumerConnectionList: "they are the clients'",
	requests.GetProducerConnectionList: "they are the clients'",
	requests.GetAllProducerInfo:        "they are the clients'",
	requests.GetConsumerRunningInfo:    "it is the proxy's, for which the client was configured",
}

// TestAnswersNameRealAddressesOnlyWhereTheTableSaysSo sends every request that reads, and every request of producers and
// consumers, to a real name server and broker, directly and both ways through the proxy, and searches the answers. The
// tables above are about servers of 5.3.3.
func TestAnswersNameRealAddressesOnlyWhereTheTableSaysSo(t *testing.T) {
	x := install(t, world.Options{Mode: world.SideBySide, RocketMQVersion: "5.3.3", BrokerIP: "127.0.0.9", Topics: map[string]int{"t": queues}})
	broker, real := x.Brokers[0], x.realAddresses()
	var ledger world.Ledger
	x.group(&ledger, "t", "g", 1)
	x.produce(&ledger, "t", 0, 10*allQueues)
	x.drained(&ledger, time.Minute)
	if code, remark := x.ask(x.NameServer, requests.PutKVConfig, map[string]string{"namespace": "a-namespace", "key": "a-key", "value": broker.Addr}, nil); code != codec.ResponseSuccess {
		t.Fatalf("%v: %s", code, remark)
	}
	producer := newProbe(broker.Name, "t", "g", "a-producer", "a-client")
	producer.body = []byte(`{"clientID":"a-client","producerDataSet":[{"groupName":"a-producer"}],"consumerDataSet":[]}`)
	c, err := net.Dial("tcp", broker.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	exchangeOn(t, c, producer.frame(requests.HeartBeat))
	var connections struct {
		ConnectionSet []struct {
			ClientID string `json:"clientId"`
		} `json:"connectionSet"`
	}
	_, body, _ := producer.send(x, broker.Addr, requests.GetConsumerConnectionList)
	if err := json.Unmarshal(body, &connections); err != nil || len(connections.ConnectionSet) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	producer.send(x, broker.Addr, requests.SendMessageV2) // its key is indexed before anybody looks for it

	direct := map[requests.Code]codec.ResponseCode{}
	for _, way := range x.Ways() {
		known := newProbe(broker.Name, "t", "g", "a-producer", connections.ConnectionSet[0].ClientID)
		// A group that has consumed nothing yet.
		fetching := newProbe(broker.Name, "t", "fresh-"+way.Name, "a-producer", "a-client")
		for _, k := range requests.Table {
			if k.Class == requests.Internal || k.Class == requests.FromBroker || k.Effect == requests.Changes ||
				k.Code == requests.EndTransaction { // no broker answers it
				continue
			}
			address, p := way.Broker(broker), known
			if k.Class == requests.NameServer {
				address = way.NameServer
			}
			if k.Code == requests.PopMessage || k.Code == requests.PeekMessage {
				p = fetching
			}
			h, _, all := p.send(x, address, k.Code)
			found, a := real.in(all), k.Addresses
			if !way.Proxied() {
				direct[k.Code] = h.ResponseCode()
				if ok := h.ResponseCode() == codec.ResponseSuccess; ok != (unanswered[k.Code] == "") {
					t.Errorf("%v: a server answers %v %q", k.Code, h.ResponseCode(), h.Remark())
				}
				said := a != requests.Addresses{} && unseen[k.Code] == "" && (unanswered[k.Code] == "" || a.Stored == "msgId")
				if found != said {
					t.Errorf("%v: names a real address: %v, by the table: %v\n%.2000q", k.Code, found, said, all)
				}
				continue
			}
			refused := way.Name == string(world.Unified) && (h.ResponseCode() == codec.ResponseVersionNotSupported || h.ResponseCode() == codec.ResponseServiceNotAvailable)
			if h.ResponseCode() != direct[k.Code] && !refused {
				t.Errorf("%s, %v: got %v %q, a direct client %v", way.Name, k.Code, h.ResponseCode(), h.Remark(), direct[k.Code])
			}
			if found && a.Data+a.Stored == "" {
				t.Errorf("%s, %v: a real address got out:\n%.2000q", way.Name, k.Code, all)
			}
		}
	}
}
