// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// idleHost takes what a session does and keeps none of it.
type idleHost struct{ capabilities Capabilities }

func (h idleHost) Capabilities() Capabilities             { return h.capabilities }
func (idleHost) ConnectUpstream(UpstreamID, string)       {}
func (idleHost) WriteUpstream(_ UpstreamID, _ []byte) int { return 0 }
func (idleHost) CloseUpstream(UpstreamID)                 {}
func (idleHost) WriteDownstream([]byte)                   {}
func (idleHost) DownstreamFull() bool                     { return false }
func (idleHost) CloseDownstream()                         {}
func (idleHost) AbortDownstream()                         {}
func (idleHost) WakeAt(Instant)                           {}

// exchange makes a request and its answer as a Java client and its broker write them.
type exchange struct {
	name            string
	request, answer func(opaque int32) []byte
}

var exchanges = []exchange{
	{
		"send",
		func(opaque int32) []byte {
			return request(requests.SendMessageV2, opaque, strings.Repeat("b", 300), fieldsOf(
				"a", "CapProducer", "b", "CapTopic", "c", "TBW102", "d", "4", "e", "2", "f", "0", "g", "1795552586101", "h", "0",
				"i", "KEYS\x01key-1\x02UNIQ_KEY\x017F000001A1B2C3D4E5F60718293A0001\x02WAIT\x01true\x02TAGS\x01TagA\x02",
				"j", "0", "k", "false", "l", "0", "m", "false", "n", "broker-a")...)
		},
		func(opaque int32) []byte {
			return response(codec.ResponseSuccess, opaque, "", fieldsOf(
				"queueId", "2", "TRACE_ON", "true", "MSG_REGION", "DefaultRegion", "msgId", "7F00000100007D150000000000000123", "queueOffset", "5",
				"transactionId", "7F000001A1B2C3D4E5F60718293A0001")...)
		},
	},
	{
		"pull",
		func(opaque int32) []byte {
			return request(requests.PullMessage, opaque, "", fieldsOf(
				"queueId", "3", "maxMsgBytes", "262144", "maxMsgNums", "32", "sysFlag", "2", "suspendTimeoutMillis", "15000", "commitOffset", "12",
				"bname", "broker-a", "topic", "CapTopic", "queueOffset", "14", "expressionType", "TAG", "subVersion", "1795552586000",
				"consumerGroup", "CapGroup")...)
		},
		func(opaque int32) []byte {
			return response(codec.ResponseSuccess, opaque, strings.Repeat("m", 4<<10), fieldsOf(
				"suggestWhichBrokerId", "0", "groupSysFlag", "0", "nextBeginOffset", "15", "maxOffset", "15", "minOffset", "0", "topicSysFlag", "0")...)
		},
	},
}

func fieldsOf(namesAndValues ...string) (fields []codec.Field) {
	for i := 0; i < len(namesAndValues); i += 2 {
		fields = append(fields, codec.Field{Name: namesAndValues[i], Value: namesAndValues[i+1]})
	}
	return fields
}

// steady is a session that has done the exchange before, and what it sees of n requests in flight.
type steady struct {
	*Session
	upstream          UpstreamID
	requests, answers [][]byte
}

func newSteady(tb testing.TB, mode apiv1.AddressingConfig, port int, capabilities Capabilities, x exchange, n int) *steady {
	tb.Helper()
	h := dial(tb, newEnvironment(tb, mode, fakeNameServers{}), port, capabilities)
	s := &steady{Session: h.Session}
	var requests, answers []byte
	for opaque := range int32(n) {
		requests = append(requests, x.request(1000+opaque)...)
		answers = append(answers, x.answer(1000+opaque)...)
	}
	s.requests, s.answers = [][]byte{requests}, [][]byte{answers}
	h.send(requests)
	s.upstream = h.to(brokerAAddress)
	h.receive(s.upstream, answers)
	if got := len(h.tookDown()); got != n {
		tb.Fatalf("%d of %d requests were answered", got, n)
	}
	s.host = idleHost{capabilities}
	return s
}

// run does the exchange once.
func (s *steady) run(now Instant) {
	s.DownstreamData(now, s.requests)
	s.UpstreamData(now, s.upstream, s.answers)
}

// paths are the ways to the broker of the exchanges.
var paths = []struct {
	name         string
	mode         apiv1.AddressingConfig
	port         int
	capabilities Capabilities
}{
	{"chained", perBroker, 20911, inPlace},
	{"unified", unifiedMode, 9876, terminal},
}

// BenchmarkExchange measures requests from the client's bytes to the answers' last.
func BenchmarkExchange(b *testing.B) {
	for _, path := range paths {
		for _, x := range exchanges {
			for _, n := range []int{1, 16} {
				b.Run(fmt.Sprintf("%s/%s/%d", path.name, x.name, n), func(b *testing.B) {
					s := newSteady(b, path.mode, path.port, path.capabilities, x, n)
					now := 2 * time.Second
					b.ReportAllocs()
					for b.Loop() {
						now += time.Microsecond
						s.run(now)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/request")
					if s.inFlight.all != 0 || s.state != open {
						b.Fatal("requests are left")
					}
				})
			}
		}
	}
}

func TestPassingFramesAllocatesNothing(t *testing.T) {
	for _, path := range paths {
		for _, x := range exchanges {
			s := newSteady(t, path.mode, path.port, path.capabilities, x, 16)
			if n := testing.AllocsPerRun(100, func() { s.run(2 * time.Second) }); n != 0 {
				t.Errorf("%s, %s: %v allocations for 16 requests and their answers", path.name, x.name, n)
			}
		}
	}
}
