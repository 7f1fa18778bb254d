// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const (
	brokers         = 2
	queuesPerBroker = 2
	// patience covers two rounds of this client's rebalancing, whose interval is 20 s.
	patience = 60 * time.Second
)

// run is one run of one scenario.
type run struct {
	nameServer, prefix, name string

	mu   sync.Mutex
	open []func() error
}

func newRun(nameServer, prefix, name string) *run {
	return &run{nameServer: nameServer, prefix: prefix, name: name}
}

func (r *run) topic() string              { return r.prefix + "-" + r.name }
func (r *run) group(suffix string) string { return r.topic() + "-" + suffix }

func (r *run) resolver() primitive.NsResolver {
	return primitive.NewPassthroughResolver([]string{r.nameServer})
}

func (r *run) close(f func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, f)
}

func (r *run) closeAll() {
	for _, f := range slices.Backward(r.open) {
		if err := f(); err != nil {
			fmt.Fprintln(os.Stderr, r.name, err)
		}
	}
}

var instances atomic.Int64

// instance names a client of its own, with an id and connections that no other has.
func instance() string { return fmt.Sprintf("%d-%d", os.Getpid(), instances.Add(1)) }

func (r *run) producer(opts ...producer.Option) (rocketmq.Producer, error) {
	p, err := rocketmq.NewProducer(append([]producer.Option{
		producer.WithNsResolver(r.resolver()), producer.WithGroupName(r.group("producer")),
		producer.WithInstanceName(instance()), producer.WithSendMsgTimeout(10 * time.Second), producer.WithRetry(2),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	r.close(p.Shutdown)
	return p, nil
}

// seen are the messages that consumers were given.
type seen struct {
	mu       sync.Mutex
	messages []*primitive.MessageExt
}

func (s *seen) add(m ...*primitive.MessageExt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m...)
}

func (s *seen) all() []*primitive.MessageExt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

func (s *seen) texts() []string {
	var texts []string
	for _, m := range s.all() {
		texts = append(texts, string(m.Body))
	}
	return texts
}

// await waits until these have come, then a second longer for any that should not.
func (s *seen) await(want []string, what string) error {
	within(patience, func() bool { return len(s.all()) >= len(want) })
	time.Sleep(time.Second)
	return same(want, s.texts(), what)
}

func (s *seen) listener(_ context.Context, m ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	s.add(m...)
	return consumer.ConsumeSuccess, nil
}

type listener func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

var everything = consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}

// consume starts a push consumer that begins with the oldest message.
func (r *run) consume(topic string, selector consumer.MessageSelector, l listener, opts ...consumer.Option) error {
	c, err := rocketmq.NewPushConsumer(append([]consumer.Option{
		consumer.WithNsResolver(r.resolver()), consumer.WithGroupName(r.group("consumer")), consumer.WithInstance(instance()),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	}, opts...)...)
	if err != nil {
		return err
	}
	if err := c.Subscribe(topic, selector, l); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	r.close(c.Shutdown)
	return nil
}

// consumeSame reads a topic with a consumer of its own and compares.
func (r *run) consumeSame(topic string, want []string, what string) error {
	s := &seen{}
	if err := r.consume(topic, everything, s.listener, consumer.WithGroupName(r.group("reader"))); err != nil {
		return err
	}
	return s.await(want, what)
}

func (r *run) message(text string) *primitive.Message {
	return primitive.NewMessage(r.topic(), []byte(text))
}

func texts(start string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%d", start, i))
	}
	return all
}

// send sends texts one after another and tells how many each broker got.
func (r *run) send(p rocketmq.Producer, texts []string) (map[string]int, error) {
	perBroker := map[string]int{}
	for _, text := range texts {
		res, err := p.SendSync(context.Background(), r.message(text))
		if err := stored(res, err); err != nil {
			return nil, err
		}
		perBroker[res.MessageQueue.BrokerName]++
	}
	return perBroker, nil
}

// sendSome sends n messages with a producer of its own.
func (r *run) sendSome(n int) ([]string, error) {
	p, err := r.producer()
	if err != nil {
		return nil, err
	}
	all := texts(r.name, n)
	_, err = r.send(p, all)
	return all, err
}

func stored(res *primitive.SendResult, err error) error {
	if err != nil {
		return err
	}
	if res.Status != primitive.SendOK {
		return fmt.Errorf("send status %d", res.Status)
	}
	return nil
}

// same compares what was sent with what came, as bags.
func same(want, got []string, what string) error {
	count := map[string]int{}
	for _, s := range want {
		count[s]++
	}
	for _, s := range got {
		count[s]--
	}
	missing, extra := 0, 0
	for _, n := range count {
		missing += max(0, n)
		extra += max(0, -n)
	}
	if missing+extra > 0 {
		return fmt.Errorf("%s: of %d messages %d missing, %d too many", what, len(want), missing, extra)
	}
	return nil
}

var errNotYet = errors.New("not in time")

// within waits until ok or until the time is over, and tells which.
func within(d time.Duration, ok func() bool) error {
	for end := time.Now().Add(d); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return errNotYet
		}
	}
	return nil
}
