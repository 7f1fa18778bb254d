// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// What clients are told of bad requests. docs/REQUEST_CODES.md has the rules.
const (
	saysUnnamed     = "does not name its broker"
	saysUnreadable  = "unreadable body"
	saysAddressOnly = "goes to the broker whose address is dialled"
	saysInternal    = "for use inside the cluster"
	saysNoBroker    = "no broker is known"
)

// TestEveryKindAnswersARequestThatSaysNothing sends each request code without fields and with a body that is not
// JSON: whatever cannot be forwarded is answered with its own opaque, and the connection lives on.
func TestEveryKindAnswersARequestThatSaysNothing(t *testing.T) {
	bodies := map[requests.Code]string{ // where the remark is not that of the class
		requests.ViewMessageByID:              "only at its own address",
		requests.GetSystemTopicListFromBroker: saysNoBroker,
		requests.LockBatchMQ:                  saysUnreadable,
		requests.UnlockBatchMQ:                saysUnreadable,
		requests.BatchAckMessage:              saysUnreadable,
		requests.CheckClientConfig:            saysUnreadable,
		requests.QueryAssignment:              saysUnreadable,
		requests.HeartBeat:                    "unreadable HeartbeatData",
		requests.QueryMessage:                 saysNoBroker,
		requests.GetConsumerListByGroup:       saysUnnamed,
	}
	for _, kind := range requests.Table {
		h := dialUnified(t)
		h.send(request(kind.Code, 77, "{"))
		want := bodies[kind.Code]
		forwarded := false
		if want == "" {
			switch kind.Class {
			case requests.Named, requests.AnyBroker:
				want = saysUnnamed
			case requests.AddressOnly:
				want = saysAddressOnly
			case requests.Internal, requests.FromBroker:
				want = saysInternal
			default:
				forwarded = true // what is wrong with it a server must say
			}
		}
		answers := h.tookDown()
		switch {
		case forwarded && (len(answers) != 0 || len(h.host.order) == 0):
			t.Errorf("%v: got %v on %d connections, want it forwarded", kind.Code, answers, len(h.host.order))
		case !forwarded && (len(answers) != 1 || answers[0].Opaque != 77 || !answers[0].IsResponse() ||
			answers[0].ResponseCode() == codec.ResponseSuccess || !strings.Contains(answers[0].Remark(), want)):
			t.Errorf("%v: got %v, want an answer with %q", kind.Code, answers, want)
		case !forwarded:
			h.wantStats(map[stats.ID]int64{stats.RequestRefused: 1})
		}
		if h.host.downClosed {
			t.Errorf("%v: closed", kind.Code)
		}
		h.wantIdle()
	}
}

