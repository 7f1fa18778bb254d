// SPDX-License-Identifier: Apache-2.0

package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Ledger compares what producers had acknowledged with what consumers got. Ids are those of the workload's
// messages: numbers from 0 on, so that it costs 2 bytes a message however long a run is. Any goroutine may use it.
type Ledger struct {
	mu        sync.Mutex
	acked     []bool
	delivered []uint8  // times, saturating
	repeats   []string // the first few

	sums Sums
}

// Sums are the ledger's totals, in messages.
type Sums struct {
	Sent     int64 // acknowledged to a producer
	Consumed int64 // of those, delivered at least once
	// Duplicated counts deliveries beyond a message's first.
	Duplicated int64
	// Unacknowledged were delivered although their send failed, or was not reported as done yet.
	Unacknowledged int64
	// Bad records could not be read: a bug of the workload.
	Bad int64
	// PerBroker counts first deliveries by the broker that stored the message.
	PerBroker map[string]int64
}

// Lost are the messages that were acknowledged and never delivered.
func (s Sums) Lost() int64 { return s.Sent - s.Consumed }

// Acknowledged takes a line of a producer's --acked file.
func (l *Ledger) Acknowledged(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, err := strconv.ParseUint(line, 10, 40)
	if err != nil {
		l.sums.Bad++
		return
	}
	l.grow(id)
	if l.acked[id] {
		return
	}
	l.acked[id] = true
	l.sums.Sent++
	if l.delivered[id] > 0 {
		l.sums.Consumed++
		l.sums.Unacknowledged--
	}
}

// Delivered takes a line of a consumer's --records file: id broker queueId queueOffset reconsumeTimes.
func (l *Ledger) Delivered(line string) { l.take(line) }

// record is a line of a consumer's --records file.
type record struct {
	id            int
	broker, queue string // the queue's name has the broker's in it
	offset        int64
	first         bool // the first of this message
}

// take notes a delivery; not ok if it cannot be read.
func (l *Ledger) take(line string) (r record, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fields := strings.Fields(line)
	if len(fields) != 5 {
		l.sums.Bad++
		return record{}, false
	}
	id, err := strconv.ParseUint(fields[0], 10, 40)
	offset, offsetErr := strconv.ParseInt(fields[3], 10, 64)
	if err != nil || offsetErr != nil {
		l.sums.Bad++
		return record{}, false
	}
	r = record{id: int(id), broker: fields[1], queue: fields[1] + " " + fields[2], offset: offset}
	l.grow(id)
	if l.delivered[id] < 255 {
		l.delivered[id]++
	}
	if l.delivered[id] > 1 {
		l.sums.Duplicated++
		if len(l.repeats) < 20 {
			l.repeats = append(l.repeats, line)
		}
		return r, true
	}
	r.first = true
	if l.sums.PerBroker == nil {
		l.sums.PerBroker = make(map[string]int64)
	}
	l.sums.PerBroker[fields[1]]++
	if l.acked[id] {
		l.sums.Consumed++
	} else {
		l.sums.Unacknowledged++
	}
	return r, true
}

func (l *Ledger) grow(id uint64) {
	for n := int(id) + 1 - len(l.acked); n > 0; n = int(id) + 1 - len(l.acked) {
		n = max(n, len(l.acked)/4, 1024)
		l.acked = append(l.acked, make([]bool, n)...)
		l.delivered = append(l.delivered, make([]uint8, n)...)
	}
}

// Sums returns the totals so far.
func (l *Ledger) Sums() Sums {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sums
	s.PerBroker = make(map[string]int64, len(l.sums.PerBroker))
	for k, v := range l.sums.PerBroker {
		s.PerBroker[k] = v
	}
	return s
}

// Lost returns the ids that were acknowledged and never delivered, at most limit of them.
func (l *Ledger) Lost(limit int) []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []int
	for id, acked := range l.acked {
		if acked && l.delivered[id] == 0 && len(ids) < limit {
			ids = append(ids, id)
		}
	}
	return ids
}

// Repeats returns the records of the first 20 repeated deliveries.
func (l *Ledger) Repeats() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.repeats)
}

func (s Sums) String() string {
	return fmt.Sprintf("sent %d, consumed %d, lost %d, duplicated %d", s.Sent, s.Consumed, s.Lost(), s.Duplicated)
}
