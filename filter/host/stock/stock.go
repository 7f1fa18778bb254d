// SPDX-License-Identifier: Apache-2.0

// Package stock is the filter in front of Envoy's tcp_proxy, hosted in a stock Envoy by our C++
// module: rocketmq_proxy_host.h is the contract. A session sees the bytes where Envoy has them and
// writes only what it changes. All calls of a connection come on its worker; WakeAt alone may be
// called from elsewhere.
package stock

/*
#cgo linux LDFLAGS: -Wl,-unresolved-symbols=ignore-all
#include <stdlib.h>
#include "rocketmq_proxy_host.h"

static void write_upstream(const rocketmq_proxy_host* h, uint64_t c, const void* d, uint64_t n) { h->write_upstream(c, d, n); }
static void write_downstream(const rocketmq_proxy_host* h, uint64_t c, const void* d, uint64_t n) { h->write_downstream(c, d, n); }
static int connect_upstream(const rocketmq_proxy_host* h, uint64_t c, const char* a, uint64_t n) { return h->connect(c, a, n); }
static int downstream_full(const rocketmq_proxy_host* h, uint64_t c) { return h->downstream_full(c); }
static void close_downstream(const rocketmq_proxy_host* h, uint64_t c, int flush) { h->close(c, flush); }
static void wake(const rocketmq_proxy_host* h, uint64_t c) { h->wake(c); }
*/
import "C"

