// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
)

// fakeEnvoy stands in for the C side: it notes what upstream connections are asked for.
type fakeEnvoy struct {
	api.NetworkCAPI
	mu        sync.Mutex
	dialled   []uint64
	libraryID string // of the last one
	log       []string
}

// plugin is one whose log is the fake's.
func (f *fakeEnvoy) plugin() *plugin {
	return newPlugin(func(_ host.Level, line string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.log = append(f.log, line)
	}, metricsCAPI{})
}

// logged returns the lines of the log but for that about the process.
func (f *fakeEnvoy) logged() (lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.log {
		if !strings.HasPrefix(line, "rocketmq_proxy: no metrics") {
			lines = append(lines, line)
		}
	}
	return lines
}

func (f *fakeEnvoy) UpstreamConnect(libraryID, _ string, id uint64) unsafe.Pointer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dialled, f.libraryID = append(f.dialled, id), libraryID
	return nil
}

// last is the filter of the connection that was asked for last.
func (f *fakeEnvoy) last() api.UpstreamFilter {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, _ := connecting.Load(f.dialled[len(f.dialled)-1])
	return u.(*upstreamConnection).filter
}

// fakeConnection is Envoy's side of one connection.
type fakeConnection struct {
	api.ConnectionCallback
	mu      sync.Mutex
	written []byte
	closed  []api.ConnectionCloseType
	local   string
}

func (c *fakeConnection) StreamInfo() api.StreamInfo { return fakeInfo{local: c.local} }

type fakeInfo struct {
	api.StreamInfo
	local string
}

// FilterState returns what nothing in front of the filter has written to.
func (i fakeInfo) FilterState() api.FilterState { return noFilterState{} }

type noFilterState struct{ api.FilterState }

func (noFilterState) GetString(string) string { return "" }

func (i fakeInfo) UpstreamLocalAddress() (string, bool) { return i.local, true }
func (fakeInfo) UpstreamRemoteAddress() (string, bool)  { return "10.1.1.1:5000", true }

func (c *fakeConnection) Write(b []byte, _ bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written = append(c.written, b...)
}

func (c *fakeConnection) Close(t api.ConnectionCloseType) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = append(c.closed, t)
}

func (c *fakeConnection) got() (written string, closed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.written), len(c.closed)
}

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

// fake puts a C side in place of Envoy's until the end of a test.
func fake(t *testing.T, c api.NetworkCAPI) {
	t.Helper()
	before := envoy
	envoy = c
	t.Cleanup(func() { envoy = before })
}

