// SPDX-License-Identifier: Apache-2.0

package stock

/*
#include <stdint.h>
int envoyGoFilterHttpDefineMetric(void* config, uint32_t type, void* name, int name_size, uint32_t* id);
int envoyGoFilterHttpIncrementMetric(void* config, uint32_t id, int64_t offset);
int envoyGoFilterHttpRecordMetric(void* config, uint32_t id, uint64_t value);
*/
import "C"

import (
	"unsafe"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/host"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// sink gives stats to Envoy by the metrics functions of the Golang HTTP filter ABI, which our module
// provides for this filter too: a null config means the one being read.
type sink struct{ ids []C.uint32_t }

func newSink(statPrefix string, table []stats.Def) stats.Sink {
	s := &sink{ids: make([]C.uint32_t, len(table))}
	for i, def := range table {
		name := []byte(statPrefix + "." + def.Name)
		if C.envoyGoFilterHttpDefineMetric(nil, C.uint32_t(def.Kind), unsafe.Pointer(&name[0]), C.int(len(name)), &s.ids[i]) != 0 {
			host.LogError("Envoy does not take the stat %q", name)
		}
	}
	return s
}

// Add implements stats.Sink.
func (s *sink) Add(id stats.ID, delta int64) {
	C.envoyGoFilterHttpIncrementMetric(nil, s.ids[id], C.int64_t(delta))
}

// Record implements stats.Sink.
func (s *sink) Record(id stats.ID, value, count uint64) {
	for range count {
		C.envoyGoFilterHttpRecordMetric(nil, s.ids[id], C.uint64_t(value))
	}
}
