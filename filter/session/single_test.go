// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func TestSendAndAnswerPassAsTheVeryBytes(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	if got := h.host.address[h.only().id]; got != brokerAAddress {
		t.Fatalf("connected to %q, want broker-a", got)
	}
	if !h.DownstreamData(h.clock, [][]byte{sendV2(1, "broker-a", "t")}) {
		t.Error("a send was touched")
	}
	h.wantStats(map[stats.ID]int64{stats.Request: 1, stats.SendMessageV2: 1, stats.RequestActive: 1, stats.SendMessageV2Active: 1, stats.RequestDecodingSuccess: 1})
	if !h.UpstreamData(h.clock, h.only().id, [][]byte{response(codec.ResponseSuccess, 1, "")}) {
		t.Error("its answer was touched")
	}
	h.wantStats(map[stats.ID]int64{stats.Response: 1, stats.ResponseSuccess: 1, stats.ResponseDecodingSuccess: 1, stats.RequestActive: 0, stats.SendMessageV2Active: 0})
	h.wantIdle()
}

func TestFramesInSeveralSlicesStayUntouched(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	all := append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-a", "t")...)
	for cut := 1; cut < len(all); cut++ {
		h := dial(t, e, 20911, inPlace)
		if !h.DownstreamData(h.clock, [][]byte{all[:cut], all[cut:]}) {
			t.Fatalf("two slices, cut at %d, were touched", cut)
		}
		h.Close(h.clock)
	}
}

func TestRequestsCutAnywhereGiveTheSameBytes(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	var want []byte
	for opaque := range int32(3) {
		want = append(want, sendV2(opaque, "broker-a", "t")...)
	}
	for cut := 1; cut < len(want); cut++ {
		h := dial(t, e, 20911, inPlace)
		for _, part := range [][]byte{want[:cut], want[cut:]} {
			h.send(part)
		}
		if got := h.host.up[h.only().id].Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("cut at %d: %d bytes went on, want %d", cut, len(got), len(want))
		}
		if h.only().pending.Len() != 3 {
			t.Fatalf("cut at %d: %d requests wait, want 3", cut, h.only().pending.Len())
		}
		h.Close(h.clock)
	}
}

func TestRequestsByteByByteGiveTheSameBytes(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	want := append(sendV2(1, "broker-a", "t"), sendV2(2, "broker-a", "t")...)
	for i := range want {
		h.send(want[i : i+1])
	}
	if got := h.host.up[h.only().id].Bytes(); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	h.wantIdle()
}

func TestBytesThatAreNoFrameCloseTheConnection(t *testing.T) {
	prefixed := func(length, mark uint32, rest string) []byte {
		b := binary.BigEndian.AppendUint32(nil, length)
		return append(binary.BigEndian.AppendUint32(b, mark), rest...)
	}
	for name, bad := range map[string][]byte{
		"length 0":                  {0, 0, 0, 0},
		"length 3":                  {0, 0, 0, 3},
		"length above the limit":    {0x7f, 0xff, 0xff, 0xff},
		"negative length":           {0xff, 0xff, 0xff, 0xff},
		"header longer than frame":  prefixed(10, 7, "123456"),
		"header above the limit":    prefixed(1<<20-8, 1<<17, ""),
		"unknown serialize type":    prefixed(6, 9<<24|2, "{}"),
		"broken JSON":               prefixed(9, 5, `{"a":`),
		"JSON without code":         prefixed(6, 2, "{}"),
		"binary header of 4 bytes":  prefixed(8, 1<<24|4, "abcd"),
		"an HTTP request, plain":    []byte("GET / HTTP/1.1\r\n\r\n"),
		"a TLS hello on plain text": {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
			good := sendV2(1, "broker-a", "t")
			h.send(append(bytes.Clone(good), bad...))
			if !h.host.downClosed {
				t.Error("the connection stays open")
			}
			if got := h.host.up[1].Bytes(); !bytes.Equal(got, good) {
				t.Errorf("the broker got %q, want the good frame before", got)
			}
			h.wantStats(map[stats.ID]int64{stats.Request: 2, stats.RequestDecodingError: 1, stats.RequestCancelled: 1})
			h.send(good)
			if h.host.up[1].Len() != len(good) {
				t.Error("bytes after the fault went on")
			}
			h.wantIdle()
		})
	}
}