func TestAbsurdRequestsAreAnswered(t *testing.T) {
	field := func(name, value string) codec.Field { return codec.Field{Name: name, Value: value} }
	for name, c := range map[string]struct {
		code   requests.Code
		body   string
		fields []codec.Field
		want   codec.ResponseCode
		remark string
	}{
		"queue of a static topic that is no number":  {requests.PullMessage, "", []codec.Field{field("bname", "__syslo__global__"), field("topic", "t"), field("queueId", "x")}, codec.ResponseVersionNotSupported, saysUnnamed},
		"queue of a static topic beyond an int":      {requests.PullMessage, "", []codec.Field{field("bname", "__syslo__global__"), field("topic", "t"), field("queueId", "99999999999")}, codec.ResponseVersionNotSupported, saysUnnamed},
		"queue of a static topic nobody has":         {requests.PullMessage, "", []codec.Field{field("bname", "__syslo__global__"), field("topic", "t"), field("queueId", "-1")}, codec.ResponseServiceNotAvailable, "static topic"},
		"broker that does not exist":                 {requests.PullMessage, "", []codec.Field{field("bname", "broker-z")}, codec.ResponseServiceNotAvailable, "does not know the address"},
		"broker with an empty name":                  {requests.SendMessageV2, "x", []codec.Field{field("n", "")}, codec.ResponseVersionNotSupported, saysUnnamed},
		"locks of two brokers":                       {requests.LockBatchMQ, `{"mqSet":[{"topic":"t","brokerName":"broker-a","queueId":0},{"topic":"t","brokerName":"broker-b","queueId":0}]}`, nil, codec.ResponseSystemError, "are for several brokers"},
		"lock without a queue":                       {requests.LockBatchMQ, `{"mqSet":[]}`, nil, codec.ResponseVersionNotSupported, saysUnnamed},
		"lock between brokers":                       {requests.LockBatchMQ, `{"onlyThisBroker":true,"mqSet":[{"topic":"t","brokerName":"broker-a","queueId":0}]}`, nil, codec.ResponseRequestCodeNotSupported, saysInternal},
		"lock whose queues are no list":              {requests.UnlockBatchMQ, `{"mqSet":{}}`, nil, codec.ResponseSystemError, saysUnreadable},
		"acknowledgements without a broker":          {requests.BatchAckMessage, `{"acks":[]}`, nil, codec.ResponseVersionNotSupported, saysUnnamed},
		"acknowledgements that are no list":          {requests.BatchAckMessage, `{"acks":7,"brokerName":"broker-a"}`, nil, codec.ResponseSystemError, saysUnreadable},
		"receipt that is too short":                  {requests.AckMessage, "", []codec.Field{field("extraInfo", "1 2 3")}, codec.ResponseVersionNotSupported, saysUnnamed},
		"receipt of a broker that does not exist":    {requests.AckMessage, "", []codec.Field{field("extraInfo", "1 2 3 4 0 broker-z 1 2")}, codec.ResponseServiceNotAvailable, "does not know the address"},
		"recall handle that is not base64":           {requests.RecallMessage, "", []codec.Field{field("recallHandle", "%%%")}, codec.ResponseVersionNotSupported, saysUnnamed},
		"recall handle of another version":           {requests.RecallMessage, "", []codec.Field{field("recallHandle", "djkgdCBicm9rZXItYSAxIGlk")}, codec.ResponseVersionNotSupported, saysUnnamed},
		"heartbeat that is a list":                   {requests.HeartBeat, `[]`, nil, codec.ResponseSystemError, "unreadable HeartbeatData"},
		"end of a transaction that nobody asked for": {requests.EndTransaction, "", []codec.Field{field("tranStateTableOffset", "1"), field("commitLogOffset", "x")}, codec.ResponseVersionNotSupported, saysUnnamed},
		"code that does not exist":                   {7777, "", nil, codec.ResponseRequestCodeNotSupported, "not known and names no broker"},
	} {
		h := dialUnified(t)
		h.send(request(c.code, 5, c.body, c.fields...))
		got := one(t, h.tookDown())
		if got.Opaque != 5 || got.ResponseCode() != c.want || !strings.Contains(got.Remark(), c.remark) {
			t.Errorf("%s: got %v %q, want %v with %q", name, got.ResponseCode(), got.Remark(), c.want, c.remark)
		}
		h.wantStats(map[stats.ID]int64{stats.RequestRefused: 1})
		h.send(oneway(c.code, 6, c.fields...)) // what wants no answer gets none
		if got := h.tookDown(); c.body == "" && len(got) != 0 {
			t.Errorf("%s: a oneway request was answered: %v", name, got)
		}
		h.wantIdle()
	}
}

// framed makes a frame of a header as it stands.
func framed(header string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)))
	return append(binary.BigEndian.AppendUint32(b, uint32(len(header))), header...)
}

func TestTheLogNamesTheMemberThatClosesAConnection(t *testing.T) {
	e := limited(t, unifiedMode, func(*apiv1.Config) {})
	var lines []string
	e.Warn = func(_ Instant, format string, arguments ...any) {
		lines = append(lines, logline.Format(format, arguments...))
	}
	h := dial(t, e, 19876, terminal)
	h.send(framed(`{"code":105,"opaque":1,"flag":true}`))
	if want := []string{`the connection to "10.1.1.1:5000" is closed, it has sent what cannot be read: "bad_header: bad value of member \"flag\""`}; !slices.Equal(lines, want) {
		t.Errorf("got %q\nwant %q", lines, want)
	}
}

// TestUnusualHeadersAreJudgedAsTheBrokerReadsThem sends a change in forms that RocketMQ takes.
func TestUnusualHeadersAreJudgedAsTheBrokerReadsThem(t *testing.T) {
	for _, header := range []string{
		`{"code":"17","opaque":5,"extFields":{"topic":"T"}}`,
		`{"code":17,"opaque":"5","flag":null,"version":"479","remark":7,"extFields":{"topic":"T"}}`,
	} {
		h := dial(t, limited(t, unifiedMode, func(c *apiv1.Config) { c.Policy.ReadOnlyAdmin = true }), 19876, terminal)
		h.send(framed(header))
		h.wantOneAnswer(5, codec.ResponseNoPermission)
	}
}
