// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"sync"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"
)

// handle is what Envoy's functions know a connection by, until the connection has ended. Envoy's side of it is freed in the event
// that ends it, on a thread of Envoy: Go's finalizers may run when the process is ending and its dispatchers are gone.
type handle struct {
	mu      sync.Mutex // guards what follows; held during calls of Envoy's functions, which only queue
	wrapper unsafe.Pointer
	ended   bool
}

// set makes a wrapper known, unless the connection has ended meanwhile.
func (h *handle) set(wrapper unsafe.Pointer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.wrapper = wrapper
	}
}

// use calls f with the wrapper, unless the connection has ended.
func (h *handle) use(f func(wrapper unsafe.Pointer)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wrapper != nil {
		f(h.wrapper)
	}
}

// end lets go of the wrapper, which nobody uses when it returns, nor later.
func (h *handle) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrapper, h.ended = nil, true
}

// downstreamCallback is Envoy's side of a client connection.
type downstreamCallback struct{ handle }

var _ api.ConnectionCallback = (*downstreamCallback)(nil)

// Write copies b; what was written is sent in order.
func (c *downstreamCallback) Write(b []byte, _ bool) {
	if len(b) > 0 {
		c.use(func(wrapper unsafe.Pointer) {
			envoy.DownstreamWrite(wrapper, unsafe.Pointer(&b[0]), len(b), int(api.NotEndStream))
		})
	}
}

// Close closes the connection, after what was written.
func (c *downstreamCallback) Close(t api.ConnectionCloseType) {
	c.use(func(wrapper unsafe.Pointer) { envoy.DownstreamClose(wrapper, int(t)) })
}

// EnableHalfClose does nothing: there are no half-closed connections here.
func (c *downstreamCallback) EnableHalfClose(bool) {}

// StreamInfo returns the connection's addresses and filter state. To be used on the connection's worker.
func (c *downstreamCallback) StreamInfo() api.StreamInfo { return streamInfo{callback: c} }

// streamInfo has what Envoy tells of a client connection. The names are the API's, for either side.
type streamInfo struct {
	api.StreamInfo
	callback *downstreamCallback
}

// UpstreamLocalAddress returns the address that the client dialled.
func (i streamInfo) UpstreamLocalAddress() (address string, ok bool) {
	return i.address(api.ConnectionInfoLocalAddr)
}

// UpstreamRemoteAddress returns the peer of the socket.
func (i streamInfo) UpstreamRemoteAddress() (address string, ok bool) {
	return i.address(api.ConnectionInfoRemoteAddr)
}

func (i streamInfo) address(infoType api.ConnectionInfoType) (address string, ok bool) {
	i.callback.use(func(wrapper unsafe.Pointer) { address = envoy.DownstreamInfo(wrapper, int(infoType)) })
	return address, address != ""
}

// FilterState returns the connection's filter state.
func (i streamInfo) FilterState() api.FilterState { return filterState{callback: i.callback} }

type filterState struct {
	api.FilterState
	callback *downstreamCallback
}

// GetString returns what a filter in front has put there, "" if nothing.
func (s filterState) GetString(key string) (value string) {
	s.callback.use(func(wrapper unsafe.Pointer) { value = envoy.GetFilterState(wrapper, key) })
	return value
}

// upstreamCallback is Envoy's side of an upstream connection.
type upstreamCallback struct {
	api.ConnectionCallback // what is not used of it
	handle
}

// Write copies b; what was written is sent in order.
func (c *upstreamCallback) Write(b []byte, _ bool) {
	if len(b) > 0 {
		c.use(func(wrapper unsafe.Pointer) {
			envoy.UpstreamWrite(wrapper, unsafe.Pointer(&b[0]), len(b), int(api.NotEndStream))
		})
	}
}

// Close closes the connection, after what was written.
func (c *upstreamCallback) Close(t api.ConnectionCloseType) {
	c.use(func(wrapper unsafe.Pointer) { envoy.UpstreamClose(wrapper, int(t)) })
}
