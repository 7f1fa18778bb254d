// SPDX-License-Identifier: Apache-2.0
//
// A dynamic module that plays contrib Envoy inside a stock one, for tests: a config of this module
// is a config of the Golang network filter. The plugin has nothing but the C functions of contrib
// Envoy, with their habits, and Envoy ends where a contrib one would crash, or might.
#include <memory>

#include "downstream.h"
#include "envoy.h"
#include "filter_config.h"
#include "metrics.h"

namespace {

using contrib::Downstream;
using contrib::FilterConfig;
using DataStatus = envoy_dynamic_module_type_on_network_filter_data_status;
using DownstreamPtr = std::shared_ptr<Downstream>;

DownstreamPtr* ToFilter(const void* module_filter) {
  return static_cast<DownstreamPtr*>(const_cast<void*>(module_filter));
}

DataStatus ToEnvoy(rocketmq_proxy::FilterStatus status) {
  return status == rocketmq_proxy::FilterStatus::kContinue
             ? envoy_dynamic_module_type_on_network_filter_data_status_Continue
             : envoy_dynamic_module_type_on_network_filter_data_status_StopIteration;
}

}  // namespace

extern "C" {

const char* envoy_dynamic_module_on_program_init(void) { return envoy_dynamic_modules_abi_version; }

const void* envoy_dynamic_module_on_network_filter_config_new(
    void* config, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer bytes) {
  return FilterConfig::Create(config, rocketmq_proxy::ToView(name), rocketmq_proxy::ToView(bytes))
      .release();
}

void envoy_dynamic_module_on_network_filter_config_destroy(const void* config) {
  const std::unique_ptr<const FilterConfig> owned(static_cast<const FilterConfig*>(config));
}

void envoy_dynamic_module_on_network_filter_config_scheduled(const void* config, uint64_t) {
  contrib::ApplyMetrics(static_cast<FilterConfig*>(const_cast<void*>(config)));
}

const void* envoy_dynamic_module_on_network_filter_new(const void* config, void* filter) {
  const auto* filter_config = static_cast<const FilterConfig*>(config);
  if (!filter_config->takes_connections()) return nullptr;  // Envoy closes the connection
  return new DownstreamPtr(std::make_shared<Downstream>(*filter_config, filter));
}

DataStatus envoy_dynamic_module_on_network_filter_new_connection(void*, const void* filter) {
  return ToEnvoy((*ToFilter(filter))->OnNewConnection());
}

DataStatus envoy_dynamic_module_on_network_filter_read(void*, const void* filter, size_t size,
                                                       bool end_stream) {
  return ToEnvoy((*ToFilter(filter))->OnRead(size, end_stream));
}

DataStatus envoy_dynamic_module_on_network_filter_write(void*, const void* filter, size_t,
                                                        bool end_stream) {
  return ToEnvoy((*ToFilter(filter))->OnWrite(end_stream));
}

void envoy_dynamic_module_on_network_filter_event(
    void*, const void* filter, envoy_dynamic_module_type_network_connection_event event) {
  (*ToFilter(filter))->OnEvent(static_cast<int>(event));
}

void envoy_dynamic_module_on_network_filter_destroy(const void* filter) {
  const std::unique_ptr<DownstreamPtr> owned(ToFilter(filter));
  Downstream::Destroy(std::move(*owned));
}

void envoy_dynamic_module_on_network_filter_scheduled(void*, const void* filter, uint64_t) {
  (*ToFilter(filter))->OnScheduled();
}

// No back-pressure: Envoy's Golang filter takes no notice of its buffers.
void envoy_dynamic_module_on_network_filter_above_write_buffer_high_watermark(void*, const void*) {}
void envoy_dynamic_module_on_network_filter_below_write_buffer_low_watermark(void*, const void*) {}

void envoy_dynamic_module_on_network_filter_http_callout_done(
    void*, const void*, uint64_t, envoy_dynamic_module_type_http_callout_result,
    envoy_dynamic_module_type_envoy_http_header*, size_t, envoy_dynamic_module_type_envoy_buffer*,
    size_t) {}
}
