// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
)

// client is a session with one slot.
type client struct {
	*Slot
	woken int
}

func newClient(c *Circuit, host string) *client {
	x := &client{}
	x.Slot = c.Slot(host, func() { x.woken++ })
	return x
}

func TestWhereThereIsNoRoomAnIdleConnectionIsAskedToGo(t *testing.T) {
	circuit := NewCircuit()
	two := envoyadmin.Breakers{MaxConnections: 2, MaxConnectionsPerHost: math.MaxUint32, MaxPendingRequests: 1}
	busy, idle, first, second := newClient(circuit, "a"), newClient(circuit, "a"), newClient(circuit, "a"), newClient(circuit, "a")
	if !busy.Take(two) || !idle.Take(two) || idle.Spare() {
		t.Fatal("no room for two")
	}
	if first.Take(two) || second.Take(two) || circuit.HasRoom("a", two) {
		t.Fatal("room for more than two")
	}
	if busy.woken != 0 || idle.woken != 1 || !idle.Spare() {
		t.Errorf("the busy one was woken %d times, the idle one %d times", busy.woken, idle.woken)
	}
	idle.Leave()
	if first.woken != 1 || second.woken != 0 || !first.Take(two) || second.Take(two) {
		t.Errorf("woken %d and %d times", first.woken, second.woken)
	}
	busy.Busy()
	if !busy.Spare() { // has become idle: another waits
		t.Error("keeps what another waits for")
	}
	busy.Leave()
	if second.woken != 1 || !second.Take(two) || first.Spare() {
		t.Errorf("woken %d times, or asked to go for nobody", second.woken)
	}
	first.Leave()
	second.Leave()
	if len(circuit.connections)+len(circuit.hosts)+len(circuit.waiting) != 0 || circuit.waiters.Load() != 0 {
		t.Errorf("left is %+v", circuit)
	}
}

func TestEveryHostGetsOneConnection(t *testing.T) { // tryCreateNewConnection
	circuit := NewCircuit()
	none := envoyadmin.Breakers{}
	if !newClient(circuit, "a").Take(none) || !newClient(circuit, "b").Take(none) || newClient(circuit, "a").Take(none) {
		t.Error("want one for each host")
	}
}

func TestHostsHaveALimitOfTheirOwn(t *testing.T) {
	circuit := NewCircuit()
	limits := envoyadmin.Breakers{MaxConnections: 4, MaxConnectionsPerHost: 1}
	a, b := newClient(circuit, "a"), newClient(circuit, "b")
	a.Take(limits)
	b.Take(limits)
	a.Spare()
	b.Spare()
	next := newClient(circuit, "a")
	if next.Take(limits) || a.woken != 1 || b.woken != 0 {
		t.Errorf("a woken %d times, b %d times", a.woken, b.woken)
	}
	b.Leave() // makes no room for a
	if next.woken != 0 {
		t.Error("woken in vain")
	}
	next.Leave() // gives up
	a.Leave()
	if next.woken != 0 || len(circuit.waiting) != 0 {
		t.Error("woken though it has given up")
	}
}

func TestPendingRequestsAreCountedOverAllSlots(t *testing.T) {
	circuit := NewCircuit()
	limits := envoyadmin.Breakers{MaxPendingRequests: 2}
	a, b := newClient(circuit, "a"), newClient(circuit, "b")
	if !a.AddPending(limits) || circuit.IsFull(limits) || !b.AddPending(limits) || a.AddPending(limits) || !circuit.IsFull(limits) {
		t.Error("want two")
	}
	a.Opened()
	if !b.AddPending(limits) {
		t.Error("one that has its connection still counts")
	}
	b.Leave()
	if circuit.pending != 0 {
		t.Errorf("%d are left", circuit.pending)
	}
}

// TestCircuitsOfManyThreads has more clients than connections take turns; nobody may be forgotten.
func TestCircuitsOfManyThreads(t *testing.T) {
	circuit := NewCircuit()
	limits := envoyadmin.Breakers{MaxConnections: 3, MaxConnectionsPerHost: 2, MaxPendingRequests: math.MaxUint32}
	var most, open atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 200 {
				calls := make(chan struct{}, 1)
				slot := circuit.Slot(string(rune('a'+i%2)), func() {
					select {
					case calls <- struct{}{}:
					default:
					}
				})
				slot.AddPending(limits)
				for !slot.Take(limits) {
					<-calls
				}
				most.Store(max(most.Load(), open.Add(1)))
				slot.Opened()
				for !slot.Spare() && len(calls) > 0 {
					<-calls
				}
				open.Add(-1)
				slot.Leave()
			}
		})
	}
	all.Wait()
	if most.Load() > 3 || len(circuit.connections)+len(circuit.waiting)+len(circuit.hosts) != 0 || circuit.pending != 0 || circuit.waiters.Load() != 0 {
		t.Errorf("%d at once; left is %+v", most.Load(), circuit)
	}
}

// One that comes when there is room again does not go before those that have been woken for it.
func TestNobodyGoesBeforeThoseThatWait(t *testing.T) {
	circuit := NewCircuit()
	one := envoyadmin.Breakers{MaxConnections: 1, MaxConnectionsPerHost: math.MaxUint32}
	last, first, second, late := newClient(circuit, "a"), newClient(circuit, "a"), newClient(circuit, "a"), newClient(circuit, "a")
	last.Take(one)
	first.Take(one)
	second.Take(one)
	last.Leave()
	if late.Take(one) || second.Take(one) || first.woken != 1 || !first.Take(one) {
		t.Fatalf("the first was woken %d times, and others were before it", first.woken)
	}
	first.Leave()
	if late.Take(one) || second.woken != 1 || !second.Take(one) {
		t.Fatalf("the second was woken %d times, and others were before it", second.woken)
	}
	second.Leave()
	if late.woken != 1 || !late.Take(one) {
		t.Error("the last one waits for nobody")
	}
}
