// SPDX-License-Identifier: Apache-2.0
//
// One filter config of Envoy: its role, its stats, and the plugin's handle for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "config_stats.h"
#include "filter.h"
#include "plugin.h"

namespace rocketmq_proxy {

enum class Role {
  kTerminal = ROCKETMQ_PROXY_TERMINAL,  // filter_name "rocketmq_proxy"
  kChained = ROCKETMQ_PROXY_CHAINED,    // filter_name "rocketmq_proxy_chain"
};

// Threads: made on the main thread and immutable from then on. The destructor may run on any
// thread: connections keep their config alive, so the last of them, or even a thread that schedules
// something for Envoy, may be the one that lets go of it.
// Lifetime: Envoy's, which keeps it longer than any filter made from it.
class FilterConfig {
 public:
  // Null if the config is to be rejected; the reasons are in Envoy's log then.
  static std::unique_ptr<FilterConfig> Create(void* envoy_config, std::string_view filter_name,
                                              std::string_view bytes);
  ~FilterConfig();
  FilterConfig(const FilterConfig&) = delete;
  FilterConfig& operator=(const FilterConfig&) = delete;

  std::unique_ptr<Filter> NewFilter(void* envoy_filter) const;

  const Plugin& plugin() const { return plugin_; }
  uint64_t handle() const { return handle_; }
  ConfigStats& stats() const { return *stats_; }

 private:
  FilterConfig(const Plugin& plugin, Role role, void* envoy_config);

  const Plugin& plugin_;
  const Role role_;
  const std::shared_ptr<ConfigStats> stats_;
  uint64_t handle_ = 0;
};

}  // namespace rocketmq_proxy
