// SPDX-License-Identifier: Apache-2.0
//
// Envoy's dynamic module ABI, what newer versions of it have added, and thin wrappers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "log_line.h"

// Functions of Envoy and hooks of ours must stay visible although the module is built with hidden
// visibility.
#pragma GCC visibility push(default)
#include "abi/abi.h"

// Envoy 1.39 added these; on 1.38 they resolve to null. They are absent from the ABI header that
// the build uses, which is older than 1.39.
extern "C" {
envoy_dynamic_module_type_metrics_result
envoy_dynamic_module_callback_network_filter_config_increment_counter(void* config, size_t id,
                                                                      uint64_t value)
    __attribute__((weak));
envoy_dynamic_module_type_metrics_result
envoy_dynamic_module_callback_network_filter_config_increment_gauge(void* config, size_t id,
                                                                    uint64_t value)
    __attribute__((weak));
envoy_dynamic_module_type_metrics_result
envoy_dynamic_module_callback_network_filter_config_decrement_gauge(void* config, size_t id,
                                                                    uint64_t value)
    __attribute__((weak));
envoy_dynamic_module_type_metrics_result
envoy_dynamic_module_callback_network_filter_config_record_histogram_value(void* config, size_t id,
                                                                           uint64_t value)
    __attribute__((weak));
}
#pragma GCC visibility pop

namespace rocketmq_proxy {

using EnvoyBuffer = envoy_dynamic_module_type_envoy_buffer;
using ModuleBuffer = envoy_dynamic_module_type_module_buffer;

enum class FilterStatus : uint8_t { kContinue, kStopIteration };
enum ConnectionEvent { kRemoteClose = 0, kLocalClose = 1, kConnected = 2 };  // Envoy's numbers

inline bool IsClose(int event) { return event == kRemoteClose || event == kLocalClose; }

inline ModuleBuffer ToBuffer(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToView(EnvoyBuffer buffer) {
  return buffer.ptr == nullptr ? std::string_view() : std::string_view(buffer.ptr, buffer.length);
}

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError, kCritical };

// Envoy's logger may be used from any thread.
inline void Log(LogLevel level, const LogLine& line) {
  envoy_dynamic_module_callback_log(static_cast<envoy_dynamic_module_type_log_level>(level),
                                    ToBuffer(line.view()));
}
inline bool LogEnabled(LogLevel level) {
  return envoy_dynamic_module_callback_log_enabled(
      static_cast<envoy_dynamic_module_type_log_level>(level));
}

inline envoy_dynamic_module_type_network_connection_close_type ToEnvoyCloseType(CloseMode mode) {
  return mode == CloseMode::kAbort
             ? envoy_dynamic_module_type_network_connection_close_type_NoFlush
             : envoy_dynamic_module_type_network_connection_close_type_FlushWrite;
}

// The pieces of a connection's read or write buffer, as Envoy's own array; valid during the hook.
class Chunks {
 public:
  enum Side { kReadBuffer, kWriteBuffer };

  Chunks(void* filter, Side side) {
    count_ =
        side == kReadBuffer
            ? envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks_size(filter)
            : envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks_size(filter);
    if (count_ > kFew) {  // Rare: no allocation for the usual read.
      many_.resize(count_);
      data_ = many_.data();
    }
    if (count_ == 0) return;
    const bool ok =
        side == kReadBuffer
            ? envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks(filter, data_)
            : envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks(filter, data_);
    if (!ok) count_ = 0;
  }
  Chunks(const Chunks&) = delete;
  Chunks& operator=(const Chunks&) = delete;

  // As the plugin takes them.
  const rocketmq_proxy_slice* slices() const {
    static_assert(sizeof(rocketmq_proxy_slice) == sizeof(EnvoyBuffer) &&
                  offsetof(rocketmq_proxy_slice, size) == offsetof(EnvoyBuffer, length));
    return reinterpret_cast<const rocketmq_proxy_slice*>(data_);
  }
  size_t count() const { return count_; }

  // Copies the first `size` bytes.
  std::string Front(size_t size) const {
    std::string out;
    for (size_t i = 0; i < count_ && out.size() < size; i++) {
      out.append(data_[i].ptr, std::min(data_[i].length, size - out.size()));
    }
    return out;
  }

  // Leaves out the first `size` bytes (of the view, not of the buffer).
  void Skip(size_t size) {
    while (count_ > 0 && size > 0) {
      const size_t step = std::min(size, data_[0].length);
      data_[0].ptr += step;
      data_[0].length -= step;
      size -= step;
      if (data_[0].length > 0) break;
      ++data_;
      --count_;
    }
  }

 private:
  static constexpr size_t kFew = 16;
  EnvoyBuffer few_[kFew];
  std::vector<EnvoyBuffer> many_;
  EnvoyBuffer* data_ = few_;
  size_t count_ = 0;
};

}  // namespace rocketmq_proxy
