// SPDX-License-Identifier: Apache-2.0

package stock

/*
#include "rocketmq_proxy_host.h"

static void* receive_downstream(const rocketmq_proxy_host* h, uint64_t r) { return h->receive_downstream(r); }
static int terminal_downstream_full(const rocketmq_proxy_host* h, void* c) { return h->terminal_downstream_full(c); }
static void receive_upstream(const rocketmq_proxy_host* h, uint64_t r) { h->receive_upstream(r); }
static void* connect_connection(const rocketmq_proxy_host* h, void* d, const char* a, uint64_t n, uint64_t id) { return h->connect_upstream_connection(d, a, n, id); }
static uint64_t write_connection(const rocketmq_proxy_host* h, void* c, const void* d, uint64_t n) { return h->write_upstream_connection(c, d, n); }
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
)

// receiver is a host.Receiver as the module knows it. Its calls come one at a time.
type receiver struct {
	host.Receiver
	views [8][]byte // room for the views of a call
}

func receiveDownstream(r host.DownstreamReceiver) host.Downstream {
	handle := cgo.NewHandle(&receiver{Receiver: r})
	downstream := C.receive_downstream(functions, C.uint64_t(handle))
	return host.Downstream{
		Full: func() bool { return C.terminal_downstream_full(functions, downstream) == 1 },
		Connect: func(address string, connectionID uint64) unsafe.Pointer {
			return C.connect_connection(functions, downstream, (*C.char)(unsafe.Pointer(unsafe.StringData(address))), C.uint64_t(len(address)), C.uint64_t(connectionID))
		},
		End: handle.Delete,
	}
}

func receiveUpstream(r host.UpstreamReceiver) (end func()) {
	handle := cgo.NewHandle(&receiver{Receiver: r})
	C.receive_upstream(functions, C.uint64_t(handle))
	return handle.Delete
}

func writeUpstream(connection unsafe.Pointer, b []byte) (kept int) {
	return int(C.write_connection(functions, connection, unsafe.Pointer(unsafe.SliceData(b)), C.uint64_t(len(b))))
}

//export rocketmqProxyTerminalData
func rocketmqProxyTerminalData(handle C.uint64_t, slices *C.rocketmq_proxy_slice, count C.int) {
	r := cgo.Handle(handle).Value().(*receiver)
	views := r.views[:0]
	for i := range unsafe.Slice(slices, int(count)) {
		views = append(views, view(&unsafe.Slice(slices, int(count))[i]))
	}
	r.Receive(views)
}

//export rocketmqProxyTerminalDrained
func rocketmqProxyTerminalDrained(handle C.uint64_t) {
	defer host.Recover(nil, func() {})
	if r, ok := cgo.Handle(handle).Value().(*receiver).Receiver.(host.DownstreamReceiver); ok {
		r.Drained()
	}
}

//export rocketmqProxyTerminalFull
func rocketmqProxyTerminalFull(handle C.uint64_t, full C.int) (refuses C.int) {
	defer host.Recover(nil, func() {})
	if r, ok := cgo.Handle(handle).Value().(*receiver).Receiver.(host.UpstreamReceiver); ok && r.Full(full == 1) {
		return 1
	}
	return 0
}

//export rocketmqProxyUpstreamDrained
func rocketmqProxyUpstreamDrained(handle, n C.uint64_t) {
	defer host.Recover(nil, func() {})
	if r, ok := cgo.Handle(handle).Value().(*receiver).Receiver.(host.UpstreamReceiver); ok {
		r.Drained(int(n))
	}
}