func TestInternalRequestsAreRefusedWithTheirOwnOpaque(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 9876, inPlace)
	h.send(request(requests.RegisterBroker, 77, ""))
	got := one(t, h.tookDown())
	if got.Opaque != 77 || got.ResponseCode() != codec.ResponseRequestCodeNotSupported || !got.IsResponse() || got.Remark() == "" {
		t.Errorf("got %+v", got.Header)
	}
	h.send(oneway(requests.RegisterBroker, 78))
	if len(h.tookDown()) != 0 {
		t.Error("a oneway request was answered")
	}
	if h.host.up[h.only().id].Len() != 0 {
		t.Error("it went on")
	}
	h.wantStats(map[stats.ID]int64{stats.RequestRefused: 2, stats.RequestActive: 0, stats.RequestOneway: 1})
	h.wantIdle()
}

func TestUnknownCodesPassOnAConnectionOfOneBroker(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	h.send(request(4711, 5, "x"))
	h.receive(h.only().id, response(codec.ResponseRequestCodeNotSupported, 5, ""))
	if got := one(t, h.tookDown()); got.Opaque != 5 {
		t.Errorf("got opaque %d", got.Opaque)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestUnknownCode: 1})
	h.wantIdle()
}

func TestLocalAnswersDoNotCutAnAnswerInTwo(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	h.send(request(requests.PullMessage, 1, ""))
	answer := response(codec.ResponseSuccess, 1, strings.Repeat("m", 1000))
	h.receive(h.only().id, answer[:500])
	h.send(request(requests.RegisterBroker, 2, ""))
	h.receive(h.only().id, answer[500:])
	got := h.tookDown()
	if len(got) != 2 || got[0].Opaque != 1 || len(got[0].body) != 1000 || got[1].Opaque != 2 {
		t.Errorf("got %v", got)
	}
	h.wantIdle()
}

const routeBody = `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.1:11911"},"brokerName":"broker-a","cluster":"c"},{"brokerAddrs":{0:"10.0.0.3:10911"},"brokerName":"broker-x","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4},{"brokerName":"broker-x","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`

func TestRouteAnswersNameTheProxyAndNoUncoveredBroker(t *testing.T) {
	want := `{"brokerDatas":[{"brokerAddrs":{0:"proxy:20911"},"brokerName":"broker-a","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`
	answer := response(codec.ResponseSuccess, 3, routeBody)
	for cut := range len(answer) {
		h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 9876, inPlace)
		h.send(request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}))
		h.receive(h.only().id, answer[:cut])
		h.receive(h.only().id, answer[cut:])
		if got := one(t, h.tookDown()); got.body != want || got.Opaque != 3 {
			t.Fatalf("cut at %d: got %s, want %s", cut, got.body, want)
		}
		h.wantStats(map[stats.ID]int64{stats.GetTopicRoute: 1, stats.RouteAddressRewritten: 1, stats.RouteAddressUncovered: 2, stats.GetTopicRouteActive: 0})
		if got := h.environment.Clusters.First().Topic("t"); fmt.Sprint(got) != "[broker-a broker-x]" {
			t.Fatalf("the directory learned %v", got)
		}
		h.wantIdle()
	}
}

func TestErrorAnswersToRoutesPass(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 9876, inPlace)
	h.send(request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}))
	h.receive(h.only().id, response(codec.ResponseTopicNotExist, 3, ""))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseTopicNotExist {
		t.Errorf("got %v", got.ResponseCode())
	}
	h.wantIdle()
}

func TestUnreadableRouteIsAnsweredAndNotLeaked(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 9876, inPlace)
	h.send(request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}))
	h.receive(h.only().id, response(codec.ResponseSuccess, 3, routeBody[:100]))
	if got := one(t, h.tookDown()); got.ResponseCode() != codec.ResponseSystemError || got.body != "" {
		t.Errorf("got %v %q", got.ResponseCode(), got.body)
	}
	h.wantStats(map[stats.ID]int64{stats.RouteUnreadable: 1, stats.ResponseError: 1, stats.ResponseSuccess: 0})
	h.wantIdle()
}

