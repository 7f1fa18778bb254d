// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// TestABurstOnANewConnectionIsTaken sends before anything is connected to the broker: 40 messages of 128 KiB at once; one of
// 4 MiB, RocketMQ's greatest by default; and one that is as large as a frame may be, after others.
func TestABurstOnANewConnectionIsTaken(t *testing.T) {
	for name, config := range map[string]string{"unified": "unified.yaml", "per_broker": "per-broker.yaml"} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, config, modules(t), untouched, map[string]play{"broker-a": echo, "broker-b": echo})
			door := s.ports["broker-a"]
			if name == "unified" {
				door = s.proxy
			}
			for what, sizes := range map[string][]int{
				"40 of 128 KiB": nil,
				"4 MiB":         {4 << 20},
				"16 MiB":        {1000, 1 << 20, 16<<20 - 400}, // and its header
			} {
				if sizes == nil {
					for range 40 {
						sizes = append(sizes, 128<<10)
					}
				}
				var burst []byte
				for opaque, size := range sizes {
					burst = append(burst, to("broker-a", requests.SendMessageV2, int32(opaque), bytes.Repeat([]byte("x"), size))...)
				}
				c := s.dial(door)
				go func() { _, _ = c.Write(burst) }()
				in := bufio.NewReader(c)
				for range sizes {
					h, _, err := readFrame(in)
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					if h.ResponseCode() != codec.ResponseSuccess {
						t.Errorf("%s: message %d is answered %v (%s)", what, h.Opaque, h.ResponseCode(), h.Remark())
					}
				}
				c.Close()
			}
		})
	}
}
