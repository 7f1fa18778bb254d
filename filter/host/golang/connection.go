// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"sync"
	"time"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/logline"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// connection is one client connection: events of Envoy become events of its session, which acts
// through the methods of session.Host.
type connection struct {
	instance   *instance.Instance
	libraryID  string
	callbacks  api.ConnectionCallback
	session    *session.Session
	timer      *host.Timer
	downstream host.Downstream // what host.ReceiveDownstream returned; zero where the host copies

	mu        sync.Mutex // guards what follows; taken last, never held while calling out
	upstreams map[session.UpstreamID]*upstream
}

var _ api.DownstreamFilter = (*connection)(nil)

func newConnection(x *networkConfig, callbacks api.ConnectionCallback) api.DownstreamFilter {
	c := &connection{instance: x.Instance, libraryID: x.libraryID, callbacks: callbacks, upstreams: make(map[session.UpstreamID]*upstream)}
	// A wake takes the session's lock, which Set is called under: so it runs on a goroutine of its own.
	c.timer = host.NewTimer(func() { go c.wake() })
	return c
}

// abandon closes the connection after a fault.
func (c *connection) abandon() {
	if c.session == nil {
		c.CloseDownstream()
		return
	}
	c.session.Abandon(host.Now())
}

// OnNewConnection starts the session. The local address is what the client dialled.
func (c *connection) OnNewConnection() api.FilterStatus {
	defer host.Recover(c.instance, c.abandon)
	process.warnOnce()
	local, _ := c.callbacks.StreamInfo().UpstreamLocalAddress() // the ABI's names for them, on either side
	c.session = session.New(&c.instance.Environment, c, local, c.clientAddress())
	if host.ReceiveDownstream != nil {
		c.downstream = host.ReceiveDownstream(c)
	}
	c.session.Open(host.Now())
	return api.NetworkFilterContinue
}

// clientAddressKey names the filter state in which the config of a contrib Envoy may put the client's
// address. The ABI knows only the peer of the socket, which behind the PROXY protocol is the balancer.
const clientAddressKey = "rocketmq_proxy.client_address"

// clientAddress returns the client's address as Envoy's listener filters know it.
func (c *connection) clientAddress() string {
	info := c.callbacks.StreamInfo()
	if host.ReceiveDownstream == nil { // a contrib Envoy; our module already returns that address
		if address := info.FilterState().GetString(clientAddressKey); address != "" {
			return address
		}
	}
	address, _ := info.UpstreamRemoteAddress()
	return address
}

// Receive implements host.Receiver.
func (c *connection) Receive(views [][]byte) {
	defer host.Recover(c.instance, c.abandon)
	process.record()
	c.session.DownstreamData(host.Now(), views)
}

// Drained implements host.DownstreamReceiver.
func (c *connection) Drained() {
	defer host.Recover(c.instance, c.abandon)
	c.session.DownstreamDrained(host.Now())
}

// OnData implements api.DownstreamFilter. Envoy's bytes come by Receive.
func (c *connection) OnData(b []byte, _ bool) api.FilterStatus {
	c.Receive([][]byte{b})
	return api.NetworkFilterStopIteration
}

// OnWrite sees our own bytes on their way to the client.
func (c *connection) OnWrite([]byte, bool) api.FilterStatus { return api.NetworkFilterContinue }

// OnEvent ends the session when the client connection has ended.
func (c *connection) OnEvent(event api.ConnectionEvent) {
	defer host.Recover(c.instance, func() {})
	process.record()
	if event != api.LocalClose && event != api.RemoteClose {
		return
	}
	c.timer.Stop()
	c.session.Close(host.Now())
	if c.downstream.End != nil {
		c.downstream.End() // after it: a wake on another thread may be asking whether the client is full
	}
}

// Capabilities implements session.Host.
func (c *connection) Capabilities() session.Capabilities { return session.Capabilities{} }

// WriteDownstream implements session.Host.
func (c *connection) WriteDownstream(b []byte) { c.callbacks.Write(b, false) }

// DownstreamFull implements session.Host. The Golang ABI does not tell.
func (c *connection) DownstreamFull() bool { return c.downstream.Full != nil && c.downstream.Full() }

// CloseDownstream implements session.Host.
func (c *connection) CloseDownstream() { c.callbacks.Close(api.FlushWrite) }

// AbortDownstream implements session.Host.
func (c *connection) AbortDownstream() { c.callbacks.Close(api.NoFlush) }

// WakeAt implements session.Host.
func (c *connection) WakeAt(at session.Instant) { c.timer.Set(at) }

func (c *connection) wake() {
	defer host.Recover(c.instance, c.abandon)
	c.session.Wake(host.Now())
}

// ConnectUpstream implements session.Host.
func (c *connection) ConnectUpstream(id session.UpstreamID, address string) {
	u := &upstream{connection: c, id: id, address: address}
	c.mu.Lock()
	c.upstreams[id] = u
	c.mu.Unlock()
	u.handle = openUpstream(c.libraryID, address, u, c.downstream.Connect)
}

// WriteUpstream implements session.Host.
func (c *connection) WriteUpstream(id session.UpstreamID, b []byte) (kept int) {
	u, callbacks := c.ready(id)
	switch {
	case callbacks == nil:
	case host.WriteUpstream != nil:
		u.handle.use(func(wrapper unsafe.Pointer) { kept = host.WriteUpstream(wrapper, b) })
	default:
		callbacks.Write(b, false)
	}
	return kept
}

