// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func sendSync(r *run) error {
	p, err := r.producer()
	if err != nil {
		return err
	}
	all := texts(r.name, 20)
	perBroker, err := r.send(p, all)
	if err != nil {
		return err
	}
	want := brokers
	if r.name == "one-broker-topic" {
		want = 1
	}
	if len(perBroker) != want {
		return fmt.Errorf("messages went to %v, not to %d brokers", perBroker, want)
	}
	return r.consumeSame(r.topic(), all, "stored")
}

func sendAsync(r *run) error {
	p, err := r.producer()
	if err != nil {
		return err
	}
	all := texts(r.name, 20)
	done := make(chan error, len(all))
	for _, text := range all {
		err := p.SendAsync(context.Background(), func(_ context.Context, res *primitive.SendResult, err error) {
			done <- stored(res, err)
		}, r.message(text))
		if err != nil {
			return err
		}
	}
	for range all {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-time.After(30 * time.Second):
			return fmt.Errorf("callbacks never came")
		}
	}
	return r.consumeSame(r.topic(), all, "stored")
}

func sendOneway(r *run) error {
	p, err := r.producer()
	if err != nil {
		return err
	}
	all := texts(r.name, 20)
	for _, text := range all {
		if err := p.SendOneWay(context.Background(), r.message(text)); err != nil {
			return err
		}
	}
	return r.consumeSame(r.topic(), all, "stored")
}

func sendBatch(r *run) error {
	p, err := r.producer()
	if err != nil {
		return err
	}
	all := texts(r.name, 10)
	var messages []*primitive.Message
	for _, text := range all {
		messages = append(messages, r.message(text))
	}
	res, err := p.SendSync(context.Background(), messages...)
	if err := stored(res, err); err != nil {
		return err
	}
	return r.consumeSame(r.topic(), all, "stored")
}

// sendLarge sends a body just below the broker's limit of 4 MiB, neither compressible nor compressed.
func sendLarge(r *run) error {
	body := make([]byte, 4<<20-512)
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	return sendBody(r, body, func(*primitive.MessageExt) error { return nil }, producer.WithCompressMsgBodyOverHowmuch(len(body)+1))
}

func sendCompressed(r *run) error {
	return sendBody(r, bytes.Repeat([]byte("compressible "), 8000), func(m *primitive.MessageExt) error {
		if m.StoreSize > 10_000 {
			return fmt.Errorf("stored uncompressed: %d bytes", m.StoreSize)
		}
		return nil
	})
}

func sendBody(r *run, body []byte, check func(*primitive.MessageExt) error, opts ...producer.Option) error {
	p, err := r.producer(opts...)
	if err != nil {
		return err
	}
	res, err := p.SendSync(context.Background(), primitive.NewMessage(r.topic(), bytes.Clone(body)))
	if err := stored(res, err); err != nil {
		return err
	}
	s := &seen{}
	if err := r.consume(r.topic(), everything, s.listener); err != nil {
		return err
	}
	if err := within(patience, func() bool { return len(s.all()) > 0 }); err != nil {
		return err
	}
	if got := s.all()[0]; !bytes.Equal(got.Body, body) {
		return fmt.Errorf("the body came back different: %d bytes", len(got.Body))
	} else if err := check(got); err != nil {
		return err
	}
	return nil
}

// sendDelayed uses delay level 2, which is 2 s with the brokers' config.
func sendDelayed(r *run) error {
	p, err := r.producer()
	if err != nil {
		return err
	}
	begin := time.Now()
	all := texts(r.name, 5)
	for _, text := range all {
		res, err := p.SendSync(context.Background(), r.message(text).WithDelayTimeLevel(2))
		if err := stored(res, err); err != nil {
			return err
		}
	}
	s := &seen{}
	if err := r.consume(r.topic(), everything, s.listener); err != nil {
		return err
	}
	if err := s.await(all, "stored"); err != nil {
		return err
	}
	for _, m := range s.all() {
		if after := time.UnixMilli(m.StoreTimestamp).Sub(begin); after < 1800*time.Millisecond {
			return fmt.Errorf("delivered after %s, not 2 s", after)
		}
	}
	return nil
}

// sendVIPChannel uses the port two below the broker's own.
func sendVIPChannel(r *run) error {
	p, err := r.producer(producer.WithVIPChannel(true))
	if err != nil {
		return err
	}
	all := texts(r.name, 10)
	if _, err := r.send(p, all); err != nil {
		return err
	}
	return r.consumeSame(r.topic(), all, "stored")
}

func autoCreateTopic(r *run) error {
	all, err := r.sendSome(8)
	if err != nil {
		return err
	}
	return r.consumeSame(r.topic(), all, "stored")
}

// createTopic makes a topic on each broker by its address, as this client's admin does.
func createTopic(r *run) error {
	a, err := admin.NewAdmin(admin.WithResolver(r.resolver()))
	if err != nil {
		return err
	}
	var once sync.Once
	r.close(func() (err error) { once.Do(func() { err = a.Close() }); return err })
	// The address of each broker is in the route of a topic that is there.
	addrs, err := brokerAddrs(r)
	if err != nil {
		return err
	}
	for _, addr := range addrs {
		err := a.CreateTopic(context.Background(), admin.WithTopicCreate(r.topic()), admin.WithBrokerAddrCreate(addr),
			admin.WithReadQueueNums(3), admin.WithWriteQueueNums(3))
		if err != nil {
			return err
		}
	}
	if err := within(10*time.Second, func() bool {
		queues, err := a.FetchPublishMessageQueues(context.Background(), r.topic())
		return err == nil && len(queues) == 3*brokers
	}); err != nil {
		return fmt.Errorf("the topic has 3 queues on each broker: %w", err)
	}
	p, err := r.producer()
	if err != nil {
		return err
	}
	all := texts(r.name, 12)
	perBroker, err := r.send(p, all)
	if err == nil && len(perBroker) != brokers {
		err = fmt.Errorf("messages went to %v", perBroker)
	}
	if err != nil {
		return err
	}
	return r.consumeSame(r.topic(), all, "stored")
}

// trace looks for a sent message's id in the topic of traces.
func trace(r *run) error {
	p, err := r.producer(producer.WithTrace(&primitive.TraceConfig{Access: primitive.Local, Resolver: r.resolver(), GroupName: r.group("tracer")}))
	if err != nil {
		return err
	}
	res, err := p.SendSync(context.Background(), r.message("traced"))
	if err := stored(res, err); err != nil {
		return err
	}
	s := &seen{}
	if err := r.consume("RMQ_SYS_TRACE_TOPIC", everything, s.listener); err != nil {
		return err
	}
	if err := within(patience, func() bool {
		for _, m := range s.all() {
			if bytes.Contains(m.Body, []byte(res.MsgID)) {
				return true
			}
		}
		return false
	}); err != nil {
		return fmt.Errorf("no trace of the message: %w", err)
	}
	return nil
}

// namespace has the client put a namespace before topics and groups.
func namespace(r *run) error {
	p, err := r.producer(producer.WithNamespace("tenant"))
	if err != nil {
		return err
	}
	all := texts(r.name, 20)
	if _, err := r.send(p, all); err != nil {
		return err
	}
	s := &seen{}
	if err := r.consume(r.topic(), everything, s.listener, consumer.WithNamespace("tenant")); err != nil {
		return err
	}
	if err := s.await(all, "consumed"); err != nil {
		return err
	}
	return r.consumeSame("tenant%"+r.topic(), all, "in the topic with the namespace")
}
