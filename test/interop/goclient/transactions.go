// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// verdict says the same of every message at first, and when asked again.
type verdict struct {
	first, later primitive.LocalTransactionState
	mu           sync.Mutex
	checked      map[string]bool
}

func (v *verdict) ExecuteLocalTransaction(*primitive.Message) primitive.LocalTransactionState {
	return v.first
}

func (v *verdict) CheckLocalTransaction(m *primitive.MessageExt) primitive.LocalTransactionState {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.checked[string(m.Body)] = true
	return v.later
}

func (v *verdict) checks() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.checked)
}

// unknown is neither a commit nor a rollback; its name differs between releases.
const unknown = primitive.LocalTransactionState(3)

// sendHalves sends half messages.
func sendHalves(r *run, v *verdict) ([]string, error) {
	v.checked = map[string]bool{}
	p, err := rocketmq.NewTransactionProducer(v, producer.WithNsResolver(r.resolver()), producer.WithGroupName(r.group("producer")),
		producer.WithInstanceName(instance()), producer.WithSendMsgTimeout(10*time.Second))
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	r.close(p.Shutdown)
	all := texts(r.name, 6)
	for _, text := range all {
		res, err := p.SendMessageInTransaction(context.Background(), r.message(text))
		if err != nil {
			return nil, err
		}
		if err := stored(res.SendResult, nil); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// untilChecksWouldCome: with the brokers' config that is after at most 11 s, and a little.
func untilChecksWouldCome(begin time.Time) { time.Sleep(time.Until(begin.Add(14 * time.Second))) }

func txCommit(r *run) error {
	begin := time.Now()
	v := &verdict{first: primitive.CommitMessageState, later: primitive.CommitMessageState}
	all, err := sendHalves(r, v)
	if err != nil {
		return err
	}
	untilChecksWouldCome(begin)
	if n := v.checks(); n > 0 {
		return fmt.Errorf("%d transactions that were committed were asked for", n)
	}
	return r.consumeSame(r.topic(), all, "committed")
}

func txRollback(r *run) error {
	begin := time.Now()
	v := &verdict{first: primitive.RollbackMessageState, later: primitive.CommitMessageState}
	if _, err := sendHalves(r, v); err != nil {
		return err
	}
	untilChecksWouldCome(begin)
	if n := v.checks(); n > 0 {
		return fmt.Errorf("%d transactions that were rolled back were asked for", n)
	}
	return nil
}

func txCheckBack(r *run) error {
	v := &verdict{first: unknown, later: primitive.CommitMessageState}
	all, err := sendHalves(r, v)
	if err != nil {
		return err
	}
	if err := within(patience, func() bool { return v.checks() == len(all) }); err != nil {
		return fmt.Errorf("%d of %d transactions were asked for: %w", v.checks(), len(all), err)
	}
	return r.consumeSame(r.topic(), all, "committed after a check")
}
