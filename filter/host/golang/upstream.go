// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"sync"
	"time"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// closeTime is how long an upstream connection that is being closed may take to send what was written to it: a flush of
// Envoy's has no end while the peer does not read.
const closeTime = 5 * time.Second

// upstream is one upstream connection. Its events come on a thread of its own.
type upstream struct {
	*networkConfig
	events *host.Upstream

	mu     sync.Mutex // guards what follows; never held while calling out
	ready  *readyConn // nil until then
	closed bool       // by the session
}

// readyConn is an upstream connection that is open.
type readyConn struct {
	callbacks  api.ConnectionCallback
	closeTimer *host.Timer // ends a close that the broker holds up
}

func newReadyConn(callbacks api.ConnectionCallback) *readyConn {
	return &readyConn{callbacks, host.NewTimer(func() { callbacks.Close(api.NoFlush) })}
}

func (c *readyConn) close() {
	c.callbacks.Close(api.FlushWrite)
	c.closeTimer.Set(host.Now() + closeTime)
}

// ended is called with the event that ends the callbacks.
func (c *readyConn) ended() { c.closeTimer.Stop() }

var (
	_ api.UpstreamFilter = (*upstream)(nil)
	_ receiver           = (*upstream)(nil)
	_ host.UpstreamConn  = (*upstream)(nil)
)

// Write implements host.UpstreamConn. The ABI does not tell what Envoy keeps.
func (u *upstream) Write(b []byte) (kept int) {
	if conn := u.readyConn(); conn != nil {
		conn.callbacks.Write(b, false)
	}
	return 0
}

func (u *upstream) readyConn() *readyConn {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ready
}

// Close implements host.UpstreamConn. One that is not ready yet cannot be closed: it ends by the connect_timeout of
// Envoy's cluster, or in OnPoolReady.
func (u *upstream) Close() {
	u.mu.Lock()
	u.closed = true
	conn := u.ready
	u.mu.Unlock()
	if conn != nil {
		conn.close()
	}
}

// OnPoolReady tells the session, unless it has closed the connection meanwhile.
func (u *upstream) OnPoolReady(callbacks api.ConnectionCallback) {
	u.mu.Lock()
	closed := u.closed
	if !closed {
		u.ready = newReadyConn(callbacks)
	}
	u.mu.Unlock()
	if closed {
		callbacks.Close(api.NoFlush)
		return
	}
	u.events.Ready()
}

// connectFailures are the causes by Envoy's names for them; any other is a remote one.
var connectFailures = map[api.PoolFailureReason]session.ConnectFailure{
	api.Overflow:               session.ConnectOverflow,
	api.LocalConnectionFailure: session.LocalFailure,
	api.Timeout:                session.ConnectTimeout,
}

// OnPoolFailure tells the session.
func (u *upstream) OnPoolFailure(reason api.PoolFailureReason, _ string) {
	u.events.Failed(connectFailures[reason])
}

// Receive implements receiver.
func (u *upstream) Receive(views [][]byte) {
	defer u.Recover(u.instance, func() {})
	u.metrics.record()
	u.events.Data(views)
}

// OnData implements api.UpstreamFilter. Envoy's bytes come by Receive.
func (u *upstream) OnData(b []byte, _ bool) { u.Receive([][]byte{b}) }

// OnEvent tells the session that the connection has ended.
func (u *upstream) OnEvent(event api.ConnectionEvent) {
	if !ends(event) {
		return
	}
	if conn := u.readyConn(); conn != nil {
		conn.ended()
	}
	u.events.Closed()
}
