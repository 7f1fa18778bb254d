// SPDX-License-Identifier: Apache-2.0

package host

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// Chained is the adapter of a client connection in front of Envoy's tcp_proxy, which owns the one upstream connection. The
// session sees the bytes where Envoy has them and writes only what it changes. All calls of a connection come on its
// worker; WakeAt alone may be called from elsewhere.
type Chained struct {
	host     *Host
	instance *instance.Instance
	client   Client
	session  *session.Session
	timer    *Timer
	id       session.UpstreamID
	upstream UpstreamConn // nil until ConnectUpstream
	closing  bool         // by us, or closed already
	ended    bool         // the client has said that it will send no more
}

var _ session.Host = (*Chained)(nil)

// NewChained returns the adapter of a connection, which Open starts.
func NewChained(h *Host, x *instance.Instance, client Client) *Chained {
	return &Chained{host: h, instance: x, client: client, timer: NewTimer(client.Wake)}
}

// Open starts the session, as Terminal.Open does.
func (c *Chained) Open(local, remote string) (ok bool) {
	defer c.host.Recover(c.instance, func() {
		c.abandon()
		c.Closed(false)
	})
	c.session = session.New(&c.instance.Environment, c, local, remote)
	c.session.Open(Now())
	return true
}

// abandon closes the connection after a panic.
func (c *Chained) abandon() { c.session.Abandon(Now()) }

// Data takes bytes of the client, which are borrowed for the call; with end, it will send no more. It reports whether
// they go on as they are; otherwise, what was written upstream goes on in their place.
func (c *Chained) Data(views [][]byte, end bool) (pass bool) {
	c.ended = c.ended || end
	defer c.host.Recover(c.instance, c.abandon)
	if len(views) == 0 {
		return true // only the end of the stream
	}
	return c.session.DownstreamData(Now(), views)
}

// UpstreamData takes bytes of the upstream connection, as Data does for the other direction.
func (c *Chained) UpstreamData(views [][]byte) (pass bool) {
	defer c.host.Recover(c.instance, c.abandon)
	return c.session.UpstreamData(Now(), c.id, views)
}

// Drained is called when the client has been full and has caught up.
func (c *Chained) Drained() {
	defer c.host.Recover(c.instance, c.abandon)
	c.session.DownstreamDrained(Now())
}

// Wake is called after Client.Wake.
func (c *Chained) Wake() {
	defer c.host.Recover(c.instance, c.abandon)
	c.session.Wake(Now())
}

// Closed ends the session: the client's connection has ended, by Envoy or by the client. tcp_proxy closes it when the
// upstream connection is gone; Envoy gives no reason, so the removal of a listener counts as that too.
func (c *Chained) Closed(byEnvoy bool) {
	defer c.host.Recover(c.instance, func() {})
	// The timer's lock keeps this from returning, and the host from freeing the connection, while a wake is on its way to
	// the worker.
	c.timer.Stop()
	lost := byEnvoy && !c.closing && !c.ended
	c.closing = true
	if lost {
		c.session.UpstreamClosed(Now(), c.id)
	}
	c.session.Close(Now())
}

// Capabilities implements session.Host.
func (c *Chained) Capabilities() session.Capabilities {
	return session.Capabilities{InPlace: true, OwnDestination: true}
}

// ConnectUpstream implements session.Host.
func (c *Chained) ConnectUpstream(id session.UpstreamID, address string) {
	c.id = id
	if c.upstream = c.client.Connect(address, nil); c.upstream == nil {
		c.host.LogConnectionError(c.instance, "%q is not an address to connect to", address)
		c.CloseDownstream()
	}
}

// WriteUpstream implements session.Host.
func (c *Chained) WriteUpstream(_ session.UpstreamID, b []byte) (kept int) {
	if c.upstream == nil {
		return 0
	}
	return c.upstream.Write(b)
}

// CloseUpstream implements session.Host: tcp_proxy closes it with the client connection.
func (c *Chained) CloseUpstream(session.UpstreamID) {}

// WriteDownstream implements session.Host.
func (c *Chained) WriteDownstream(b []byte) { c.client.Write(b) }

// DownstreamFull implements session.Host.
func (c *Chained) DownstreamFull() bool { return c.client.Full() }

// CloseDownstream implements session.Host.
func (c *Chained) CloseDownstream() {
	if !c.closing {
		c.closing = true
		c.client.Close(true)
	}
}

// AbortDownstream implements session.Host.
func (c *Chained) AbortDownstream() {
	c.closing = true
	c.client.Close(false)
}

// WakeAt implements session.Host.
func (c *Chained) WakeAt(at session.Instant) { c.timer.Set(at) }
