// SPDX-License-Identifier: Apache-2.0

package stock

/*
#include "rocketmq_proxy_host.h"
*/
import "C"

import (
	"runtime/cgo"
	"sync"
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// upstream is an upstream connection of a terminal filter.
type upstream struct {
	functions
	events *host.Upstream
	handle cgo.Handle // ours
	views  views

	// host is the host's side of it, nil once it has ended. It is written to with the session's lock held, which its end
	// takes too, unless the session has closed it: mu makes its end wait for that close.
	mu   sync.Mutex
	host unsafe.Pointer
}

var _ host.UpstreamConn = (*upstream)(nil)

// Write implements host.UpstreamConn.
func (u *upstream) Write(b []byte) (kept int) { return u.writeUpstream(u.host, b) }

// Close implements host.UpstreamConn.
func (u *upstream) Close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.host != nil {
		u.closeUpstream(u.host)
	}
}

func upstreamOf(handle C.uint64_t) *upstream { return cgo.Handle(handle).Value().(*upstream) }

//export rocketmqProxyUpstreamReady
func rocketmqProxyUpstreamReady(handle C.uint64_t) { upstreamOf(handle).events.Ready() }

//export rocketmqProxyUpstreamData
func rocketmqProxyUpstreamData(handle C.uint64_t, slices *C.rocketmq_proxy_slice, count C.int) C.int {
	switch of := cgo.Handle(handle).Value().(type) {
	case *upstream:
		of.events.Data(of.views.of(slices, count))
	case *connection:
		return verdict(of.session.(*host.Chained).UpstreamData(of.views.of(slices, count)))
	}
	return C.ROCKETMQ_PROXY_REPLACE
}

//export rocketmqProxyUpstreamFull
func rocketmqProxyUpstreamFull(handle C.uint64_t, full C.int) (refuses C.int) {
	if upstreamOf(handle).events.Full(full == 1) {
		return 1
	}
	return 0
}

//export rocketmqProxyUpstreamDrained
func rocketmqProxyUpstreamDrained(handle, n C.uint64_t) { upstreamOf(handle).events.Drained(int(n)) }

//export rocketmqProxyUpstreamClosed
func rocketmqProxyUpstreamClosed(handle C.uint64_t, how C.int) {
	u := upstreamOf(handle)
	switch how {
	case C.ROCKETMQ_PROXY_NO_SOCKET:
		u.events.Failed(session.LocalFailure)
	case C.ROCKETMQ_PROXY_CONNECT_FAILED:
		u.events.Failed(session.RemoteFailure)
	default:
		u.events.Closed()
	}
	u.mu.Lock()
	u.host = nil
	u.mu.Unlock()
	u.handle.Delete()
}

// connectChained releases tcp_proxy, whose bytes come with the connection's own handle. It returns nil for an address
// that is malformed.
func (c *connection) connectChained(address string) host.UpstreamConn {
	if to := c.connect(c.host, c.handle, address); to != nil {
		return chainedUpstream{c.functions, to}
	}
	return nil
}

// chainedUpstream is the upstream connection of tcp_proxy.
type chainedUpstream struct {
	functions
	host unsafe.Pointer // the host's side of it
}

// Write implements host.UpstreamConn.
func (u chainedUpstream) Write(b []byte) (kept int) { return u.writeUpstream(u.host, b) }

// Close implements host.UpstreamConn: it ends with the client's connection.
func (u chainedUpstream) Close() {}
