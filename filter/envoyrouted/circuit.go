// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/envoyadmin"
)

// Circuit counts what all sessions use of one cluster of Envoy, against its circuit breakers. Envoy lends a connection to
// one request after the other; here each belongs to a session. So where the limit is reached, an idle connection of another
// session is asked to close, and the session that wants one waits. All methods may be called from any thread.
type Circuit struct {
	waiters atomic.Int32

	mu          sync.Mutex
	connections map[*Slot]struct{}
	hosts       map[string]uint32 // connections by address
	waiting     []*Slot           // in the order of their coming
	pending     uint32            // requests without a connection yet
}

// NewCircuit makes a Circuit without connections.
func NewCircuit() *Circuit {
	return &Circuit{connections: make(map[*Slot]struct{}), hosts: make(map[string]uint32)}
}

// Slot is a connection that a session has or wants. Its methods, where not said otherwise, are for that session alone.
type Slot struct {
	circuit *Circuit
	host    string
	wake    func()

	idle    atomic.Bool
	pending uint32              // requests that wait for this connection
	limits  envoyadmin.Breakers // when it began to wait; of the circuit
}

// Slot makes a slot for a connection to a host. `wake` has its session call Take again, if the slot waits for room, or
// Spare, if it has some; it is called from any thread, and returns at once.
func (c *Circuit) Slot(host string, wake func()) *Slot {
	return &Slot{circuit: c, host: host, wake: wake}
}

// Take reports whether the connection may be opened now. If not it waits for its turn, which is behind those that wait and
// for which there is room: they have been woken.
func (s *Slot) Take(limits envoyadmin.Breakers) bool {
	c := s.circuit
	c.mu.Lock()
	at := slices.Index(c.waiting, s)
	if first := c.first(); c.hasRoom(s.host, limits) && (first == nil || first == s) {
		if at >= 0 {
			c.remove(at)
		}
		c.connections[s] = struct{}{}
		c.hosts[s.host]++
		next := c.first()
		c.mu.Unlock()
		wake(next) // there may be room for more
		return true
	}
	var spare *Slot
	if s.limits = limits; at < 0 {
		c.waiting = append(c.waiting, s)
		c.waiters.Add(1)
		spare = c.spare(s.host, limits)
	}
	c.mu.Unlock()
	wake(spare)
	return false
}

// hasRoom follows Envoy's tryCreateNewConnection: a host without a connection always gets one.
func (c *Circuit) hasRoom(host string, limits envoyadmin.Breakers) bool {
	n := c.hosts[host]
	return n == 0 || n < limits.MaxConnectionsPerHost && uint32(len(c.connections)) < limits.MaxConnections
}

// HasRoom reports whether a connection to a host could be opened now.
func (c *Circuit) HasRoom(host string, limits envoyadmin.Breakers) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) == 0 && c.hasRoom(host, limits)
}

// spare picks an idle connection whose end makes room for one to this host.
func (c *Circuit) spare(host string, limits envoyadmin.Breakers) *Slot {
	sameHost := c.hosts[host] >= limits.MaxConnectionsPerHost
	for s := range c.connections {
		if (!sameHost || s.host == host) && s.idle.CompareAndSwap(true, false) {
			return s
		}
	}
	return nil
}

// Spare says that the connection has nothing to do, and reports whether it shall end because others wait.
func (s *Slot) Spare() bool {
	s.idle.Store(true)
	return s.circuit.waiters.Load() > 0
}

// Busy says that the connection is used.
func (s *Slot) Busy() { s.idle.Store(false) }

// Leave gives up the slot, whether it had a connection or waited.
func (s *Slot) Leave() {
	c := s.circuit
	c.mu.Lock()
	if _, ok := c.connections[s]; ok {
		delete(c.connections, s)
		if c.hosts[s.host]--; c.hosts[s.host] == 0 {
			delete(c.hosts, s.host)
		}
	} else if at := slices.Index(c.waiting, s); at >= 0 {
		c.remove(at)
	}
	c.pending -= s.pending
	s.pending = 0
	next := c.first()
	c.mu.Unlock()
	wake(next)
}

// IsFull reports whether no more requests may wait for connections.
func (c *Circuit) IsFull(limits envoyadmin.Breakers) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending >= limits.MaxPendingRequests
}

// AddPending counts a request that waits for the connection, unless there are too many in the cluster.
func (s *Slot) AddPending(limits envoyadmin.Breakers) bool {
	c := s.circuit
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending >= limits.MaxPendingRequests {
		return false
	}
	c.pending++
	s.pending++
	return true
}

// Opened says that the connection is open: nothing waits for it any more.
func (s *Slot) Opened() {
	c := s.circuit
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending -= s.pending
	s.pending = 0
}

func (c *Circuit) remove(at int) {
	c.waiting = slices.Delete(c.waiting, at, at+1)
	c.waiters.Add(-1)
}

// first is the slot that has waited longest of those that there is room for now.
func (c *Circuit) first() *Slot {
	for _, s := range c.waiting {
		if c.hasRoom(s.host, s.limits) {
			return s
		}
	}
	return nil
}

func wake(s *Slot) {
	if s != nil {
		s.wake()
	}
}
