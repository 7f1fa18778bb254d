// SPDX-License-Identifier: Apache-2.0
//
// The C side of Envoy's Golang extensions: the types, and the functions that Envoy has for a
// plugin. They are the same from Envoy 1.32 to 1.39. What a plugin has for Envoy is in plugin.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace contrib {

using GoInt = long long;              // NOLINT: cgo's types
using GoUint64 = unsigned long long;  // NOLINT

struct GoString {
  const char* data;
  ptrdiff_t size;
};

// What the functions below return (CAPIStatus).
enum GoStatus : int {
  kOk = 0,
  kFilterIsGone = -1,
  kFilterIsDestroy = -2,
  kValueNotFound = -5,
  kInternalFailure = -7,
};

enum PoolFailure {
  kOverflow = 0,
  kLocalConnectionFailure = 1,
  kRemoteConnectionFailure = 2,
  kTimeout = 3
};

enum CloseType {
  kFlushWrite = 0,
  kNoFlush = 1,
  kFlushWriteAndDelay = 2,
  kAbort = 3,
  kAbortReset = 4
};

enum MetricType : uint32_t { kCounter = 0, kGauge = 1, kHistogram = 2 };

// A config of the HTTP filter, as the plugin gets it (httpConfig).
struct HttpConfig {
  uint64_t plugin_name = 0;
  uint64_t plugin_name_size = 0;
  uint64_t config = 0;  // a serialized google.protobuf.Any
  uint64_t config_size = 0;
  int of_route = 0;
  uint32_t concurrency = 0;
};

}  // namespace contrib

#pragma GCC visibility push(default)
extern "C" {
int envoyGoFilterDownstreamWrite(void* wrapper, void* data, int size, int end_stream);
int envoyGoFilterDownstreamClose(void* wrapper, int close_type);
void envoyGoFilterDownstreamFinalize(void* wrapper, int reason);
int envoyGoFilterDownstreamInfo(void* wrapper, int type, void* go_string_out);

void* envoyGoFilterUpstreamConnect(void* go_library_id, void* go_address, uint64_t connection_id);
int envoyGoFilterUpstreamConnEnableHalfClose(void* wrapper, int enable);
int envoyGoFilterUpstreamWrite(void* wrapper, void* data, int size, int end_stream);
int envoyGoFilterUpstreamClose(void* wrapper, int close_type);
void envoyGoFilterUpstreamFinalize(void* wrapper, int reason);
int envoyGoFilterUpstreamInfo(void* wrapper, int type, void* go_string_out);

int envoyGoFilterGetFilterState(void* wrapper, void* go_key, void* go_value_out);

void envoyGoFilterLog(uint32_t level, void* text, int size);
uint32_t envoyGoFilterLogLevel();

int envoyGoFilterHttpDefineMetric(void* config, uint32_t type, void* name, int size,
                                  uint32_t* id_out);
int envoyGoFilterHttpIncrementMetric(void* config, uint32_t id, int64_t offset);
int envoyGoFilterHttpGetMetric(void* config, uint32_t id, uint64_t* value_out);
int envoyGoFilterHttpRecordMetric(void* config, uint32_t id, uint64_t value);
void envoyGoConfigHttpFinalize(void* config);
}
#pragma GCC visibility pop
