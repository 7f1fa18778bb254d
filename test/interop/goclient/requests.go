// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const replyLimit = 40 * time.Second

// startReplier answers each request after a second: this client registers with brokers beside sending its request,
// and a reply that comes before is lost.
func startReplier(r *run) (rocketmq.Producer, error) {
	replier, err := r.producer()
	if err != nil {
		return nil, err
	}
	err = r.consume(r.topic(), everything, func(ctx context.Context, all ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, m := range all {
			time.Sleep(time.Second)
			body := append([]byte("re: "), m.Body...)
			reply, err := consumer.CreateReplyMessage(m, body)
			for tries := 0; err == nil && tries < 3; tries++ {
				reply.Body = body // CreateReplyMessage takes it for properties, and leaves the body empty
				if _, sendErr := replier.SendSync(ctx, reply); sendErr == nil {
					break
				} else if tries == 2 {
					err = sendErr
				}
				time.Sleep(time.Second)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "reply:", err)
			}
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return nil, err
	}
	return r.producer(producer.WithGroupName(r.group("asker")))
}

func requestReply(r *run) error {
	asker, err := startReplier(r)
	if err != nil {
		return err
	}
	for _, text := range texts(r.name, 4) {
		reply, err := asker.Request(context.Background(), replyLimit, r.message(text))
		if err != nil {
			return err
		}
		if string(reply.Body) != "re: "+text {
			return fmt.Errorf("the reply to %q is %q", text, reply.Body)
		}
	}
	return nil
}

func requestReplyAsync(r *run) error {
	asker, err := startReplier(r)
	if err != nil {
		return err
	}
	for _, text := range texts(r.name, 4) {
		done := make(chan error, 10)
		err := asker.RequestAsync(context.Background(), replyLimit, func(_ context.Context, m *primitive.Message, err error) {
			if err == nil && string(m.Body) != "re: "+text {
				err = fmt.Errorf("the reply to %q is %q", text, m.Body)
			}
			done <- err
		}, r.message(text))
		if err != nil {
			return err
		}
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-time.After(replyLimit + time.Second):
			return fmt.Errorf("no reply to %q", text)
		}
	}
	return nil
}
