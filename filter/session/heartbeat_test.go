// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// heartbeatOf is the body of a heartbeat with consumer groups and producer groups.
func heartbeatOf(withoutSub bool, consumers, producers []string) string {
	var c, p []string
	for _, group := range consumers {
		subscriptions := fmt.Sprintf(`[{"subString":"*","topic":"%%RETRY%%%s"},{"subString":"*","topic":"t"}]`, group)
		if withoutSub {
			subscriptions = "[]"
		}
		c = append(c, fmt.Sprintf(`{"consumeType":"CONSUME_PASSIVELY","groupName":%q,"subscriptionDataSet":%s}`, group, subscriptions))
	}
	for _, group := range producers {
		p = append(p, fmt.Sprintf(`{"groupName":%q}`, group))
	}
	return fmt.Sprintf(`{"clientID":"1@2","consumerDataSet":[%s],"heartbeatFingerprint":7,"producerDataSet":[%s],"withoutSub":%v}`,
		strings.Join(c, ","), strings.Join(p, ","), withoutSub)
}

// register sends a heartbeat or the end of one, which both brokers take.
func (h *harness) register(frame []byte) {
	h.Helper()
	h.send(frame)
	for _, address := range []string{brokerAAddress, brokerBAddress} {
		got := one(h.TB, h.tookUp(address))
		h.receive(h.to(address), response(codec.ResponseSuccess, got.Opaque, ""))
	}
	one(h.TB, h.tookDown())
}

// replayed breaks the connection to broker-a and returns the groups with which the next one begins.
func (h *harness) replayed() (groups []string) {
	h.Helper()
	h.UpstreamClosed(h.clock, h.to(brokerAAddress))
	h.tookDown()
	h.send(sendV2(1000, "broker-a", "t"))
	for _, got := range h.tookUp(brokerAAddress) {
		if requests.CodeOf(&got.Header) != requests.HeartBeat {
			continue
		}
		data, err := body.ParseHeartbeatData([]byte(got.body))
		if err != nil {
			h.Fatal(err)
		}
		for _, consumer := range data.Consumers {
			groups = append(groups, "consumer "+consumer.Group+fmt.Sprint(consumer.Topics))
		}
		for _, producer := range data.Producers {
			groups = append(groups, "producer "+producer)
		}
		h.receive(h.to(brokerAAddress), response(codec.ResponseSuccess, got.Opaque, ""))
	}
	return groups
}

func unregister(opaque int32, fields ...string) []byte {
	return request(requests.UnregisterClient, opaque, "", fieldsOf(append([]string{"clientID", "1@2"}, fields...)...)...)
}

func TestAGroupThatHasEndedIsNotRegisteredAnew(t *testing.T) {
	first := []string{"consumer c1[%RETRY%c1 t]", "consumer c2[%RETRY%c2 t]", "producer c1", "producer p"}
	full := request(requests.HeartBeat, 1, heartbeatOf(false, []string{"c1", "c2"}, []string{"c1", "p"}))
	for name, c := range map[string]struct {
		end  [][]byte
		want []string
	}{
		"none":                   {nil, first},
		"a consumer group":       {[][]byte{unregister(2, "consumerGroup", "c1")}, slices.Concat(first[1:])},
		"a producer group":       {[][]byte{unregister(2, "producerGroup", "c1")}, slices.Concat(first[:2], first[3:])},
		"one that is not there":  {[][]byte{unregister(2, "consumerGroup", "p")}, first},
		"two":                    {[][]byte{unregister(2, "consumerGroup", "c1"), unregister(3, "producerGroup", "p")}, first[1:3]},
		"all":                    {[][]byte{unregister(2, "consumerGroup", "c1", "producerGroup", "c1"), unregister(3, "consumerGroup", "c2", "producerGroup", "p")}, nil},
		"left out without subs":  {[][]byte{request(requests.HeartBeat, 2, heartbeatOf(true, []string{"c2"}, []string{"c1", "p"}))}, first[1:]},
		"left out with subs":     {[][]byte{request(requests.HeartBeat, 2, heartbeatOf(false, []string{"c2"}, []string{"p"}))}, []string{first[1], first[3]}},
		"ended, and begun again": {[][]byte{unregister(2, "consumerGroup", "c1"), full}, first},
	} {
		t.Run(name, func(t *testing.T) {
			h := dialUnified(t)
			h.learnRoute()
			h.register(full)
			for _, frame := range c.end {
				h.register(frame)
			}
			for range 2 { // the second time from what was kept the first
				if got := h.replayed(); !slices.Equal(got, c.want) {
					t.Errorf("registered anew: %q, want %q", got, c.want)
				}
			}
			topics := h.shared().groups["c1"]
			if has := slices.Contains(c.want, first[0]); has != (topics != nil) {
				t.Errorf("the router knows the group: %v, want %v", topics != nil, has)
			}
			if c.want == nil && h.shared().heartbeat.reserved != 0 {
				t.Errorf("%d bytes are still counted for it", h.shared().heartbeat.reserved)
			}
			h.wantIdle()
		})
	}
}

// A signature covers the body: a heartbeat with one group less would be refused.
func TestASignedHeartbeatIsReplayedAsItCameOrNotAtAll(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	signed := request(requests.HeartBeat, 1, heartbeatOf(false, []string{"c1", "c2"}, nil), fieldsOf("AccessKey", "k", "Signature", "s")...)
	h.register(signed)
	if got := h.replayed(); len(got) != 2 {
		t.Errorf("registered anew: %q", got)
	}
	h.register(unregister(2, "consumerGroup", "c1"))
	if got := h.replayed(); got != nil {
		t.Errorf("a changed heartbeat was sent: %q", got)
	}
	h.register(signed)
	if got := h.replayed(); len(got) != 2 {
		t.Errorf("registered anew after the next heartbeat: %q", got)
	}
	h.wantIdle()
}

// A consumer that stops, starts and stops within repeatWindow sends the same UNREGISTER_CLIENT twice.
func TestTheEndOfAGroupThatBeganAgainReachesTheBrokers(t *testing.T) {
	h := dialUnified(t)
	h.learnRoute()
	heartbeat := heartbeatOf(false, []string{"c1"}, nil)
	for i := range int32(3) {
		h.register(request(requests.HeartBeat, 10*i+1, heartbeat))
		h.register(unregister(10*i+2, "consumerGroup", "c1"))
		h.clock += 100 * time.Millisecond
	}
	h.wantIdle()
}
