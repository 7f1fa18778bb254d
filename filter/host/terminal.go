// SPDX-License-Identifier: Apache-2.0

package host

import (
	"sync"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// Terminal is the adapter of a client connection that no other filter follows: its events become events of its session,
// which opens an upstream connection for each broker and acts through the methods of session.Host.
type Terminal struct {
	host     *Host
	instance *instance.Instance
	client   Client
	session  *session.Session
	timer    *Timer

	mu        sync.Mutex // guards what follows; taken last, never held while calling out
	upstreams map[session.UpstreamID]*Upstream
}

var _ session.Host = (*Terminal)(nil)

// NewTerminal returns the adapter of a connection, which Open starts.
func NewTerminal(h *Host, x *instance.Instance, client Client) *Terminal {
	return &Terminal{host: h, instance: x, client: client, timer: NewTimer(client.Wake), upstreams: make(map[session.UpstreamID]*Upstream)}
}

// Open starts the session. The local address is what the client dialled. It returns false if that panicked: the session
// has ended, and the connection is to be closed, without a further event.
func (t *Terminal) Open(local, remote string) (ok bool) {
	defer t.host.Recover(t.instance, func() {
		t.abandon()
		t.Closed(false)
	})
	t.session = session.New(&t.instance.Environment, t, local, remote)
	t.session.Open(Now())
	return true
}

// abandon closes the connection after a panic.
func (t *Terminal) abandon() { t.session.Abandon(Now()) }

// Data takes bytes of the client, which are borrowed for the call. It returns false: none of them goes on by itself.
func (t *Terminal) Data(views [][]byte, _ bool) (pass bool) {
	defer t.host.Recover(t.instance, t.abandon)
	t.session.DownstreamData(Now(), views)
	return false
}

// Drained is called when the client has been full and has caught up.
func (t *Terminal) Drained() {
	defer t.host.Recover(t.instance, t.abandon)
	t.session.DownstreamDrained(Now())
}

// Wake is called after Client.Wake.
func (t *Terminal) Wake() {
	defer t.host.Recover(t.instance, t.abandon)
	t.session.Wake(Now())
}

// Closed ends the session: the client's connection has ended.
func (t *Terminal) Closed(bool) {
	defer t.host.Recover(t.instance, func() {})
	t.timer.Stop()
	t.session.Close(Now())
}

// Capabilities implements session.Host.
func (t *Terminal) Capabilities() session.Capabilities { return session.Capabilities{} }

// WriteDownstream implements session.Host.
func (t *Terminal) WriteDownstream(b []byte) { t.client.Write(b) }

// DownstreamFull implements session.Host.
func (t *Terminal) DownstreamFull() bool { return t.client.Full() }

// CloseDownstream implements session.Host.
func (t *Terminal) CloseDownstream() { t.client.Close(true) }

// AbortDownstream implements session.Host.
func (t *Terminal) AbortDownstream() { t.client.Close(false) }

// WakeAt implements session.Host.
func (t *Terminal) WakeAt(at session.Instant) { t.timer.Set(at) }

// ConnectUpstream implements session.Host.
func (t *Terminal) ConnectUpstream(id session.UpstreamID, address string) {
	u := &Upstream{terminal: t, id: id, address: address}
	t.mu.Lock()
	t.upstreams[id] = u
	t.mu.Unlock()
	u.conn = t.client.Connect(address, u)
}

// WriteUpstream implements session.Host.
func (t *Terminal) WriteUpstream(id session.UpstreamID, b []byte) (kept int) {
	t.mu.Lock()
	u := t.upstreams[id]
	t.mu.Unlock()
	if u == nil {
		return 0
	}
	return u.conn.Write(b)
}

// CloseUpstream implements session.Host.
func (t *Terminal) CloseUpstream(id session.UpstreamID) {
	if u := t.remove(id); u != nil && u.conn != nil {
		u.conn.Close()
	}
}

func (t *Terminal) remove(id session.UpstreamID) *Upstream {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.upstreams[id]
	delete(t.upstreams, id)
	return u
}

// Upstream takes the events of one upstream connection: Ready; Data, Full and Drained; and in the end Failed or Closed.
// They may come on any thread, one at a time.
type Upstream struct {
	terminal *Terminal
	id       session.UpstreamID
	address  string
	conn     UpstreamConn // guarded by the session's lock, under which it is used
}

// Ready is called when the connection is open.
func (u *Upstream) Ready() {
	t := u.terminal
	defer t.host.Recover(t.instance, t.abandon)
	t.session.UpstreamConnected(Now(), u.id)
}

// Data takes bytes of the broker or name server, which are borrowed for the call.
func (u *Upstream) Data(views [][]byte) {
	t := u.terminal
	defer t.host.Recover(t.instance, t.abandon)
	t.session.UpstreamData(Now(), u.id, views)
}

// Full is called when the connection has taken too little of what was written to it for a while, and, with false, when it
// has taken it. It returns true if what is for it is refused meanwhile; otherwise the client is not to be read.
func (u *Upstream) Full(full bool) (refuses bool) {
	t := u.terminal
	defer t.host.Recover(t.instance, t.abandon)
	return t.session.UpstreamFull(Now(), u.id, full)
}

// Drained is called when the connection has taken n of the bytes that Write said the host keeps.
func (u *Upstream) Drained(n int) {
	t := u.terminal
	defer t.host.Recover(t.instance, t.abandon)
	t.session.UpstreamDrained(Now(), u.id, n)
}

// Failed is called when the connection could not be opened. One that could not even be begun is in Envoy's log too.
func (u *Upstream) Failed(why session.ConnectFailure) {
	t := u.terminal
	defer t.host.Recover(t.instance, t.abandon)
	if t.remove(u.id) == nil {
		return // the session has closed it
	}
	if why == session.LocalFailure {
		t.host.LogConnectionError(t.instance, "no socket for a connection to %q: %s", u.address, t.host.NoSocketHint)
	}
	t.session.UpstreamFailed(Now(), u.id, why)
}

// Closed is called when the connection has ended, whoever ended it.
func (u *Upstream) Closed() {
	t := u.terminal
	defer t.host.Recover(t.instance, t.abandon)
	if t.remove(u.id) != nil {
		t.session.UpstreamClosed(Now(), u.id)
	}
}