func TestTooManyPendingRequestsAreAnsweredBusy(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	for opaque := range int32(101) {
		h.send(sendV2(opaque, "broker-a", "t"))
	}
	if got := one(t, h.tookDown()); got.Opaque != 100 || got.ResponseCode() != codec.ResponseSystemBusy {
		t.Errorf("got %+v", got.Header)
	}
	h.wantStats(map[stats.ID]int64{stats.RequestOverLimit: 1, stats.RequestActive: 100})
	h.wantIdle()
}

func TestConnectionWaitsForTheDirectoryAndIsServedOnceItKnows(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{down: true})
	h := dial(t, e, 20911, terminal)
	want := sendV2(1, "broker-a", "t")
	h.send(want[:10])
	if len(h.host.order) != 0 {
		t.Fatal("connected to nowhere")
	}
	fill, _ := fakeNameServers{}.Brokers(t.Context(), "")
	e.Clusters.First().LearnBrokers(fill)
	h.Wake(h.clock)
	id := h.to(brokerAAddress)
	h.send(want[10:])
	if got := h.host.up[id].Bytes(); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	h.wantIdle()
}

func TestConnectionToAnUnknownBrokerIsClosedInTime(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{down: true}), 20911, inPlace)
	h.clock += 3*time.Second + 1
	h.Wake(h.clock)
	if !h.host.downClosed {
		t.Error("it stays open")
	}
	h.wantStats(map[stats.ID]int64{stats.DownstreamRefused: 1, stats.BrokerUnknown: 1})
	h.wantIdle()
}

func TestTerminalConnectionOfOneBrokerEndsWithItAndAnswersNothing(t *testing.T) {
	for name, end := range map[string]func(*harness){
		"not opened": func(h *harness) { h.UpstreamFailed(h.clock, 1, RemoteFailure) },
		"lost":       func(h *harness) { h.UpstreamConnected(h.clock, 1); h.UpstreamClosed(h.clock, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, terminal)
			h.send(sendV2(1, "broker-a", "t"))
			if end(h); !h.host.downClosed {
				t.Error("it stays open")
			}
			if got := h.tookDown(); len(got) != 0 {
				t.Errorf("got %v; Java does not retry asynchronous sends after an answer", got)
			}
			h.wantStats(map[stats.ID]int64{stats.ResponseError: 1, stats.RequestCancelled: 0})
			h.wantIdle()
		})
	}
}

func TestAConnectionThatBroughtNothingCountsAsNotOpened(t *testing.T) {
	for name, x := range map[string]struct {
		first  []byte
		counts stats.ID
	}{
		"nothing":  {nil, stats.UpstreamConnectFailure},
		"a half":   {response(codec.ResponseSuccess, 1, "")[:3], stats.UpstreamLost},
		"a header": {response(codec.ResponseSuccess, 1, "body")[:70], stats.UpstreamLost},
		"a frame":  {response(codec.ResponseSuccess, 1, ""), stats.UpstreamLost},
	} {
		t.Run(name, func(t *testing.T) {
			h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
			h.send(sendV2(1, "broker-a", "t"))
			if x.first != nil {
				h.receive(1, x.first)
			}
			h.UpstreamClosed(h.clock, 1)
			h.wantStats(map[stats.ID]int64{x.counts: 1, stats.UpstreamConnectFailure + stats.UpstreamLost - x.counts: 0})
			h.wantIdle()
		})
	}
}

func TestAnOpaqueThatIsInUseEndsTheConnectionAndLeaksNoRoute(t *testing.T) {
	topic := codec.Field{Name: "topic", Value: "t"}
	route := request(requests.GetRouteInfoByTopic, 7, "", topic)
	for name, second := range map[string][]byte{
		"a second route": route,
		"something else": request(requests.GetKVConfig, 7, "", codec.Field{Name: "key", Value: "k"}),
	} {
		t.Run(name, func(t *testing.T) {
			h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 9876, inPlace)
			h.send(append(bytes.Clone(route), second...))
			if !h.host.downClosed {
				t.Error("it stays open")
			}
			h.receive(1, response(codec.ResponseSuccess, 7, routeBody))
			if got := h.tookDown(); len(got) != 0 {
				t.Errorf("the client got %v", got)
			}
			h.wantStats(map[stats.ID]int64{stats.RequestOpaqueReused: 1})
			h.wantIdle()
		})
	}
}

