// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// observed has an environment tell what ended.
type observed struct{ records []Record }

func (o *observed) Ended(r *Record) { o.records = append(o.records, *r) }

func observe(e *Environment) *observed {
	o := &observed{}
	e.Observers = []Observer{o}
	return o
}

// brief is what matters of the records so far, and forgets them.
func (o *observed) brief() string {
	var lines []string
	for _, r := range o.records {
		if r.Connection {
			lines = append(lines, fmt.Sprintf("connection %s %d requests %v", r.Client, r.Requests, r.Duration))
			continue
		}
		outcome := "no answer"
		if r.Answered {
			outcome = r.ResponseCode.String()
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v %d %s/%s/%s %s %s %v %s %s", r.Code, r.Opaque, r.Topic, r.ProducerGroup, r.ConsumerGroup, r.Broker, r.Server, r.Duration, outcome, r.Cause)))
	}
	o.records = nil
	return strings.Join(lines, "\n")
}

func (o *observed) want(t *testing.T, want string) {
	t.Helper()
	if got := o.brief(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestObserversLearnOfEachRequestOnceWhenItEnds(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	o := observe(e)
	h := dial(t, e, 20911, inPlace)
	h.send(sendV2(1, "broker-a", "t"))
	h.send(request(requests.PullMessage, 2, "", codec.Field{Name: "consumerGroup", Value: "g"}, codec.Field{Name: "topic", Value: "t"}))
	h.send(oneway(requests.EndTransaction, 3, codec.Field{Name: "producerGroup", Value: "p"}))
	h.send(request(requests.RegisterBroker, 4, ""))
	o.want(t, "END_TRANSACTION 3 /p/ broker-a 10.0.0.1:10911 0s no answer\nREGISTER_BROKER 4 // broker-a  0s REQUEST_CODE_NOT_SUPPORTED refused")
	h.clock += 3 * time.Millisecond
	answer := response(codec.ResponsePullNotFound, 2, "")
	h.receive(h.only().id, answer)
	if r := o.records[0]; r.ResponseBytes != len(answer) || r.Client != "10.1.1.1:5000" || r.Local != "127.0.0.1:20911" || r.Language != codec.LanguageJava || r.Version != 479 || r.IsError() {
		t.Errorf("got %+v", r)
	}
	o.want(t, "PULL_MESSAGE 2 t//g broker-a 10.0.0.1:10911 3ms PULL_NOT_FOUND")
	h.clock += time.Second
	h.Close(h.clock)
	o.want(t, "SEND_MESSAGE_V2 1 t/p/ broker-a 10.0.0.1:10911 1.003s no answer client_gone\nconnection 10.1.1.1:5000 4 requests 1.003s")
}

func TestObserversLearnOfRequestsOfAUnifiedConnection(t *testing.T) {
	e := newEnvironment(t, unifiedMode, fakeNameServers{})
	o := observe(e)
	h := dial(t, e, 19876, terminal)
	h.learnRoute()
	o.want(t, "GET_ROUTEINFO_BY_TOPIC 1000 t//  10.0.0.9:9876 0s SUCCESS")
	h.send(request(requests.HeartBeat, 1, heartbeatBody))
	h.send(request(requests.HeartBeat, 2, heartbeatBody)) // the same for another broker
	h.send(sendV2(3, "broker-b", "t"))
	h.send(sendV2(4, "broker-c", "t"))
	o.want(t, "SEND_MESSAGE_V2 4 t/p/   0s SERVICE_NOT_AVAILABLE refused")
	h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, 1, ""))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 1, ""))
	o.want(t, "HEART_BEAT 1 //   0s SUCCESS\nHEART_BEAT 2 //   0s SUCCESS")
	h.send(request(requests.HeartBeat, 5, heartbeatBody)) // answered at once
	o.want(t, "HEART_BEAT 5 //   0s SUCCESS")
	h.UpstreamClosed(h.clock, h.to(brokerBAddress))
	o.want(t, "SEND_MESSAGE_V2 3 t/p/ broker-b 10.0.0.2:10911 0s SYSTEM_ERROR upstream_lost")
	h.send(request(requests.UnregisterClient, 6, "", codec.Field{Name: "consumerGroup", Value: "g"}))
	h.send(sendV2(7, "broker-a", "t"))
	h.send(sendV2(7, "broker-a", "t")) // ends the connection
	o.want(t, "SEND_MESSAGE_V2 7 t/p/ broker-a 10.0.0.1:10911 0s no answer opaque_reused\n"+
		"SEND_MESSAGE_V2 7 t/p/ broker-a 10.0.0.1:10911 0s no answer client_gone\n"+
		"UNREGISTER_CLIENT 6 //g   0s no answer client_gone")
}

