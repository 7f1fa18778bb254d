// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// account is that of the scenarios that sign, at brokers that demand it.
var account primitive.Credentials

func signed(r *run) error {
	return sendAndConsume(r, []producer.Option{producer.WithCredentials(account)}, []consumer.Option{consumer.WithCredentials(account)})
}

// wrongSecret fails with what the client is told.
func wrongSecret(r *run) error {
	p, err := r.producer(producer.WithCredentials(primitive.Credentials{AccessKey: account.AccessKey, SecretKey: "wrong-secret"}))
	if err != nil {
		return err
	}
	_, err = p.SendSync(context.Background(), r.message("not to be stored"))
	return err
}

// sendAndConsume is a producer and a push consumer with options of their own.
func sendAndConsume(r *run, producing []producer.Option, consuming []consumer.Option) error {
	p, err := r.producer(producing...)
	if err != nil {
		return err
	}
	all := texts(r.name, 20)
	if _, err := r.send(p, all); err != nil {
		return err
	}
	s := &seen{}
	if err := r.consume(r.topic(), everything, s.listener, consuming...); err != nil {
		return err
	}
	return s.await(all, "consumed")
}
