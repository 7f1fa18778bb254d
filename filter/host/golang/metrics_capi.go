// SPDX-License-Identifier: Apache-2.0

package golang

/*
#include <stdint.h>
int envoyGoFilterHttpDefineMetric(void* config, uint32_t type, void* name, int name_size, uint32_t* id);
int envoyGoFilterHttpIncrementMetric(void* config, uint32_t id, int64_t offset);
int envoyGoFilterHttpGetMetric(void* config, uint32_t id, uint64_t* value);
int envoyGoFilterHttpRecordMetric(void* config, uint32_t id, uint64_t value);
void envoyGoConfigHttpFinalize(void* config);
*/
import "C"

import (
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// metricsAPI is what a config of Envoy's Golang HTTP filter offers its plugin. All but finalize answer
// false when Envoy has let go of the config.
type metricsAPI interface {
	// define makes a stat known, or finds it if it is. On Envoy's threads only.
	define(config unsafe.Pointer, kind stats.Kind, name string) (id uint32, ok bool)
	// increment moves a gauge by `offset`, a counter only upwards.
	increment(config unsafe.Pointer, id uint32, offset int64) bool
	// value is a counter's or a gauge's.
	value(config unsafe.Pointer, id uint32) (value uint64, ok bool)
	// record adds a sample to a histogram. On Envoy's threads only.
	record(config unsafe.Pointer, id uint32, value uint64) bool
	// finalize frees Envoy's memory of a config that is used no more.
	finalize(config unsafe.Pointer)
}

// metricsCAPI calls the host's C functions. Envoy's Go package for HTTP filters is not used: it has no
// histograms, panics when a config is gone, and brings all of an HTTP filter along.
type metricsCAPI struct{}

func (metricsCAPI) define(config unsafe.Pointer, kind stats.Kind, name string) (uint32, bool) {
	var id C.uint32_t
	status := C.envoyGoFilterHttpDefineMetric(config, C.uint32_t(kind), unsafe.Pointer(unsafe.StringData(name)), C.int(len(name)), &id)
	return uint32(id), status == 0
}

func (metricsCAPI) increment(config unsafe.Pointer, id uint32, offset int64) bool {
	return C.envoyGoFilterHttpIncrementMetric(config, C.uint32_t(id), C.int64_t(offset)) == 0
}

func (metricsCAPI) value(config unsafe.Pointer, id uint32) (uint64, bool) {
	var value C.uint64_t
	status := C.envoyGoFilterHttpGetMetric(config, C.uint32_t(id), &value)
	return uint64(value), status == 0
}

func (metricsCAPI) record(config unsafe.Pointer, id uint32, value uint64) bool {
	return C.envoyGoFilterHttpRecordMetric(config, C.uint32_t(id), C.uint64_t(value)) == 0
}

func (metricsCAPI) finalize(config unsafe.Pointer) { C.envoyGoConfigHttpFinalize(config) }
