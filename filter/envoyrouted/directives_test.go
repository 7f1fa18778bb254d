// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestDirectivesEndByAcknowledgementOrByTime(t *testing.T) {
	d := NewDirectives(30 * time.Second)
	m := Message{"g", "t", 3, 99}
	a, b := Broker{"broker-a", 0}, Broker{"broker-b", 1}
	if _, ok := d.Find(m, 0); ok {
		t.Error("found in an empty memory")
	}
	d.Remember(m, a, 0)
	if got, ok := d.Find(m, 30*time.Second); !ok || got != a {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, other := range []Message{{"h", "t", 3, 99}, {"g", "u", 3, 99}, {"g", "t", 4, 99}, {"g", "t", 3, 98}} {
		if _, ok := d.Find(other, 0); ok {
			t.Errorf("found %v", other)
		}
	}
	d.Remember(m, b, 20*time.Second) // popped again, elsewhere
	if got, ok := d.Find(m, 50*time.Second); !ok || got != b {
		t.Errorf("got %v, %v", got, ok)
	}
	for i := range 100 { // more than one call purges
		d.Remember(Message{Group: "g", Offset: int64(i)}, a, 0)
	}
	if _, ok := d.Find(Message{Group: "g", Offset: 99}, 31*time.Second); ok {
		t.Error("found after its time")
	}
	if _, ok := d.Find(m, 50*time.Second+1); ok {
		t.Error("found after its time")
	}
	d.Remember(m, a, time.Minute)
	d.Forget(m, "broker-b") // another broker's message of the same name
	if _, ok := d.Find(m, time.Minute); !ok {
		t.Error("gone with another broker's message")
	}
	d.Forget(m, "broker-a")
	if _, ok := d.Find(m, time.Minute); ok {
		t.Error("found after its acknowledgement")
	}
}

func TestDirectivesWithoutALifeSpanEndAtOnce(t *testing.T) {
	d := NewDirectives(0)
	d.Remember(Message{Group: "g"}, Broker{}, 5)
	if _, ok := d.Find(Message{Group: "g"}, 6); ok {
		t.Error("found")
	}
}

func TestDirectivesAreBounded(t *testing.T) {
	d := NewDirectives(time.Hour)
	const more = 1000
	for i := range maxDirectives + more {
		d.Remember(Message{Offset: int64(i)}, Broker{}, 0)
	}
	if d.Len() != maxDirectives {
		t.Errorf("%d directives", d.Len())
	}
	if _, ok := d.Find(Message{Offset: more - 1}, 0); ok {
		t.Error("the oldest are left")
	}
	if _, ok := d.Find(Message{Offset: maxDirectives + more - 1}, 0); !ok {
		t.Error("the newest is gone")
	}
	again := NewDirectives(time.Hour)
	for range 2*maxDirectives + more { // the same message, over and over
		again.Remember(Message{}, Broker{}, 0)
	}
	if len(again.oldest) > 2*maxDirectives+1 || again.Len() != 1 {
		t.Errorf("%d dates of %d directives", len(again.oldest), again.Len())
	}
}

func TestDirectivesAndMembersOfManyThreads(t *testing.T) {
	d, m := NewDirectives(time.Second), NewMembers()
	var done sync.WaitGroup
	for i := range 8 {
		done.Go(func() {
			for j := range 1000 {
				message := Message{Group: "g", Offset: int64(j)}
				d.Remember(message, Broker{}, time.Duration(j))
				d.Find(message, time.Duration(j))
				d.Forget(message, "")
				m.Register("g", fmt.Sprint(j), i, 0)
				m.List("g", 0)
				m.Disconnected("g", fmt.Sprint(j), i)
			}
		})
	}
	done.Wait()
}
