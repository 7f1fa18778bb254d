// SPDX-License-Identifier: Apache-2.0

package stock

/*
#include "rocketmq_proxy_host.h"
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
)

// connection is a client connection as the host knows it.
type connection struct {
	functions
	host    unsafe.Pointer // the host's side of it
	handle  cgo.Handle     // ours
	session adapter
	views   views
}

// adapter is a *host.Terminal or a *host.Chained.
type adapter interface {
	Open(local, remote string) (ok bool)
	Data(views [][]byte, end bool) (pass bool)
	Wake()
	Drained()
	Closed(byEnvoy bool)
}

//export rocketmqProxyOpen
func rocketmqProxyOpen(handle C.uint64_t, of unsafe.Pointer, local, remote C.rocketmq_proxy_slice) C.uint64_t {
	config := cgo.Handle(handle).Value().(*config)
	defer config.Recover(config.instance, func() {})
	c := &connection{functions: config.functions, host: of}
	c.handle = cgo.NewHandle(c)
	if config.chained {
		c.session = host.NewChained(&config.Host, config.instance, c)
	} else {
		c.session = host.NewTerminal(&config.Host, config.instance, c)
	}
	if !c.session.Open(string(view(&local)), string(view(&remote))) {
		c.handle.Delete()
		return 0
	}
	return C.uint64_t(c.handle)
}

func connectionOf(handle C.uint64_t) *connection { return cgo.Handle(handle).Value().(*connection) }

//export rocketmqProxyData
func rocketmqProxyData(handle C.uint64_t, slices *C.rocketmq_proxy_slice, count, end C.int) C.int {
	c := connectionOf(handle)
	return verdict(c.session.Data(c.views.of(slices, count), end == 1))
}

func verdict(pass bool) C.int {
	if pass {
		return C.ROCKETMQ_PROXY_PASS
	}
	return C.ROCKETMQ_PROXY_REPLACE
}

//export rocketmqProxyWake
func rocketmqProxyWake(handle C.uint64_t) { connectionOf(handle).session.Wake() }

//export rocketmqProxyDrained
func rocketmqProxyDrained(handle C.uint64_t) { connectionOf(handle).session.Drained() }

// localClose is Envoy's ConnectionEvent for a connection that Envoy has closed.
const localClose = 1

//export rocketmqProxyClose
func rocketmqProxyClose(handle C.uint64_t, event C.int) {
	c := connectionOf(handle)
	c.handle.Delete()
	c.session.Closed(event == localClose)
}

var _ host.Client = (*connection)(nil)

// Write implements host.Client.
func (c *connection) Write(b []byte) { c.write(c.host, b) }

// Full implements host.Client.
func (c *connection) Full() bool { return c.full(c.host) }

// Close implements host.Client.
func (c *connection) Close(flush bool) { c.close(c.host, flush) }

// Wake implements host.Client.
func (c *connection) Wake() { c.wake(c.host) }

// Connect implements host.Client.
func (c *connection) Connect(address string, events *host.Upstream) host.UpstreamConn {
	if events == nil {
		return c.connectChained(address)
	}
	u := &upstream{functions: c.functions, events: events}
	u.handle = cgo.NewHandle(u)
	u.host = c.connect(c.host, u.handle, address)
	return u
}

// views are slices of the host's as Go has them, in room that is used again.
type views struct{ room [8][]byte }

func (v *views) of(slices *C.rocketmq_proxy_slice, count C.int) [][]byte {
	all := v.room[:0]
	for i := range unsafe.Slice(slices, int(count)) {
		all = append(all, view(&unsafe.Slice(slices, int(count))[i]))
	}
	return all
}

func view(s *C.rocketmq_proxy_slice) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s.data)), int(s.size))
}
