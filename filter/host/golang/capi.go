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
int envoyGoFilterUpstreamWrite(void* wrapper, void* data, int size, int end_stream);
int envoyGoFilterUpstreamClose(void* wrapper, int close_type);
void envoyGoFilterUpstreamFinalize(void* wrapper, int reason);
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"
)

// capi calls Envoy's C functions, as far as this filter needs them. What a wrapper points to is Envoy's, and ours to free: see handle.
type capi struct{ api.NetworkCAPI }

// envoy is replaced by tests.
var envoy api.NetworkCAPI = capi{}

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
	var text string // Envoy points it to memory of its own
	C.envoyGoFilterDownstreamInfo(wrapper, C.int(infoType), unsafe.Pointer(&text))
	return strings.Clone(text)
}

// GetFilterState returns a string of the connection's filter state; "" when there is none. It works
// only on the connection's worker: elsewhere Envoy answers later.
func (capi) GetFilterState(wrapper unsafe.Pointer, key string) string {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(unsafe.StringData(key))
	var text string
	C.envoyGoFilterGetFilterState(wrapper, unsafe.Pointer(&key), unsafe.Pointer(&text))
	return strings.Clone(text)
}

func (capi) UpstreamConnect(libraryID, address string, connectionID uint64) unsafe.Pointer {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	for _, text := range []*string{&libraryID, &address} {
		if *text != "" {
			pinner.Pin(unsafe.StringData(*text))
		}
	}
	return C.envoyGoFilterUpstreamConnect(unsafe.Pointer(&libraryID), unsafe.Pointer(&address), C.uint64_t(connectionID))
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
