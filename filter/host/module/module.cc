// SPDX-License-Identifier: Apache-2.0
//
// The hooks that Envoy calls. Nothing happens here but the change from C to C++.
#include <memory>

#include "envoy.h"
#include "filter.h"
#include "filter_config.h"

namespace {

using rocketmq_proxy::Filter;
using rocketmq_proxy::FilterConfig;
using DataStatus = envoy_dynamic_module_type_on_network_filter_data_status;

Filter& ToFilter(const void* module_filter) {
  return *static_cast<Filter*>(const_cast<void*>(module_filter));
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
  static_cast<const FilterConfig*>(config)->stats().OnScheduled();
}

const void* envoy_dynamic_module_on_network_filter_new(const void* config, void* filter) {
  return static_cast<const FilterConfig*>(config)->NewFilter(filter).release();
}

DataStatus envoy_dynamic_module_on_network_filter_new_connection(void*, const void* filter) {
  return ToEnvoy(ToFilter(filter).OnNewConnection());
}

DataStatus envoy_dynamic_module_on_network_filter_read(void*, const void* filter, size_t size,
                                                       bool end_stream) {
  return ToEnvoy(ToFilter(filter).OnRead(size, end_stream));
}

DataStatus envoy_dynamic_module_on_network_filter_write(void*, const void* filter, size_t size,
                                                        bool end_stream) {
  return ToEnvoy(ToFilter(filter).OnWrite(size, end_stream));
}

void envoy_dynamic_module_on_network_filter_event(
    void*, const void* filter, envoy_dynamic_module_type_network_connection_event event) {
  ToFilter(filter).OnEvent(static_cast<int>(event));
}

void envoy_dynamic_module_on_network_filter_destroy(const void* filter) {
  const std::unique_ptr<Filter> owned(&ToFilter(filter));
}

void envoy_dynamic_module_on_network_filter_scheduled(void*, const void* filter,
                                                      uint64_t event_id) {
  ToFilter(filter).OnScheduled(event_id);
}

void envoy_dynamic_module_on_network_filter_above_write_buffer_high_watermark(void*,
                                                                              const void* filter) {
  ToFilter(filter).OnWriteBufferWatermark(true);
}

void envoy_dynamic_module_on_network_filter_below_write_buffer_low_watermark(void*,
                                                                             const void* filter) {
  ToFilter(filter).OnWriteBufferWatermark(false);
}

// We make no HTTP callouts, but older versions of Envoy want the hook.
void envoy_dynamic_module_on_network_filter_http_callout_done(
    void*, const void*, uint64_t, envoy_dynamic_module_type_http_callout_result,
    envoy_dynamic_module_type_envoy_http_header*, size_t, envoy_dynamic_module_type_envoy_buffer*,
    size_t) {}
}
