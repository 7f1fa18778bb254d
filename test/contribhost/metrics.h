// SPDX-License-Identifier: Apache-2.0
//
// The metrics of a config of Envoy's Golang HTTP filter. They are the server's, by name. Here they
// become stats of a dynamic module, which can be defined only while a config of it is read, and
// counted through that config only.
#pragma once

#include <cstdint>
#include <string>

#include "golang_abi.h"

namespace contrib {

class FilterConfig;

// Metrics defined on this thread meanwhile are stats of `config`.
class DefineWindow {
 public:
  explicit DefineWindow(FilterConfig* config);
  ~DefineWindow();
  DefineWindow(const DefineWindow&) = delete;
  DefineWindow& operator=(const DefineWindow&) = delete;
};

// Ids carry their type in the low two bits; defining a name again returns another id of the same
// metric.
GoStatus DefineMetric(uint32_t type, const std::string& name, uint32_t* id);
// Counts; what a counter cannot do is ignored. Envoy's main thread applies it soon.
GoStatus IncrementMetric(uint32_t id, int64_t offset);
GoStatus RecordMetric(uint32_t id, uint64_t value);
GoStatus MetricValue(uint32_t id, uint64_t* value);

// Main thread: applies what waits for a config.
void ApplyMetrics(FilterConfig* config);
// Its stats are Envoy's alone from now on.
void ForgetMetrics(FilterConfig* config);

}  // namespace contrib
