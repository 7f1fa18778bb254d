// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/frame"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/stub"
)

func TestEveryRequestIsAnsweredOnce(t *testing.T) {
	server := stub.Start(t, stub.Options{Brokers: 1})
	heartbeat, err := frame.GoldenTemplate("HEART_BEAT.request", nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(server.Broker, 150, heartbeat.Append)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const n = 1000 // more than connections
	if err := c.Ask(n, heartbeat.Append); err != nil {
		t.Fatal(err)
	}
	if got, want := server.Counts(), (stub.Counts{Others: 150 + n}); got != want {
		t.Errorf("the stub counts %+v, want %+v", got, want)
	}
	unknown := func(dst []byte, i int32) []byte {
		request := codec.Command{Code: 4711, Opaque: i}
		return request.Append(dst)
	}
	if err := c.Ask(1, unknown); err == nil {
		t.Error("a refusal is taken for success")
	}
}
