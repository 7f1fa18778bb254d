// SPDX-License-Identifier: Apache-2.0

package world

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// Journal is a ledger that also knows when what happened. It costs some 100 bytes a message.
type Journal struct {
	Ledger

	mu        sync.Mutex
	acked     map[int]time.Time
	delivered []delivery
	furthest  map[string]int64 // offset by queue
	disorder  []string         // records
}

type delivery struct {
	id     int
	broker string
	at     time.Time
}

// Acknowledged takes a producer's record.
func (j *Journal) Acknowledged(line string) {
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
func (j *Journal) Delivered(line string) {
	r, ok := j.take(line)
	if !ok {
		return // the ledger has noted it
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.delivered = append(j.delivered, delivery{r.id, strings.Clone(r.broker), time.Now()})
	if !r.first {
		return
	}
	if j.furthest == nil {
		j.furthest = map[string]int64{}
	}
	if furthest, any := j.furthest[r.queue]; any && r.offset < furthest {
		j.disorder = append(j.disorder, line)
		return
	}
	j.furthest[r.queue] = r.offset
}

// Disorder gives the records, since its last call, of messages that came for the first time when a later one of their
// queue had come already. With one orderly consumer there are none, whatever is delivered again.
func (j *Journal) Disorder() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	records := j.disorder
	j.disorder = nil
	return records
}

// Arrivals are the messages that were sent since some moment and have come from one broker.
type Arrivals struct {
	Count int
	// Sent is when the first of them was acknowledged, Consumed when the first was consumed.
	Sent, Consumed time.Time
}

// Arrived gives the messages of a broker that were sent since then.
func (j *Journal) Arrived(broker string, since time.Time) (a Arrivals) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.delivered) - 1; i >= 0 && j.delivered[i].at.After(since); i-- {
		d := j.delivered[i]
		acked := j.acked[d.id]
		if d.broker != broker || !acked.After(since) {
			continue
		}
		a.Count++
		a.Consumed = d.at
		if a.Sent.IsZero() || acked.Before(a.Sent) {
			a.Sent = acked
		}
	}
	return a
}

// Pause is the longest time without a delivery since then.
func (j *Journal) Pause(since time.Time) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	longest, next := time.Duration(0), time.Now()
	for i := len(j.delivered) - 1; i >= 0 && j.delivered[i].at.After(since); i-- {
		longest = max(longest, next.Sub(j.delivered[i].at))
		next = j.delivered[i].at
	}
	return max(longest, next.Sub(since))
}