func TestUnexpectedAnswersOfANameServerAreDropped(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 9876, inPlace)
	h.receive(h.only().id, response(codec.ResponseSuccess, 7, routeBody))
	if got := h.tookDown(); len(got) != 0 {
		t.Errorf("the client got %v", got)
	}
	h.wantStats(map[stats.ID]int64{stats.ResponseUnexpected: 1})
	h.wantIdle()
}

func TestNothingIsQueuedWithoutLimitWhileABrokersConnectionOpens(t *testing.T) {
	for name, frame := range map[string][]byte{
		"answers that nobody asked for": response(codec.ResponseSuccess, 1, strings.Repeat("x", 60000)),
		"a body that is cut through":    request(requests.SendMessageV2, 1, strings.Repeat("x", 900000)),
		"many sends":                    request(requests.SendMessageV2, 1, strings.Repeat("x", 6000)),
	} {
		t.Run(name, func(t *testing.T) {
			h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, terminal)
			for range 20 {
				h.send(frame)
			}
			limits := &h.environment.Config.Limits
			if limit := limits.MaxBufferedBytes + limits.MaxFrameBytes; len(h.only().queue) > limit || h.queued != len(h.only().queue) {
				t.Errorf("%d bytes are queued and %d counted, limit %d", len(h.only().queue), h.queued, limit)
			}
			if h.UpstreamConnected(h.clock, 1); h.queued != 0 {
				t.Errorf("%d bytes are still counted", h.queued)
			}
			h.wantIdle()
		})
	}
}

func TestLateAnswersAreBounded(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	h.send(request(requests.PullMessage, 1, ""))
	h.receive(h.only().id, response(codec.ResponseSuccess, 1, strings.Repeat("m", 1000))[:500])
	refused := request(requests.RegisterBroker, 2, "")
	for range 1000 {
		h.send(refused)
	}
	if !h.host.downClosed {
		t.Errorf("%d bytes wait", len(h.replies))
	}
	h.wantIdle()
}

func TestABrokersRouteAnswerDoesNotTeachTheDirectory(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	h.send(request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}))
	h.receive(h.only().id, response(codec.ResponseSuccess, 3, strings.ReplaceAll(routeBody, "10.0.0.1", "10.6.6.6")))
	if got, _ := h.environment.Clusters.First().Snapshot().Master("broker-a"); got != brokerAAddress {
		t.Errorf("broker-a is now at %s for everybody", got)
	}
	h.wantIdle()
}

func TestChangesOfNameServerDataAreGivenToEveryNameServer(t *testing.T) {
	sent := make(chan string, 10)
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{sent: sent}), 9876, inPlace)
	change := request(requests.PutKVConfig, 7, "a body", codec.Field{Name: "namespace", Value: "n"})
	h.send(change[:len(change)-3])
	h.send(change[len(change)-3:])
	if got := h.host.up[h.only().id].String(); got != string(change) {
		t.Errorf("the client's own name server got %q", got)
	}
	copies := []string{<-sent, <-sent} // each name server has a queue
	slices.Sort(copies)
	if want := []string{"10.0.0.8:9876 " + string(change), nameServerAddress + " " + string(change)}; !slices.Equal(copies, want) {
		t.Errorf("got %q, want %q", copies, want)
	}
	h.receive(h.only().id, response(codec.ResponseSuccess, 7, ""))
	one(t, h.tookDown())
	h.wantIdle()
}

