// SPDX-License-Identifier: Apache-2.0
//
// One filter config. Its filter_name is the plugin_name of a config of the Golang network filter;
// with "http/" before it, that of the Golang HTTP filter, which takes no connections.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "golang_abi.h"
#include "http_config.h"
#include "scheduler.h"

namespace contrib {

// Threads: made on the main thread and immutable from then on.
// Lifetime: Envoy's, which keeps it longer than any filter made from it.
class FilterConfig {
 public:
  // Null if it is to be rejected.
  static std::unique_ptr<FilterConfig> Create(void* envoy_config, std::string_view filter_name,
                                              std::string_view bytes);
  ~FilterConfig();
  FilterConfig(const FilterConfig&) = delete;
  FilterConfig& operator=(const FilterConfig&) = delete;

  void* envoy() const { return envoy_; }
  // Whatever it is: the plugin is asked for it by each connection.
  const std::string& plugin_name() const { return plugin_name_; }
  GoUint64 golang_id() const { return golang_id_; }
  bool takes_connections() const { return http_ == nullptr; }
  // Its commit is followed by ApplyMetrics on the main thread.
  std::shared_ptr<rocketmq_proxy::Scheduler> scheduler() const { return scheduler_; }

 private:
  FilterConfig(void* envoy_config, std::string_view plugin_name);

  void* const envoy_;
  const std::string plugin_name_;
  const std::shared_ptr<rocketmq_proxy::Scheduler> scheduler_;
  GoUint64 golang_id_ = 0;
  std::shared_ptr<HttpPluginConfig> http_;
};

// Whether a config of the network filter has had this library_id.
bool IsLibraryId(std::string_view id);

}  // namespace contrib
