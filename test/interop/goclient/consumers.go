// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func pushConcurrent(r *run) error {
	all, err := r.sendSome(60)
	if err != nil {
		return err
	}
	s := &seen{}
	if err := r.consume(r.topic(), everything, s.listener); err != nil {
		return err
	}
	return s.await(all, "consumed")
}

// pushOrderly: messages of one key share a queue and must come in order.
func pushOrderly(r *run) error {
	p, err := r.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	if err != nil {
		return err
	}
	var all []string
	for i := range 10 {
		for key := range 4 {
			text := fmt.Sprintf("%d:%d", key, i)
			all = append(all, text)
			res, err := p.SendSync(context.Background(), r.message(text).WithShardingKey("key-"+strconv.Itoa(key)))
			if err := stored(res, err); err != nil {
				return err
			}
		}
	}
	s := &seen{}
	if err := r.consume(r.topic(), everything, s.listener, consumer.WithConsumerOrder(true)); err != nil {
		return err
	}
	if err := s.await(all, "consumed"); err != nil {
		return err
	}
	next := map[string]int{}
	for _, text := range s.texts() {
		key, i, _ := strings.Cut(text, ":")
		if i != strconv.Itoa(next[key]) {
			return fmt.Errorf("message %s came in the place of %d", text, next[key])
		}
		next[key]++
	}
	return nil
}

func pushBroadcast(r *run) error {
	var both [2]seen
	for i := range both {
		if err := r.consume(r.topic(), everything, both[i].listener, consumer.WithConsumerModel(consumer.BroadCasting)); err != nil {
			return err
		}
	}
	all, err := r.sendSome(20)
	if err != nil {
		return err
	}
	for i := range both {
		if err := both[i].await(all, "consumed by one of two"); err != nil {
			return err
		}
	}
	return nil
}

// pushTwoMembers: two consumers of a group share the queues, and no message comes to both. This client does not tell
// its share, so probes show when both have one.
func pushTwoMembers(r *run) error {
	var members [2]seen
	for i := range members {
		if err := r.consume(r.topic(), everything, members[i].listener); err != nil {
			return err
		}
	}
	p, err := r.producer()
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		probes := texts(fmt.Sprintf("probe-%d", round), 2*brokers*queuesPerBroker)
		if _, err := r.send(p, probes); err != nil {
			return err
		}
		before := [2]int{}
		if within(3*time.Second, func() bool {
			for i := range members {
				before[i] = countPrefix(members[i].texts(), fmt.Sprintf("probe-%d-", round))
			}
			return before[0] > 0 && before[0] == before[1]
		}) == nil {
			break
		}
		if round == 25 {
			return fmt.Errorf("the members did not share the queues equally: %v of %d probes", before, len(probes))
		}
	}
	time.Sleep(2 * time.Second)
	all := texts("message", 100)
	if _, err := r.send(p, all); err != nil {
		return err
	}
	got := func() []string {
		var both []string
		for i := range members {
			for _, t := range members[i].texts() {
				if strings.HasPrefix(t, "message-") {
					both = append(both, t)
				}
			}
		}
		return both
	}
	_ = within(patience, func() bool { return len(got()) >= len(all) })
	time.Sleep(time.Second)
	return same(all, got(), "consumed by both together")
}

func countPrefix(list []string, prefix string) int {
	n := 0
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

func filterTag(r *run) error {
	return filter(r, consumer.MessageSelector{Type: consumer.TAG, Expression: "a || b"}, func(i int) bool { return i%3 != 2 })
}

func filterSQL(r *run) error {
	return filter(r, consumer.MessageSelector{Type: consumer.SQL92, Expression: "n between 10 and 19 and TAGS = 'a'"},
		func(i int) bool { return i >= 10 && i < 20 && i%3 == 0 })
}

func filter(r *run, selector consumer.MessageSelector, wanted func(int) bool) error {
	p, err := r.producer()
	if err != nil {
		return err
	}
	var want []string
	for i := range 30 {
		m := r.message(fmt.Sprintf("%s-%d", r.name, i)).WithTag("abc"[i%3 : i%3+1])
		m.WithProperty("n", strconv.Itoa(i))
		res, err := p.SendSync(context.Background(), m)
		if err := stored(res, err); err != nil {
			return err
		}
		if wanted(i) {
			want = append(want, string(m.Body))
		}
	}
	s := &seen{}
	if err := r.consume(r.topic(), selector, s.listener); err != nil {
		return err
	}
	return s.await(want, "consumed")
}

// retryDeadLetter: each message fails twice, once again after a delay, and then lies in the dead letter queue.
func retryDeadLetter(r *run) error {
	all, err := r.sendSome(6)
	if err != nil {
		return err
	}
	s := &seen{}
	err = r.consume(r.topic(), everything, func(_ context.Context, m ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		s.add(m...)
		return consumer.ConsumeRetryLater, nil
	}, consumer.WithMaxReconsumeTimes(1))
	if err != nil {
		return err
	}
	if err := s.await(append(all, all...), "delivered twice"); err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	return r.consumeSame("%DLQ%"+r.group("consumer"), all, "dead letters")
}

// pull polls as a member of a group.
func pull(r *run) error {
	all, err := r.sendSome(20)
	if err != nil {
		return err
	}
	c, err := rocketmq.NewPullConsumer(consumer.WithNsResolver(r.resolver()), consumer.WithGroupName(r.group("consumer")),
		consumer.WithInstance(instance()), consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return err
	}
	if err := c.Subscribe(r.topic(), everything); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	r.close(c.Shutdown)
	s := &seen{}
	err = within(patience, func() bool {
		request, err := c.Poll(context.Background(), 2*time.Second)
		if err == nil {
			s.add(request.GetMsgList()...)
			c.ACK(context.Background(), request, consumer.ConsumeSuccess)
		}
		return len(s.all()) >= len(all)
	})
	if err != nil {
		return fmt.Errorf("polled %d of %d: %w", len(s.all()), len(all), err)
	}
	return same(all, s.texts(), "polled")
}
