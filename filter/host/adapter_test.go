// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// fakeClient is the host's side of a client connection, and of its upstream connections.
type fakeClient struct {
	written   strings.Builder
	full      bool
	closed    []bool // with flush?
	upstreams []*fakeUpstream
	connect   func() // in Connect
}

type fakeUpstream struct {
	events  *Upstream
	written strings.Builder
	closed  int
}

func (c *fakeClient) Write(b []byte)   { c.written.Write(b) }
func (c *fakeClient) Full() bool       { return c.full }
func (c *fakeClient) Close(flush bool) { c.closed = append(c.closed, flush) }
func (c *fakeClient) Wake()            {}
func (c *fakeClient) Connect(_ string, events *Upstream) UpstreamConn {
	if c.connect != nil {
		c.connect()
	}
	u := &fakeUpstream{events: events}
	c.upstreams = append(c.upstreams, u)
	return u
}

func (u *fakeUpstream) Write(b []byte) (kept int) {
	u.written.Write(b)
	return 0
}
func (u *fakeUpstream) Close() { u.closed++ }

// start puts a config to work that has a broker-a at 127.0.0.1:1.
func startConfig(t *testing.T, addressing string) (*Host, *instance.Instance, *[]string) {
	t.Helper()
	lines := &[]string{}
	h := &Host{WriteLog: func(_ Level, line string) { *lines = append(*lines, line) }, NoSocketHint: "why?"}
	text := `{"rocketmq_proxy":{"stat_prefix":"t"},"clusters":[{"name":"c","name_servers":["` + nameServer(t) + `"]}],"addressing":` + addressing + `}`
	x, err := h.Start(func() (*apiv1.Config, error) { return apiv1.ReadBytes([]byte(text)) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	for !x.Clusters.Asked() {
		time.Sleep(time.Millisecond)
	}
	return h, x, lines
}

const (
	unified   = `{"unified":{}}`
	perBroker = `{"per_broker":{"brokers":[{"broker_name":"broker-a","listener_port":10911,"advertised_address":"127.0.0.1:10911"}]}}`
)

// nameServer answers GET_BROKER_CLUSTER_INFO.
func nameServer(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	answer := codec.Command{Flag: codec.FlagResponse, Opaque: 1, Body: []byte(`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:1"},"brokerName":"broker-a","cluster":"c"}},"clusterAddrTable":{"c":["broker-a"]}}`)}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write(answer.Append(nil))
			_ = c.Close()
		}
	}()
	return listener.Addr().String()
}

func request(code requests.Code, opaque int32) []byte {
	command := codec.Command{Code: int32(code), Opaque: opaque, Fields: []codec.Field{{Name: "n", Value: "broker-a"}}}
	return command.Append(nil)
}

func answer() []byte {
	command := codec.Command{Flag: codec.FlagResponse, Opaque: 1}
	return command.Append(nil)
}

// wantNothingLeft checks that no session has left anything behind.
func wantNothingLeft(t *testing.T, x *instance.Instance) {
	t.Helper()
	for _, id := range []stats.ID{stats.DownstreamActive, stats.UpstreamActive, stats.MemoryKept, stats.RequestActive} {
		if n := x.Stats.Value(id); n != 0 {
			t.Errorf("%s is %d after the end", stats.Table[id].Name, n)
		}
	}
}

func TestTerminalRequestsAndAnswers(t *testing.T) {
	h, x, _ := startConfig(t, unified)
	client := &fakeClient{}
	c := NewTerminal(h, x, client)
	if !c.Open("127.0.0.1:9876", "10.1.1.1:5000") {
		t.Fatal("refused")
	}
	frame := request(requests.SendMessageV2, 1)
	if c.Data([][]byte{frame[:5], frame[5:]}, false) {
		t.Error("bytes of a terminal connection passed")
	}
	broker := client.upstreams[0]
	broker.events.Ready()
	if broker.written.String() != string(frame) {
		t.Errorf("the broker got %q", broker.written.String())
	}
	broker.events.Data([][]byte{answer()})
	if client.written.String() != string(answer()) {
		t.Errorf("the client got %q", client.written.String())
	}
	if !broker.events.Full(true) || broker.events.Full(false) {
		t.Error("want what is for a full broker refused, on a unified connection, and not any longer")
	}
	broker.events.Drained(0)
	c.Closed(false)
	if broker.closed != 1 {
		t.Errorf("the broker's connection was closed %d times", broker.closed)
	}
	broker.events.Closed() // of our own close: nothing to tell the session
	wantNothingLeft(t, x)
}

func TestTerminalAnswersForBrokersThatAreGone(t *testing.T) {
	h, x, lines := startConfig(t, unified)
	client := &fakeClient{}
	c := NewTerminal(h, x, client)
	c.Open("127.0.0.1:9876", "10.1.1.1:5000")
	for i, end := range []func(*Upstream){
		func(u *Upstream) { u.Failed(session.RemoteFailure) },
		func(u *Upstream) { u.Failed(session.LocalFailure) },
		func(u *Upstream) { u.Ready(); u.Closed() },
	} {
		before := client.written.Len()
		c.Data([][]byte{request(requests.SendMessageV2, int32(i))}, false)
		end(client.upstreams[i].events)
		if client.written.Len() == before {
			t.Errorf("no answer to request %d", i)
		}
	}
	if want := `rocketmq_proxy: no socket for a connection to "127.0.0.1:1": why?`; len(*lines) != 1 || (*lines)[0] != want {
		t.Errorf("logged %q, want %q", *lines, want)
	}
	if len(client.closed) != 0 {
		t.Error("the client lost its connection for one broker")
	}
	c.Closed(false)
	wantNothingLeft(t, x)
}

