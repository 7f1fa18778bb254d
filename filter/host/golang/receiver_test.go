// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"testing"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
)

// received is what a host was given to hand bytes to.
type received struct {
	host.Receiver
	full  bool
	ended int
}

func (r *received) receive(to host.DownstreamReceiver) host.Downstream {
	return host.Downstream{Full: func() bool { return r.full }, End: r.take(to)}
}

func (r *received) receiveUpstream(to host.UpstreamReceiver) (end func()) { return r.take(to) }

func (r *received) take(to host.Receiver) (end func()) {
	r.Receiver = to
	return func() { r.ended++ }
}

func TestWhereTheHostShowsBytesTheyAreTakenThere(t *testing.T) {
	var client, broker received
	host.ReceiveDownstream, host.ReceiveUpstream = client.receive, broker.receiveUpstream
	defer func() { host.ReceiveDownstream, host.ReceiveUpstream = nil, nil }()
	envoy, clientConnection, filter := dial(t)
	request := send(2)
	client.Receive([][]byte{request[:5], request[5:]})
	upstream, brokerConnection := envoy.last(), &fakeConnection{}
	if broker.Receiver != nil {
		t.Error("an upstream connection that is not ready has a receiver")
	}
	upstream.OnPoolReady(brokerConnection)
	if string(brokerConnection.written) != string(request) {
		t.Errorf("the broker got %q", brokerConnection.written)
	}
	broker.Receive([][]byte{answerTo(2)})
	if string(clientConnection.written) != string(answerTo(2)) {
		t.Errorf("the client got %q", clientConnection.written)
	}
	full := broker.Receiver.(host.UpstreamReceiver).Full
	if !full(true) || full(false) {
		t.Error("want what is for a full broker refused, on a unified connection, and not any longer")
	}
	upstream.OnEvent(api.RemoteClose)
	filter.OnEvent(api.RemoteClose)
	if client.ended != 1 || broker.ended != 1 {
		t.Errorf("ended %d and %d times, want once each", client.ended, broker.ended)
	}
}

func TestAFullClientGetsNoMoreAnswersUntilItHasCaughtUp(t *testing.T) {
	var client received
	host.ReceiveDownstream = client.receive
	defer func() { host.ReceiveDownstream = nil }()
	_, connection, filter := dial(t)
	refused := func(opaque int32) []byte {
		command := codec.Command{Code: int32(requests.RegisterBroker), Opaque: opaque}
		return command.Append(nil)
	}
	client.full = true
	client.Receive([][]byte{refused(1), refused(2)})
	first, _ := connection.got()
	client.full = false
	client.Receiver.(host.DownstreamReceiver).Drained()
	if both, _ := connection.got(); len(first) == 0 || len(both) != 2*len(first) {
		t.Errorf("%d bytes while it is full, %d afterwards; want one answer and two", len(first), len(both))
	}
	filter.OnEvent(api.RemoteClose)
}

// Envoy's interface cannot say for which client an upstream connection is, so where the host can be told it is.
func TestUpstreamConnectionsAreOpenedForTheirClient(t *testing.T) {
	var address string
	wrapper := unsafe.Pointer(new(int))
	callback := openUpstream("", "127.0.0.1:10911", &upstream{}, func(to string, _ uint64) unsafe.Pointer {
		address = to
		return wrapper
	})
	if address != "127.0.0.1:10911" || callback.wrapper != wrapper {
		t.Errorf("opened %q: %+v", address, callback)
	}
}
