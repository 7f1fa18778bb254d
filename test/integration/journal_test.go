// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// journal is a ledger that also knows when what happened.
type journal struct {
	world.Ledger

	mu        sync.Mutex
	acked     map[int]time.Time
	delivered []delivery
}

type delivery struct {
	id     int
	broker string
	at     time.Time
}

// Acknowledged takes a producer's record.
func (j *journal) Acknowledged(line string) {
	j.Ledger.Acknowledged(line)
	id, err := strconv.Atoi(line)
	if err != nil {
		return // the ledger has noted it
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.acked == nil {
		j.acked = map[int]time.Time{}
	}
	j.acked[id] = time.Now()
}

// Delivered takes a consumer's record.
func (j *journal) Delivered(line string) {
	j.Ledger.Delivered(line)
	fields := strings.Fields(line)
	id, err := strconv.Atoi(fields[0])
	if err != nil || len(fields) < 2 {
		return // the ledger has noted it
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.delivered = append(j.delivered, delivery{id, fields[1], time.Now()})
}

// arrivals are the messages that were sent since then and have come from a broker: how many, and when the first was
// acknowledged and when the first was consumed.
type arrivals struct {
	count          int
	sent, consumed time.Time
}

func (j *journal) arrived(broker string, since time.Time) (a arrivals) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.delivered) - 1; i >= 0 && j.delivered[i].at.After(since); i-- {
		d := j.delivered[i]
		acked := j.acked[d.id]
		if d.broker != broker || !acked.After(since) {
			continue
		}
		a.count++
		a.consumed = d.at
		if a.sent.IsZero() || acked.Before(a.sent) {
			a.sent = acked
		}
	}
	return a
}

// pause is the longest time without a delivery since then.
func (j *journal) pause(since time.Time) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	longest, next := time.Duration(0), time.Now()
	for i := len(j.delivered) - 1; i >= 0 && j.delivered[i].at.After(since); i-- {
		longest = max(longest, next.Sub(j.delivered[i].at))
		next = j.delivered[i].at
	}
	return max(longest, next.Sub(since))
}