func TestTerminalClientThatIsFullGetsNoMoreAnswersUntilItHasCaughtUp(t *testing.T) {
	h, x, _ := startConfig(t, unified)
	client := &fakeClient{full: true}
	c := NewTerminal(h, x, client)
	c.Open("127.0.0.1:9876", "10.1.1.1:5000")
	c.Data([][]byte{request(requests.RegisterBroker, 1), request(requests.RegisterBroker, 2)}, false)
	first := client.written.Len()
	client.full = false
	c.Drained()
	if both := client.written.Len(); first == 0 || both != 2*first {
		t.Errorf("%d bytes while it is full, %d afterwards; want one answer and two", first, both)
	}
	c.Closed(false)
	wantNothingLeft(t, x)
}

func TestChainedBytesPassOrAreReplaced(t *testing.T) {
	h, x, _ := startConfig(t, perBroker)
	client := &fakeClient{}
	c := NewChained(h, x, client)
	if !c.Open("127.0.0.1:10911", "10.1.1.1:5000") || len(client.upstreams) != 1 {
		t.Fatal("not connected")
	}
	if !c.Data([][]byte{request(requests.SendMessageV2, 1)}, false) || !c.UpstreamData([][]byte{answer()}) {
		t.Error("bytes did not pass")
	}
	if c.Data([][]byte{request(requests.RegisterBroker, 2)}, false) || client.written.Len() == 0 {
		t.Error("a refused request passed")
	}
	c.Drained()
	c.Wake()
	c.Closed(false)
	if got := x.Stats.Value(stats.UpstreamLost); got != 0 {
		t.Errorf("upstream_lost is %d after the client has left", got)
	}
	wantNothingLeft(t, x)
}

func TestChainedUpstreamIsLostWhereEnvoyClosesAndNobodyHasAskedForIt(t *testing.T) {
	h, x, _ := startConfig(t, perBroker)
	for _, test := range []struct {
		name string
		end  func(*Chained)
		lost int64
	}{
		{"tcp_proxy has closed", func(c *Chained) { c.Closed(true) }, 1},
		{"the client has ended first", func(c *Chained) { c.Data(nil, true); c.Closed(true) }, 0},
		{"we have closed", func(c *Chained) { c.CloseDownstream(); c.Closed(true) }, 0},
	} {
		before := x.Stats.Value(stats.UpstreamLost)
		c := NewChained(h, x, &fakeClient{})
		c.Open("127.0.0.1:10911", "10.1.1.1:5000")
		c.Data([][]byte{request(requests.SendMessageV2, 1)}, false)
		c.UpstreamData([][]byte{answer()}) // only then has it been connected for sure
		test.end(c)
		if got := x.Stats.Value(stats.UpstreamLost) - before; got != test.lost {
			t.Errorf("%s: upstream_lost grew by %d, want %d", test.name, got, test.lost)
		}
	}
	wantNothingLeft(t, x)
}

// The same for both adapters: nothing of a session is left when opening it, or an event of it, panics.
func TestAPanicEndsItsConnectionAndNothingElse(t *testing.T) {
	type adapter interface {
		Open(local, remote string) bool
		Data(views [][]byte, end bool) bool
		Closed(byEnvoy bool)
	}
	for name, test := range map[string]struct {
		addressing, local string
		make              func(*Host, *instance.Instance, Client) adapter
	}{
		"chained":                         {perBroker, "127.0.0.1:10911", func(h *Host, x *instance.Instance, c Client) adapter { return NewChained(h, x, c) }},
		"terminal with a single upstream": {perBroker, "127.0.0.1:10911", func(h *Host, x *instance.Instance, c Client) adapter { return NewTerminal(h, x, c) }},
		"terminal":                        {unified, "127.0.0.1:9876", func(h *Host, x *instance.Instance, c Client) adapter { return NewTerminal(h, x, c) }},
	} {
		t.Run(name, func(t *testing.T) {
			h, x, lines := startConfig(t, test.addressing)
			client := &fakeClient{connect: func() { panic("no connection today") }}
			c := test.make(h, x, client)
			opened := c.Open(test.local, "10.1.1.1:5000")
			if opened != (test.addressing == unified) {
				t.Errorf("opened: %t", opened)
			}
			if opened { // it connects when a request comes
				c.Data([][]byte{request(requests.SendMessageV2, 1)}, false)
				if len(client.closed) != 1 {
					t.Errorf("closed %v", client.closed)
				}
				c.Closed(true)
			}
			wantNothingLeft(t, x)
			if got := x.Stats.Value(stats.Panic); got != 1 {
				t.Errorf("panic is %d", got)
			}
			if len(*lines) < 2 || (*lines)[0] != `rocketmq_proxy: fault, its connection is closed: "no connection today"` || !strings.HasPrefix((*lines)[1], "rocketmq_proxy: goroutine ") {
				t.Errorf("the log has %q", *lines)
			}
		})
	}
}

func TestAPanicWhileAConfigIsReadRefusesTheConfig(t *testing.T) {
	var lines []string
	h := &Host{WriteLog: func(_ Level, line string) { lines = append(lines, line) }}
	for _, test := range []struct {
		read func() (*apiv1.Config, error)
		want string
	}{
		{func() (*apiv1.Config, error) { panic("no config today") }, "the config made the filter panic; see the log"},
		{func() (*apiv1.Config, error) { return nil, errors.New("bad") }, "bad"},
	} {
		x, err := h.Start(test.read, nil)
		if x != nil || err == nil || err.Error() != test.want {
			t.Errorf("got %v, %v; want %q", x, err, test.want)
		}
	}
	if len(lines) < 2 || lines[0] != `rocketmq_proxy: fault: "no config today"` {
		t.Errorf("the log has %q", lines)
	}
}