// TestARefusedChangeReachesNoNameServer refuses a change for each reason that there is.
func TestARefusedChangeReachesNoNameServer(t *testing.T) {
	change := func(opaque int32) []byte {
		return request(requests.PutKVConfig, opaque, "", codec.Field{Name: "topic", Value: "secret"})
	}
	for name, c := range map[string]struct {
		prepare      func(e *Environment)
		capabilities Capabilities
		before       []byte // passes
	}{
		"read-only":          {func(e *Environment) { e.Config.Policy.ReadOnlyAdmin = true }, inPlace, nil},
		"denied":             {func(e *Environment) { withPolicy(t, e, denySecret) }, inPlace, nil},
		"too many requests":  {func(e *Environment) { e.Config.Limits.MaxPendingRequests = 1 }, inPlace, topicRoute(1, "t")},
		"an opaque in use":   {func(*Environment) {}, inPlace, topicRoute(2, "t")},
		"not connected":      {func(e *Environment) { e.Config.Limits.MaxBufferedBytes = 100 }, terminal, topicRoute(1, "t")},
		"over all its bytes": {func(e *Environment) { e.Config.Limits.MaxSessionBytes = 1 }, inPlace, nil},
	} {
		t.Run(name, func(t *testing.T) {
			sent := make(chan string, 10)
			e := newEnvironment(t, perBroker, fakeNameServers{sent: sent})
			c.prepare(e)
			h := dial(t, e, 9876, c.capabilities)
			if c.before != nil {
				h.send(c.before)
			}
			before := h.host.up[h.only().id].Len()
			h.send(change(2))
			if h.host.up[h.only().id].Len() > before {
				t.Error("the client's own name server has the change")
			}
			h.Close(h.clock)
			// A change that is admitted later is the first copy that a name server gets.
			e.Config.Policy.ReadOnlyAdmin, e.Policy = false, nil
			e.Config.Limits.MaxPendingRequests, e.Config.Limits.MaxSessionBytes, e.Config.Limits.MaxBufferedBytes = 100, 4<<20, 1<<16
			other := dial(t, e, 9876, inPlace)
			other.send(change(3))
			for range 2 {
				if got := <-sent; !strings.HasSuffix(got, " "+string(change(3))) {
					t.Errorf("copied: %q", got)
				}
			}
			other.wantIdle()
		})
	}
}

func topicRoute(opaque int32, topic string) []byte {
	return request(requests.GetRouteInfoByTopic, opaque, "", codec.Field{Name: "topic", Value: topic})
}

func TestAConnectionWithoutAPortHasTheRoleOfItsMode(t *testing.T) {
	h := dialAddress(t, newEnvironment(t, unifiedMode, fakeNameServers{}), "/run/envoy.sock", terminal)
	if h.shared() == nil {
		t.Errorf("got %T", h.mode)
	}
	h.wantIdle()
}

// TestReadOnlyListenersPassOnlyWhatIsKnownToChangeNothing sends every known code, as JSON and cut off to 16 bits, and codes
// that no release has.
func TestReadOnlyListenersPassOnlyWhatIsKnownToChangeNothing(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	e.Config.Policy.ReadOnlyAdmin = true
	codes := []requests.Code{-1, 0, 16, 4711, 3449, 200057, 200080, 1 << 30}
	for _, row := range requests.Table {
		codes = append(codes, row.Code)
	}
	for _, code := range codes {
		for _, serialization := range []codec.SerializeType{codec.JSON, codec.ROCKETMQ} {
			if serialization == codec.ROCKETMQ && int32(code) != int32(int16(code)) && !requests.Of(code).Known() {
				continue
			}
			h := dial(t, e, 20911, inPlace)
			command := codec.Command{Type: serialization, Code: int32(code), Opaque: 7}
			h.send(command.Append(nil))
			passes := requests.Of(code).Effect == requests.Reads || requests.Of(code).Effect == requests.ClientTraffic
			want := codec.ResponseNoPermission
			if requests.Of(code).Class == requests.Internal {
				passes, want = false, codec.ResponseRequestCodeNotSupported
			}
			if got := take(t, h.host.up[h.only().id]); (len(got) == 1) != passes {
				t.Errorf("%v, %v: the broker got %v", code, serialization, got)
			}
			if got := h.tookDown(); len(got) != 0 == passes || !passes && got[0].ResponseCode() != want {
				t.Errorf("%v, %v: the client got %v", code, serialization, got)
			}
			h.Close(h.clock)
		}
	}
}