// dial makes a filter and connects a client.
func dial(t *testing.T) (*fakeEnvoy, *fakeConnection, api.DownstreamFilter) {
	t.Helper()
	c := &fakeEnvoy{}
	fake(t, c)
	text := `{"rocketmq_proxy":{"stat_prefix":"t"},"clusters":[{"name":"c","name_servers":["` + nameServer(t) + `"]}],"addressing":{"unified":{}},"limits":{"max_buffered_bytes":4194304},"timeouts":{"connect":"30s","send":"30s"}}`
	p := c.plugin()
	x, err := p.Start(func() (*apiv1.Config, error) { return apiv1.ReadBytes([]byte(text)) }, p.metrics.sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	for !x.Clusters.Asked() {
		time.Sleep(time.Millisecond)
	}
	client := &fakeConnection{local: "127.0.0.1:9876"}
	filter := newConnection(&networkConfig{plugin: p, instance: x, libraryID: "the library"}, client)
	filter.OnNewConnection()
	return c, client, filter
}

func send(opaque int32) []byte {
	command := codec.Command{Code: int32(requests.SendMessageV2), Opaque: opaque, Fields: []codec.Field{{Name: "n", Value: "broker-a"}}}
	return command.Append(nil)
}

func answerTo(opaque int32) []byte {
	command := codec.Command{Flag: codec.FlagResponse, Opaque: opaque}
	return command.Append(nil)
}

func TestARequestWaitsForItsConnectionAndItsAnswerComesBack(t *testing.T) {
	envoy, client, filter := dial(t)
	filter.OnData(send(1), false)
	upstream, broker := envoy.last(), &fakeConnection{}
	if upstream.OnPoolReady(broker); string(broker.written) != string(send(1)) {
		t.Errorf("the broker got %q", broker.written)
	}
	upstream.OnData(answerTo(1), false)
	if written, _ := client.got(); written != string(answerTo(1)) {
		t.Errorf("the client got %q", written)
	}
	filter.OnEvent(api.RemoteClose)
	if _, closed := broker.got(); closed != 1 || broker.closed[0] != api.FlushWrite {
		t.Errorf("the broker's connection was closed %v", broker.closed)
	}
	upstream.OnEvent(api.LocalClose) // of our own close: nothing to tell the session
}

func TestAConnectionThatOpensTooLateIsClosed(t *testing.T) {
	envoy, _, filter := dial(t)
	filter.OnData(send(1), false)
	upstream, broker := envoy.last(), &fakeConnection{}
	filter.OnEvent(api.RemoteClose)
	upstream.OnPoolReady(broker)
	if written, closed := broker.got(); closed != 1 || written != "" {
		t.Errorf("closed %d times, got %q", closed, written)
	}
}

func TestAConnectionThatFailsIsAnsweredFor(t *testing.T) {
	envoy, client, filter := dial(t)
	filter.OnData(send(1), false)
	envoy.last().OnPoolFailure(api.PoolFailureReason(2), "")
	if written, _ := client.got(); len(written) == 0 {
		t.Error("no answer")
	}
	filter.OnData(send(2), false)
	upstream, broker := envoy.last(), &fakeConnection{}
	upstream.OnPoolReady(broker)
	upstream.OnEvent(api.RemoteClose)
	if _, closed := client.got(); closed != 0 {
		t.Error("the client lost its connection for one broker")
	}
	filter.OnEvent(api.LocalClose)
}

func TestAConnectionThatCouldNotBeBegunIsInTheLog(t *testing.T) {
	envoy, _, filter := dial(t)
	filter.OnData(send(1), false)
	envoy.last().OnPoolFailure(api.LocalConnectionFailure, "")
	want := []string{`rocketmq_proxy: no socket for a connection to "127.0.0.1:1": is there a cluster plainText of type ORIGINAL_DST, and is the process out of files (ulimit -n)?`}
	if lines := envoy.logged(); !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	filter.OnEvent(api.RemoteClose)
}

func TestWakesAfterTheEndDoNothing(t *testing.T) {
	_, _, filter := dial(t)
	filter.OnData(send(1), false) // arms a timer
	filter.OnEvent(api.RemoteClose)
	connectionOf(filter).session.WakeAt(0)
	time.Sleep(10 * time.Millisecond)
}

// A flush has no end in Envoy while the peer does not read.
func TestACloseThatAPeerHoldsUpIsCutShort(t *testing.T) {
	_, client, filter := dial(t)
	c := connectionOf(filter).session
	c.CloseDownstream()
	c.AbortDownstream()
	if want := []api.ConnectionCloseType{api.FlushWrite, api.NoFlush}; !slices.Equal(client.closed, want) {
		t.Errorf("the client's connection was closed %v, want %v", client.closed, want)
	}
	filter.OnEvent(api.LocalClose)

	broker := &fakeConnection{}
	conn := newReadyConn(broker)
	conn.close()
	conn.closeTimer.Set(0)
	for range 1000 {
		if _, closed := broker.got(); closed == 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	broker.mu.Lock()
	defer broker.mu.Unlock()
	if want := []api.ConnectionCloseType{api.FlushWrite, api.NoFlush}; !slices.Equal(broker.closed, want) {
		t.Errorf("the broker's connection was closed %v, want %v", broker.closed, want)
	}
}

func TestAConnectionThatHasClosedIsNotClosedAgain(t *testing.T) {
	broker := &fakeConnection{}
	conn := newReadyConn(broker)
	conn.close()
	conn.ended()
	conn.closeTimer.Set(0)
	time.Sleep(10 * time.Millisecond)
	if _, closed := broker.got(); closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}

func connectionOf(f api.DownstreamFilter) *connection { return f.(*connection) }
