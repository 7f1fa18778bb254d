// SPDX-License-Identifier: Apache-2.0

package golang

/*
#cgo linux LDFLAGS: -Wl,-unresolved-symbols=ignore-all
#include <stdint.h>
int envoyGoFilterDownstreamWrite(void* wrapper, void* data, int size, int end_stream);
int envoyGoFilterDownstreamClose(void* wrapper, int close_type);
void envoyGoFilterDownstreamFinalize(void* wrapper, int reason);
int envoyGoFilterDownstreamInfo(void* wrapper, int type, void* text);
int envoyGoFilterGetFilterState(void* wrapper, void* key, void* text);
void* envoyGoFilterUpstreamConnect(void* library_id, void* address, uint64_t connection_id);
int envoyGoFilterUpstreamConnEnableHalfClose(void* wrapper, int enable);
int envoyGoFilterUpstreamWrite(void* wrapper, void* data, int size, int end_stream);
int envoyGoFilterUpstreamClose(void* wrapper, int close_type);
void envoyGoFilterUpstreamFinalize(void* wrapper, int reason);
int envoyGoFilterUpstreamInfo(void* wrapper, int type, void* text);
*/
import "C"

import (
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"
	"github.com/envoyproxy/envoy/contrib/golang/filters/network/source/go/pkg/network"
)

// capi calls the host's C functions in place of the ABI's own Go code, which hands over pointers to
// Go strings that are not pinned: with that code the process dies at the first upstream connection
// unless its environment has GODEBUG=cgocheck=0.
type capi struct{}

var _ api.NetworkCAPI = capi{}

func (capi) DownstreamWrite(wrapper, data unsafe.Pointer, size, end int) {
	C.envoyGoFilterDownstreamWrite(wrapper, data, C.int(size), C.int(end))
}

func (capi) DownstreamClose(wrapper unsafe.Pointer, closeType int) {
	C.envoyGoFilterDownstreamClose(wrapper, C.int(closeType))
}

func (capi) DownstreamFinalize(wrapper unsafe.Pointer, reason int) {
	C.envoyGoFilterDownstreamFinalize(wrapper, C.int(reason))
}

func (capi) DownstreamInfo(wrapper unsafe.Pointer, infoType int) string {
	var text string // the host points it to memory of its own
	C.envoyGoFilterDownstreamInfo(wrapper, C.int(infoType), unsafe.Pointer(&text))
	return strings.Clone(text)
}

// GetFilterState returns a string of the connection's filter state; "" when there is none. It works
// only on the connection's worker: elsewhere the host would answer later. The ABI's Go code passes its
// own object for filter state, not the wrapper, which is the first word of that.
func (capi) GetFilterState(object unsafe.Pointer, key string) string {
	wrapper := *(*unsafe.Pointer)(object)
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(unsafe.StringData(key))
	var text string
	C.envoyGoFilterGetFilterState(wrapper, unsafe.Pointer(&key), unsafe.Pointer(&text))
	return strings.Clone(text)
}

// SetFilterState is not used by this filter.
func (capi) SetFilterState(unsafe.Pointer, string, string, api.StateType, api.LifeSpan, api.StreamSharing) {
}

func (capi) UpstreamConnect(libraryID, address string, connectionID uint64) unsafe.Pointer {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	for _, text := range []*string{&libraryID, &address} {
		if *text != "" {
			pinner.Pin(unsafe.StringData(*text))
		}
	}
	dialling.entry = network.UpstreamFilters.GetFilterByConnID(connectionID)
	if dialling.connect != nil {
		dialling.wrapper = dialling.connect(address, connectionID)
		return dialling.wrapper
	}
	dialling.wrapper = C.envoyGoFilterUpstreamConnect(unsafe.Pointer(&libraryID), unsafe.Pointer(&address), C.uint64_t(connectionID))
	return dialling.wrapper
}

// hostConnection is the host's side of an upstream connection. The ABI's Go code keeps it to itself.
type hostConnection struct {
	wrapper unsafe.Pointer
	entry   any // of the ABI's Go code: the host frees the wrapper some time after this has become unreachable
}

// dialling is the call of createUpstream that is going on, which capi.UpstreamConnect is a part of.
var dialling struct {
	sync.Mutex
	connect func(address string, connectionID uint64) unsafe.Pointer
	hostConnection
}

// createUpstream opens an upstream connection, by `connect` where that is not nil.
func createUpstream(address string, filter api.UpstreamFilter, connect func(string, uint64) unsafe.Pointer) hostConnection {
	dialling.Lock()
	defer dialling.Unlock()
	dialling.connect = connect
	network.CreateUpstreamConn(address, filter)
	created := dialling.hostConnection
	dialling.hostConnection = hostConnection{}
	return created
}

func (capi) UpstreamConnEnableHalfClose(wrapper unsafe.Pointer, enable int) {
	C.envoyGoFilterUpstreamConnEnableHalfClose(wrapper, C.int(enable))
}

func (capi) UpstreamWrite(wrapper, data unsafe.Pointer, size, end int) {
	C.envoyGoFilterUpstreamWrite(wrapper, data, C.int(size), C.int(end))
}

func (capi) UpstreamClose(wrapper unsafe.Pointer, closeType int) {
	C.envoyGoFilterUpstreamClose(wrapper, C.int(closeType))
}

func (capi) UpstreamFinalize(wrapper unsafe.Pointer, reason int) {
	C.envoyGoFilterUpstreamFinalize(wrapper, C.int(reason))
}

func (capi) UpstreamInfo(wrapper unsafe.Pointer, infoType int) string {
	var text string
	C.envoyGoFilterUpstreamInfo(wrapper, C.int(infoType), unsafe.Pointer(&text))
	return strings.Clone(text)
}
