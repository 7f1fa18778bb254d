// SPDX-License-Identifier: Apache-2.0

package envoyrouted

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// memberLifeSpan is how long a member counts after its last heartbeat: as long as brokers wait
// (ClientChannelInfo's expiry in ConsumerManager), who get one every 30 s.
const memberLifeSpan = 2 * time.Minute

// Members are the clients of each consumer group, over all connections. All methods may be called from any
// thread; `now` is any clock that all callers share.
type Members struct {
	mu     sync.Mutex
	groups map[string]map[string]member
}

// member is one client of one group.
type member struct {
	connection any // whose end is the member's end
	heartbeat  time.Duration
}

// NewMembers makes an empty register.
func NewMembers() *Members { return &Members{groups: make(map[string]map[string]member)} }

// Register notes a client's heartbeat, which came on a connection (any comparable value).
func (m *Members) Register(group, clientID string, connection any, now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clients := m.groups[group]
	if clients == nil {
		clients = make(map[string]member)
		m.groups[group] = clients
	}
	clients[clientID] = member{connection, now}
}

// Unregister removes a client from a group.
func (m *Members) Unregister(group, clientID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.groups[group], clientID)
	m.dropIfEmpty(group)
}

// Disconnected removes a client from a group if its last heartbeat came on this connection.
func (m *Members) Disconnected(group, clientID string, connection any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups[group][clientID].connection == connection {
		delete(m.groups[group], clientID)
		m.dropIfEmpty(group)
	}
}

// List is the clients of a group, sorted.
func (m *Members) List(group string, now time.Duration) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	clients := m.groups[group]
	for id, c := range clients {
		if now-c.heartbeat > memberLifeSpan {
			delete(clients, id)
		}
	}
	m.dropIfEmpty(group)
	return slices.Sorted(maps.Keys(clients))
}

func (m *Members) dropIfEmpty(group string) {
	if len(m.groups[group]) == 0 {
		delete(m.groups, group)
	}
}
