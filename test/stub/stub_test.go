// SPDX-License-Identifier: Apache-2.0

package stub

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

func TestTheNameServerNamesTheBroker(t *testing.T) {
	server := Start(t, Options{Brokers: 3})
	conn, err := net.Dial("tcp", server.NameServer.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	ask := func(code requests.Code, opaque int32) (codec.Header, []byte) {
		t.Helper()
		request := codec.Command{Code: int32(code), Opaque: opaque}
		if _, err := conn.Write(request.Append(nil)); err != nil {
			t.Fatal(err)
		}
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			t.Fatal(err)
		}
		rest := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(conn, rest); err != nil {
			t.Fatal(err)
		}
		prefix, err := codec.ParsePrefix(slices.Concat(size[:], rest), codec.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var h codec.Header
		if err := h.Parse(prefix.Type, rest[4:][:prefix.HeaderSize]); err != nil {
			t.Fatal(err)
		}
		if !h.IsResponse() || h.Opaque != opaque {
			t.Errorf("%v is answered with flag %d, opaque %d", code, h.Flag, h.Opaque)
		}
		return h, rest[4+prefix.HeaderSize:]
	}

	want := []body.Address{
		{Cluster: clusterName, BrokerName: "broker-1", Addr: "192.0.2.2:10001"},
		{Cluster: clusterName, BrokerName: "broker-2", Addr: "192.0.2.3:10002"},
		{Cluster: clusterName, BrokerName: BrokerName, Addr: server.Broker.String()},
	}
	_, cluster := ask(requests.GetBrokerClusterInfo, 7)
	if got, err := body.ParseClusterInfo(cluster); err != nil || !slices.Equal(got, want) {
		t.Errorf("cluster info %+v, %v; want %+v", got, err, want)
	}
	_, route := ask(requests.GetRouteInfoByTopic, 8)
	_, got, err := body.RewriteTopicRouteData(route, func(a body.Address) (string, bool) { return a.Addr, true })
	if err != nil || !slices.Equal(got, slices.Concat(want[2:], want[:2])) {
		t.Errorf("route %+v, %v; want %+v", got, err, want)
	}
	if h, _ := ask(requests.HeartBeat, -1); h.ResponseCode() != codec.ResponseSuccess {
		t.Errorf("heartbeat: %v", h.ResponseCode())
	}
	if h, _ := ask(4711, 9); h.ResponseCode() != codec.ResponseRequestCodeNotSupported {
		t.Errorf("unknown request: %v", h.ResponseCode())
	}
	if got := server.Counts(); got != (Counts{Routes: 1, Others: 2, Refused: 1}) {
		t.Errorf("counts %+v", got)
	}
}