func TestObserversLearnWhyARequestFailed(t *testing.T) {
	e := withPolicy(t, newEnvironment(t, unifiedMode, fakeNameServers{}), denySecret)
	o := observe(e)
	h := dial(t, e, 19876, terminal)
	h.send(sendV2(1, "broker-a", "secret"))
	if r := o.records[0]; r.Remark != `denied by the rule "secrets" of this proxy's policy: ask its operator if this client shall be allowed` || !r.IsError() {
		t.Errorf("got %+v", r)
	}
	o.want(t, "SEND_MESSAGE_V2 1 secret/p/   0s NO_PERMISSION refused")
	h.send(sendV2(2, "broker-a", "t"))
	h.UpstreamFailed(h.clock, h.host.order[0], RemoteFailure)
	o.want(t, "SEND_MESSAGE_V2 2 t/p/ broker-a 10.0.0.1:10911 0s SERVICE_NOT_AVAILABLE upstream_failed")
	h.send(sendV2(3, "broker-b", "t"))
	h.to(brokerBAddress)
	h.clock += time.Minute
	h.Wake(h.clock)
	o.want(t, "SEND_MESSAGE_V2 3 t/p/ broker-b 10.0.0.2:10911 1m0s SYSTEM_ERROR deadline_passed")
	h.send(request(requests.GetRouteInfoByTopic, 4, "", codec.Field{Name: "topic", Value: "t"}))
	h.receive(h.to(nameServerAddress), response(codec.ResponseSuccess, 4, "?"))
	o.want(t, "GET_ROUTEINFO_BY_TOPIC 4 t//  10.0.0.9:9876 0s SYSTEM_ERROR answer_unreadable")
	h.send(request(requests.UpdateAndCreateTopic, 5, "", codec.Field{Name: "topic", Value: "t"}))
	h.receive(h.to(brokerAAddress), response(codec.ResponseNoPermission, 5, ""))
	h.receive(h.to(brokerBAddress), response(codec.ResponseSuccess, 5, ""))
	o.want(t, "UPDATE_AND_CREATE_TOPIC 5 t//   0s NO_PERMISSION")
	h.wantIdle()
}

func TestTextsOfRecordsAreBounded(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	o := observe(e)
	h := dial(t, e, 20911, inPlace)
	h.send(oneway(requests.SendMessageV2, 1, codec.Field{Name: "b", Value: strings.Repeat("t", 1000)}, codec.Field{Name: "a", Value: strings.Repeat("g", 1000)}))
	if r := o.records[0]; len(r.Topic) != 255 || len(r.ProducerGroup) != 255 {
		t.Errorf("got %d and %d bytes", len(r.Topic), len(r.ProducerGroup))
	}
}

func TestBatchesAreKeptUntilTheyAreWholeWhereMessagesAreCounted(t *testing.T) {
	batch := request(requests.SendBatchMessage, 1, strings.Repeat("\x00\x00\x00\x16"+strings.Repeat("m", 18), 3), codec.Field{Name: "b", Value: "t"})
	for _, counts := range []bool{false, true} {
		e := newEnvironment(t, perBroker, fakeNameServers{})
		e.CountsMessages = counts
		o := observe(e)
		h := dial(t, e, 20911, inPlace)
		h.send(batch[:len(batch)-1])
		if got := h.host.up[h.only().id].Len(); (got == 0) != counts {
			t.Errorf("counts %v: %d bytes went on before all were there", counts, got)
		}
		h.send(batch[len(batch)-1:])
		h.receive(h.only().id, response(codec.ResponseSuccess, 1, ""))
		want := 0
		if counts {
			want = 3
		}
		if r := o.records[0]; r.Messages != want || r.Topic != "t" || r.RequestBytes != len(batch) {
			t.Errorf("counts %v: got %+v", counts, r)
		}
		h.wantIdle()
	}
}
