// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"sync"
	"time"
)

// maxDirectives bounds what pop answers can have the proxy remember; the oldest go first.
const maxDirectives = 1 << 20

// Broker is where a popped message came from.
type Broker struct {
	Name string
	ID   int64
}

// Message names a popped message as its acknowledgement does.
type Message struct {
	Group, Topic string
	QueueID      int32
	Offset       int64
}

// Directives remember which broker each popped message came from, so that an acknowledgement that does not
// say so finds the way back. All methods may be called from any thread; `now` is any clock that all callers share.
type Directives struct {
	lifeSpan time.Duration

	mu     sync.Mutex
	byKey  map[Message]directive
	oldest []dated // in the order of their dates; an entry whose directive has a later date is void
}

type directive struct {
	broker Broker
	date   time.Duration
}

type dated struct {
	key  Message
	date time.Duration
}

// NewDirectives makes an empty memory whose entries live for lifeSpan after their message was last popped.
func NewDirectives(lifeSpan time.Duration) *Directives {
	return &Directives{lifeSpan: lifeSpan, byKey: make(map[Message]directive)}
}

// Remember notes where a message was popped from, now.
func (d *Directives) Remember(m Message, from Broker, now time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byKey[m] = directive{from, now}
	d.oldest = append(d.oldest, dated{m, now})
	d.purge(now)
}

// Find gives the broker of a message, unless its directive is too old.
func (d *Directives) Find(m Message, now time.Duration) (Broker, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.purge(now)
	found, ok := d.byKey[m]
	return found.broker, ok && now-found.date <= d.lifeSpan
}

// Forget removes the directive of a message that has been acknowledged at a broker. Brokers count their
// messages by themselves: a directive may be of another broker's message with the same name.
func (d *Directives) Forget(m Message, at string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byKey[m].broker.Name == at {
		delete(d.byKey, m)
	}
}

// Len is the number of directives, those included that are too old and not yet purged.
func (d *Directives) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.byKey)
}

// purge removes what is too old or too much. Each call that adds an entry removes at most a few, so that
// none has to remove many; void entries go when their turn comes.
func (d *Directives) purge(now time.Duration) {
	for range 4 {
		if len(d.oldest) == 0 {
			return
		}
		first := d.oldest[0]
		current, ok := d.byKey[first.key]
		isVoid := !ok || current.date != first.date
		if !isVoid && now-first.date <= d.lifeSpan && len(d.byKey) <= maxDirectives && len(d.oldest) <= 2*maxDirectives {
			return
		}
		if !isVoid {
			delete(d.byKey, first.key)
		}
		d.oldest[0] = dated{}
		d.oldest = d.oldest[1:]
	}
}
