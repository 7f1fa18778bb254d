// SPDX-License-Identifier: Apache-2.0

package golang

/*
#cgo linux LDFLAGS: -Wl,-unresolved-symbols=ignore-all
#include <stdint.h>

// What Envoy's Golang HTTP filter calls httpConfig.
typedef struct {
  uint64_t plugin_name;
  uint64_t plugin_name_size;
  uint64_t config;
  uint64_t config_size;
  int of_route;
  uint32_t concurrency;
} rocketmq_proxy_http_config;

void envoyGoConfigHttpFinalize(void* config);
void envoyGoFilterHttpFinalize(void* request, int reason);
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/envoyproxy/envoy/contrib/golang/common/go/api"
)

// StatsPluginName is what `plugin_name` of the HTTP filter that gives the process its metrics must say.
const StatsPluginName = "rocketmq_proxy_stats"

// This is all that Envoy's Golang HTTP filter asks of a plugin. Ours wants its configs, and lets
// requests pass.

var (
	httpConfigs  sync.Map // id → *door; routes' configs are none
	httpConfigID atomic.Uint64
)

// It is called while Envoy reads the config, on the main thread. 0 has Envoy reject it.
//
//export envoyGoFilterNewHttpPluginConfig
func envoyGoFilterNewHttpPluginConfig(config *C.rocketmq_proxy_http_config) (id uint64) {
	defer process.Recover(nil, func() { id = 0 })
	if config.of_route == 1 {
		return httpConfigID.Add(1)
	}
	name := unsafe.String((*byte)(pointer(uint64(config.plugin_name))), int(config.plugin_name_size))
	if name != StatsPluginName {
		process.LogError("config: plugin_name of an HTTP filter is %q; want %q", name, StatsPluginName)
		C.envoyGoConfigHttpFinalize(unsafe.Pointer(config))
		return 0
	}
	id = httpConfigID.Add(1)
	httpConfigs.Store(id, process.metrics.opened(unsafe.Pointer(config)))
	return id
}

// pointer is for addresses that the ABI hands over as numbers.
func pointer(address uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// The config is gone. Any thread, and perhaps inside a call that we make with this very config.
//
//export envoyGoFilterDestroyHttpPluginConfig
func envoyGoFilterDestroyHttpPluginConfig(id uint64, _ int) {
	defer process.Recover(nil, func() {})
	if d, ok := httpConfigs.LoadAndDelete(id); ok {
		process.metrics.closed(d.(*door))
	}
}

//export envoyGoFilterMergeHttpPluginConfig
func envoyGoFilterMergeHttpPluginConfig(uint64, uint64, uint64, uint64) uint64 {
	return httpConfigID.Add(1)
}

//export envoyGoFilterOnHttpHeader
func envoyGoFilterOnHttpHeader(unsafe.Pointer, uint64, uint64, uint64) uint64 {
	return uint64(api.Continue)
}

//export envoyGoFilterOnHttpData
func envoyGoFilterOnHttpData(unsafe.Pointer, uint64, uint64, uint64) uint64 {
	return uint64(api.Continue)
}

//export envoyGoFilterOnHttpLog
func envoyGoFilterOnHttpLog(unsafe.Pointer, uint64, unsafe.Pointer, unsafe.Pointer, uint64, uint64, uint64, uint64, uint64, uint64, uint64, uint64) {
}

//export envoyGoFilterOnHttpStreamComplete
func envoyGoFilterOnHttpStreamComplete(unsafe.Pointer) {}

// Envoy's part of the request is the plugin's to free.
//
//export envoyGoFilterOnHttpDestroy
func envoyGoFilterOnHttpDestroy(request unsafe.Pointer, _ uint64) {
	C.envoyGoFilterHttpFinalize(request, 0)
}

//export envoyGoRequestSemaDec
func envoyGoRequestSemaDec(unsafe.Pointer) {}

//export envoyGoFilterCleanUp
func envoyGoFilterCleanUp() {}