func TestReadOnlyListenersRefuseTheChangesOfNewerReleases(t *testing.T) {
	e := newEnvironment(t, perBroker, fakeNameServers{})
	e.Config.Policy.ReadOnlyAdmin = true
	h := dial(t, e, 20911, inPlace)
	for i, code := range []requests.Code{25, 27, 5001, 5002, 5003, 200056, 200079, 301} {
		h.send(request(code, int32(i), ""))
		want := codec.ResponseNoPermission
		if code == requests.RegisterFilterServer {
			want = codec.ResponseRequestCodeNotSupported
		}
		if got := one(t, h.tookDown()); got.ResponseCode() != want || got.Opaque != int32(i) {
			t.Errorf("%v: got %v for %d", code, got.ResponseCode(), got.Opaque)
		}
	}
	h.send(append(request(requests.GetBrokerConfig, 20, ""), sendV2(30, "broker-a", "t")...))
	if got := take(t, h.host.up[h.only().id]); len(got) != 2 {
		t.Errorf("the broker got %v", got)
	}
	h.wantIdle()
}

func TestTransparentConnectionsGoWhereTheClientDialledIfThatIsAServer(t *testing.T) {
	e := newEnvironment(t, apiv1.AddressingConfig{Mode: apiv1.TransparentMode}, fakeNameServers{})
	for local, served := range map[string]bool{brokerAAddress: true, "10.0.0.1:10909": true, nameServerAddress: true, "10.0.0.1:22": false, "127.0.0.1:9876": false} {
		h := dialAddress(t, e, local, inPlace)
		if served {
			if h.only() == nil || h.host.address[h.only().id] != local {
				t.Errorf("%s: connected to %v", local, h.host.address)
			}
		} else {
			h.clock += 4 * time.Second
			h.Wake(h.clock)
			if !h.host.downClosed || len(h.host.order) != 0 {
				t.Errorf("%s: served", local)
			}
		}
		h.wantIdle()
	}
}

func TestRoutesPassATransparentConnectionUnchanged(t *testing.T) {
	e := newEnvironment(t, apiv1.AddressingConfig{Mode: apiv1.TransparentMode}, fakeNameServers{})
	h := dialAddress(t, e, nameServerAddress, inPlace)
	h.send(request(requests.GetRouteInfoByTopic, 3, "", codec.Field{Name: "topic", Value: "t"}))
	h.receive(h.only().id, response(codec.ResponseSuccess, 3, routeBody))
	if got := one(t, h.tookDown()); got.body != routeBody {
		t.Errorf("got %s", got.body)
	}
	h.wantStats(map[stats.ID]int64{stats.RouteAddressRewritten: 0, stats.RouteAddressUncovered: 0})
	h.wantIdle()
}

func TestTemplatePortsFindTheBrokerWithTheirNumber(t *testing.T) {
	mode := apiv1.AddressingConfig{Mode: apiv1.PerBrokerMode, Template: &apiv1.BrokerTemplateConfig{AdvertisedHost: "h", AdvertisedBasePort: 1, ListenerBasePort: 30000, Numbers: 10, IDsPerBroker: 1}}
	e := newEnvironment(t, mode, fakeNameServers{})
	fill, _ := fakeNameServers{}.Brokers(t.Context(), "")
	fill[0].BrokerName = "numbered-7"
	e.Clusters.First().LearnBrokers(fill[:1])
	h := dial(t, e, 30007, inPlace)
	if h.only() == nil || h.host.address[h.only().id] != brokerAAddress {
		t.Errorf("connected to %v", h.host.address)
	}
	h.wantIdle()
}

func TestPassingSendsAndPullsAllocatesNothing(t *testing.T) {
	h := dial(t, newEnvironment(t, perBroker, fakeNameServers{}), 20911, inPlace)
	send := [][]byte{sendV2(1, "broker-a", "t")}
	pull := [][]byte{request(requests.PullMessage, 2, "", codec.Field{Name: "sysFlag", Value: "2"}, codec.Field{Name: "suspendTimeoutMillis", Value: "15000"})}
	answers := [][]byte{append(response(codec.ResponseSuccess, 1, ""), response(codec.ResponseSuccess, 2, "messages")...)}
	allocations := testing.AllocsPerRun(1000, func() {
		if !h.DownstreamData(h.clock, send) || !h.DownstreamData(h.clock, pull) || !h.UpstreamData(h.clock, 1, answers) {
			t.Fatal("touched")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations per round, want 0", allocations)
	}
	h.wantIdle()
}