import (
	"runtime/cgo"
	"strings"
	"unsafe"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/instance"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// functions are the host's, set once by rocketmqProxyAttach.
var functions *C.rocketmq_proxy_host

//export rocketmqProxyAttach
func rocketmqProxyAttach(h *C.rocketmq_proxy_host) C.int {
	if h.version != C.ROCKETMQ_PROXY_HOST_VERSION {
		return -1
	}
	functions = h
	provideProcessors()
	host.RejectsConfigs = true
	host.NewSink = newSink
	host.ReceiveDownstream, host.ReceiveUpstream = receiveDownstream, receiveUpstream
	host.WriteUpstream = writeUpstream
	return 0
}

//export rocketmqProxyLastConfig
func rocketmqProxyLastConfig(chained C.int, errors **C.char) (handle C.uint64_t) {
	defer host.Recover(nil, func() { *errors = C.CString("the filter has had a fault, which is in the log") })
	config := host.LastConfig()
	*errors = nil
	if config.Err == nil && chained == 1 && config.Instance.Config.Addressing.Mode == apiv1.UnifiedMode {
		config.Err = apiv1.Errors{{Path: "addressing.unified", Problem: "needs several upstreams: use filter_name rocketmq_proxy with terminal_filter true and nothing behind it"}}
	}
	if config.Err != nil {
		var lines []string
		for _, line := range host.ConfigErrors(config.Err) {
			lines = append(lines, string(line))
		}
		*errors = C.CString(strings.Join(lines, "\n"))
	}
	return C.uint64_t(cgo.NewHandle(config))
}

//export rocketmqProxyConfigDestroy
func rocketmqProxyConfigDestroy(config C.uint64_t) {
	defer host.Recover(nil, func() {})
	handle := cgo.Handle(config)
	handle.Value().(*host.Config).Close()
	handle.Delete()
}

// connection is one client connection.
type connection struct {
	handle   C.uint64_t // the host's; a number, which Go must not take for a pointer
	instance *instance.Instance
	session  *session.Session
	upstream session.UpstreamID
	slices   [8][]byte // room for the views of an event
	timer    *host.Timer
	closing  bool // by us, or closed already
	ended    bool // the client has said that it will send no more
}

// abandon closes the connection after a fault.
func (c *connection) abandon() { c.session.Abandon(host.Now()) }

//export rocketmqProxyChainOpen
func rocketmqProxyChainOpen(config, handle C.uint64_t, local, remote C.rocketmq_proxy_slice) (opened C.uint64_t) {
	x := cgo.Handle(config).Value().(*host.Config).Instance
	defer host.Recover(x, func() { opened = 0 })
	c := &connection{handle: handle, instance: x}
	// The timer's lock keeps rocketmqProxyChainClose from returning, and the host from freeing the
	// connection, while the wake is on its way to the worker.
	c.timer = host.NewTimer(func() { C.wake(functions, c.handle) })
	c.session = session.New(&x.Environment, c, string(view(&local)), string(view(&remote)))
	c.session.Open(host.Now())
	return C.uint64_t(cgo.NewHandle(c))
}

func connectionOf(handle C.uint64_t) *connection { return cgo.Handle(handle).Value().(*connection) }

//export rocketmqProxyChainData
func rocketmqProxyChainData(handle C.uint64_t, side C.int, slices *C.rocketmq_proxy_slice, count, end C.int) (result C.int) {
	c := connectionOf(handle)
	c.ended = c.ended || side == C.ROCKETMQ_PROXY_DOWNSTREAM && end == 1
	result = C.ROCKETMQ_PROXY_REPLACE
	defer host.Recover(c.instance, c.abandon)
	in := c.slices[:0]
	for i := range unsafe.Slice(slices, int(count)) {
		in = append(in, view(&unsafe.Slice(slices, int(count))[i]))
	}
	var untouched bool
	switch {
	case len(in) == 0:
		untouched = true // only the end of the stream
	case side == C.ROCKETMQ_PROXY_DOWNSTREAM:
		untouched = c.session.DownstreamData(host.Now(), in)
	default:
		untouched = c.session.UpstreamData(host.Now(), c.upstream, in)
	}
	if untouched {
		result = C.ROCKETMQ_PROXY_PASS
	}
	return result
}

//export rocketmqProxyChainWake
func rocketmqProxyChainWake(handle C.uint64_t) {
	c := connectionOf(handle)
	defer host.Recover(c.instance, c.abandon)
	c.session.Wake(host.Now())
}

//export rocketmqProxyChainDrained
func rocketmqProxyChainDrained(handle C.uint64_t) {
	c := connectionOf(handle)
	defer host.Recover(c.instance, c.abandon)
	c.session.DownstreamDrained(host.Now())
}

//export rocketmqProxyChainClose
func rocketmqProxyChainClose(handle C.uint64_t, event C.int) {
	c := connectionOf(handle)
	defer host.Recover(c.instance, func() {})
	cgo.Handle(handle).Delete()
	c.timer.Stop()
	lost := event == localClose && !c.closing && !c.ended
	c.closing = true
	if lost { // tcp_proxy closes the client's connection when its upstream is gone
		c.session.UpstreamClosed(host.Now(), c.upstream)
	}
	c.session.Close(host.Now())
}

// localClose is Envoy's ConnectionEvent for a connection that Envoy closed.
const localClose = 1

// Capabilities implements session.Host.
func (c *connection) Capabilities() session.Capabilities {
	return session.Capabilities{InPlace: true, OwnDestination: true}
}

// ConnectUpstream implements session.Host.
func (c *connection) ConnectUpstream(id session.UpstreamID, address string) {
	c.upstream = id
	if C.connect_upstream(functions, c.handle, (*C.char)(unsafe.Pointer(unsafe.StringData(address))), C.uint64_t(len(address))) == 0 {
		host.LogConnectionError(c.instance, "%q is not an address to connect to", address)
		c.CloseDownstream()
	}
}

// WriteUpstream implements session.Host.
func (c *connection) WriteUpstream(_ session.UpstreamID, b []byte) (kept int) {
	C.write_upstream(functions, c.handle, unsafe.Pointer(unsafe.SliceData(b)), C.uint64_t(len(b)))
	return 0 // Envoy's buffers hold it back
}

// CloseUpstream implements session.Host: tcp_proxy closes it with the client connection.
func (c *connection) CloseUpstream(session.UpstreamID) {}

// WriteDownstream implements session.Host.
func (c *connection) WriteDownstream(b []byte) {
	C.write_downstream(functions, c.handle, unsafe.Pointer(unsafe.SliceData(b)), C.uint64_t(len(b)))
}

// DownstreamFull implements session.Host.
func (c *connection) DownstreamFull() bool { return C.downstream_full(functions, c.handle) == 1 }

// CloseDownstream implements session.Host.
func (c *connection) CloseDownstream() {
	if !c.closing {
		c.closing = true
		C.close_downstream(functions, c.handle, 1)
	}
}

// AbortDownstream implements session.Host.
func (c *connection) AbortDownstream() {
	c.closing = true
	C.close_downstream(functions, c.handle, 0)
}

// WakeAt implements session.Host.
func (c *connection) WakeAt(at session.Instant) { c.timer.Set(at) }

func view(s *C.rocketmq_proxy_slice) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s.data)), int(s.size))
}
