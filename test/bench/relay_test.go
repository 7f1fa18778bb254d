// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/stub"
)

func TestARelayPutsOtherAddressesIntoRoutes(t *testing.T) {
	server := stub.Start(t, stub.Options{Brokers: 3})
	r, err := newRelay("127.0.0.1:0", server.NameServer.String(), map[string]string{"broker-a": "127.0.0.1:1", "broker-2": "127.0.0.1:2"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	conn, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	for opaque, code := range []requests.Code{requests.HeartBeat, requests.GetRouteInfoByTopic} {
		request := codec.Command{Code: int32(code), Opaque: int32(opaque)}
		if _, err := conn.Write(request.Append(nil)); err != nil {
			t.Fatal(err)
		}
		answer, err := readFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		header, content, err := splitFrame(answer)
		if err != nil || header.ResponseCode() != codec.ResponseSuccess || header.Opaque != int32(opaque) {
			t.Fatalf("answer %+v, %v", header, err)
		}
		if code != requests.GetRouteInfoByTopic {
			continue
		}
		route, err := body.ParseTopicRouteData(content)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range route.Brokers {
			got = append(got, a.BrokerName+" "+a.Addr)
		}
		if want := []string{"broker-a 127.0.0.1:1", "broker-2 127.0.0.1:2"}; !slices.Equal(got, want) {
			t.Errorf("route %v, want %v", got, want)
		}
	}
}