// ready returns an upstream connection; its callbacks are nil if it is not ready, or has ended.
func (c *connection) ready(id session.UpstreamID) (*upstream, api.ConnectionCallback) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.upstreams[id]; u != nil {
		return u, u.callbacks
	}
	return nil, nil
}

// upstreamCloseTime is how long an upstream connection that is being closed may take to send what was written to it.
const upstreamCloseTime = 5 * time.Second

// CloseUpstream implements session.Host. What was written before is sent, if the broker reads it soon: it may be an
// offset update. One that is not ready yet can be closed where the ABI is not all there is; else it ends by the
// connect_timeout of Envoy's cluster, or in OnPoolReady.
func (c *connection) CloseUpstream(id session.UpstreamID) {
	u := c.remove(id)
	switch {
	case u == nil:
	case u.callbacks != nil:
		u.callbacks.Close(api.FlushWrite)
		u.closeTimer.Set(host.Now() + upstreamCloseTime)
	case host.WriteUpstream != nil:
		u.handle.Close(api.NoFlush)
	}
}

// remove takes an upstream out; its callbacks do not change any more then.
func (c *connection) remove(id session.UpstreamID) *upstream {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.upstreams[id]
	delete(c.upstreams, id)
	return u
}

// upstream is one upstream connection. Its events come on a thread of its own.
type upstream struct {
	connection *connection
	id         session.UpstreamID
	address    string
	handle     *upstreamCallback      // guarded by the session's lock, under which it is used
	callbacks  api.ConnectionCallback // guarded by connection.mu; nil until ready
	// endReceiving ends what host.ReceiveUpstream began; nil where the host copies.
	endReceiving func()
	closeTimer   *host.Timer // set with callbacks; ends a close that the broker holds up
}

var _ api.UpstreamFilter = (*upstream)(nil)

// OnPoolReady tells the session, unless it has given the connection up meanwhile.
func (u *upstream) OnPoolReady(callbacks api.ConnectionCallback) {
	c := u.connection
	defer host.Recover(c.instance, c.abandon)
	c.mu.Lock()
	wanted := c.upstreams[u.id] == u
	if wanted {
		u.callbacks = callbacks
		u.closeTimer = host.NewTimer(func() { callbacks.Close(api.NoFlush) })
	}
	c.mu.Unlock()
	if !wanted {
		callbacks.Close(api.NoFlush)
		return
	}
	if host.ReceiveUpstream != nil {
		u.endReceiving = host.ReceiveUpstream(u)
	}
	c.session.UpstreamConnected(host.Now(), u.id)
}

// Receive implements host.Receiver.
func (u *upstream) Receive(views [][]byte) {
	c := u.connection
	defer host.Recover(c.instance, c.abandon)
	process.record()
	c.session.UpstreamData(host.Now(), u.id, views)
}

// Full implements host.UpstreamReceiver.
func (u *upstream) Full(full bool) (refuses bool) {
	c := u.connection
	defer host.Recover(c.instance, c.abandon)
	return c.session.UpstreamFull(host.Now(), u.id, full)
}

// Drained implements host.UpstreamReceiver.
func (u *upstream) Drained(n int) {
	c := u.connection
	defer host.Recover(c.instance, c.abandon)
	c.session.UpstreamDrained(host.Now(), u.id, n)
}

// connectFailures are the causes by Envoy's names for them; any other is a remote one.
var connectFailures = map[api.PoolFailureReason]session.ConnectFailure{
	api.Overflow:               session.ConnectOverflow,
	api.LocalConnectionFailure: session.LocalFailure,
	api.Timeout:                session.ConnectTimeout,
}

// OnPoolFailure tells the session. A connection that could not even be begun is in Envoy's log too.
func (u *upstream) OnPoolFailure(reason api.PoolFailureReason, _ string) {
	c := u.connection
	defer host.Recover(c.instance, c.abandon)
	if c.remove(u.id) != nil {
		if reason == api.LocalConnectionFailure {
			host.LogConnectionError(c.instance, "no socket for a connection to %q: %s", u.address, notBegunHint())
		}
		c.session.UpstreamFailed(host.Now(), u.id, connectFailures[reason])
	}
}

// notBegunHint returns what to look at when a connection could not be begun. A contrib Envoy does not tell whether it has
// no socket or no cluster.
func notBegunHint() logline.Own {
	if host.WriteUpstream != nil {
		return "is the process out of files (ulimit -n)?"
	}
	return "is there a cluster plainText of type ORIGINAL_DST, and is the process out of files (ulimit -n)?"
}

// OnData implements api.UpstreamFilter. Envoy's bytes come by Receive.
func (u *upstream) OnData(b []byte, _ bool) { u.Receive([][]byte{b}) }

// OnEvent tells the session that the connection has ended, unless the session ended it.
func (u *upstream) OnEvent(event api.ConnectionEvent) {
	c := u.connection
	defer host.Recover(c.instance, c.abandon)
	if event != api.LocalClose && event != api.RemoteClose {
		return
	}
	if u.closeTimer != nil {
		u.closeTimer.Stop() // the callbacks end with this event
	}
	if u.endReceiving != nil {
		u.endReceiving()
	}
	if c.remove(u.id) != nil {
		c.session.UpstreamClosed(host.Now(), u.id)
	}
}
