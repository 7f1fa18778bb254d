// SPDX-License-Identifier: Apache-2.0

package load

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/frame"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/stub"
)

func template(t testing.TB, name string, body []byte) *frame.Template {
	t.Helper()
	request, err := frame.GoldenTemplate(name, body)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func send(t testing.TB) *frame.Template {
	return template(t, "SEND_MESSAGE_V2.request", bytes.Repeat([]byte("b"), 300))
}

// serve runs a stub until the end of the test.
func serve(t testing.TB, pullBody int) *stub.Server {
	t.Helper()
	server, err := stub.Listen(stub.Options{PullBody: pullBody, Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestBothSidesCountTheSame(t *testing.T) {
	for name, opt := range map[string]Options{
		"one":  {Connections: 1, InFlight: 1},
		"many": {Connections: 16, InFlight: 16},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, 0)
			opt.Addr, opt.Requests = server.Broker, []*frame.Template{send(t)}
			opt.WarmUp, opt.Window = 20*time.Millisecond, 100*time.Millisecond
			var edges [2]atomic.Int32
			opt.Edge = func(i int) { edges[i].Add(1) }
			result, err := Run(opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := server.Counts(); got != (stub.Counts{Sends: result.Total}) {
				t.Errorf("the stub counts %+v, the generator %d", got, result.Total)
			}
			if result.Answers < 1 || result.Answers > result.Total || result.Window < opt.Window {
				t.Errorf("%d of %d answers in %s", result.Answers, result.Total, result.Window)
			}
			inFlight := int64(opt.Connections * opt.InFlight)
			if n := int64(result.Latency.Count()); n < result.Answers-inFlight || n > result.Answers+inFlight {
				t.Errorf("%d latencies of %d answers", n, result.Answers)
			}
			if got, want := result.AnswerBytes, result.Answers*int64(template(t, "SEND_MESSAGE_V2.response", nil).Size(7)); got != want {
				t.Errorf("%d bytes, want %d", got, want)
			}
			for deadline := time.Now().Add(5 * time.Second); edges[1].Load() == 0 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			if edges[0].Load() != 1 || edges[1].Load() != 1 {
				t.Errorf("edges were reported %d and %d times", edges[0].Load(), edges[1].Load())
			}
		})
	}
}

func TestAnswersLargerThanSocketBuffers(t *testing.T) {
	const body = 1 << 20
	server := serve(t, body)
	result, err := Run(Options{
		Addr: server.Broker, Connections: 2, InFlight: 16, Requests: []*frame.Template{template(t, "PULL_MESSAGE.request", nil)},
		Window: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := server.Counts(); got != (stub.Counts{Pulls: result.Total}) {
		t.Errorf("the stub counts %+v, the generator %d", got, result.Total)
	}
	if result.AnswerBytes < result.Answers*body {
		t.Errorf("%d answers have %d bytes", result.Answers, result.AnswerBytes)
	}
}

func TestRequestsLargerThanSocketBuffers(t *testing.T) {
	server := serve(t, 0)
	result, err := Run(Options{
		Addr: server.Broker, Connections: 1, InFlight: 16,
		Requests: []*frame.Template{template(t, "SEND_MESSAGE_V2.request", make([]byte, 1<<20))}, Window: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := server.Counts(); got != (stub.Counts{Sends: result.Total}) {
		t.Errorf("the stub counts %+v, the generator %d", got, result.Total)
	}
}

func TestRequestsTakeTurnsBesideOnesThatAreHeld(t *testing.T) {
	server := serve(t, 100)
	result, err := Run(Options{
		Addr: server.Broker, Connections: 4, InFlight: 2, Window: 50 * time.Millisecond,
		Requests: []*frame.Template{send(t), template(t, "PULL_MESSAGE.request", nil)},
		Hold:     template(t, "LITE_PULL_MESSAGE.request", nil), HeldEach: 3000,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := server.Counts()
	// Each connection has one more send than pulls, or as many.
	if more := got.Sends - got.Pulls; got.Held != 4*3000 || got.Sends+got.Pulls != result.Total || more < 0 || more > 4 {
		t.Errorf("the stub counts %+v, the generator %d", got, result.Total)
	}
}

func TestAWrongAnswerFailsTheRun(t *testing.T) {
	success := template(t, "SEND_MESSAGE_V2.response", nil)
	busy := codec.Command{Code: int32(codec.ResponseSystemBusy), Opaque: firstOpaque, Flag: codec.FlagResponse}
	for name, c := range map[string]struct {
		answer []byte
		want   string
	}{
		"twice":      {success.Append(success.Append(nil, firstOpaque), firstOpaque), "nothing waits"},
		"stranger":   {success.Append(nil, firstOpaque+77), "nothing waits"},
		"small":      {success.Append(nil, 5), "never used"},
		"refusal":    {busy.Append(nil), "SYSTEM_BUSY"},
		"no frame":   {[]byte("HTTP/1.1 400 Bad Request\r\n"), "answer: "},
		"closed":     {nil, "closed with 1 requests in flight"},
		"half of it": {success.Append(nil, firstOpaque)[:100], "closed with 1 requests in flight"},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096)) // all of the request: it is written at once
				_, _ = conn.Write(c.answer)
			}()
			_, err = Run(Options{
				Addr: netip.MustParseAddrPort(listener.Addr().String()), Connections: 1, InFlight: 1,
				Requests: []*frame.Template{send(t)}, Window: time.Minute,
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
