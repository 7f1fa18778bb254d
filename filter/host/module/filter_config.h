// SPDX-License-Identifier: Apache-2.0
//
// One filter config of Envoy: which role, and the plugin's handles for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "contrib.h"
#include "filter.h"
#include "metrics.h"

namespace rocketmq_proxy {

enum class Role {
  kTerminal,  // filter_name "rocketmq_proxy": the last filter, opens its upstreams itself
  kChain,     // filter_name "rocketmq_proxy_chain": stands in front of tcp_proxy
  kStats,     // filter_name "rocketmq_proxy_stats": no filter, but metrics (contrib.h)
};

bool ParseRole(std::string_view filter_name, Role* out);

// The serialized google.protobuf.Any that the plugin gets. Envoy has stripped the type of what the
// user wrote: JSON text (from TypedStruct, Struct, or a StringValue) becomes a StringValue, which
// the plugin tells apart by its fields; anything else becomes a BytesValue.
std::string WrapConfig(std::string_view bytes);

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

  // The id for OnDownstreamConnection, and the handle for ChainOpen.
  uint64_t golang_id() const { return golang_id_; }
  uint64_t handle() const { return handle_; }
  ConfigMetrics& metrics() const { return *metrics_; }

 private:
  FilterConfig(Role role, void* envoy_config);

  const Role role_;
  const std::unique_ptr<ConfigMetrics> metrics_;
  uint64_t golang_id_ = 0;
  uint64_t handle_ = 0;
  std::shared_ptr<HttpPluginConfig> http_;  // of the role kStats
};

}  // namespace rocketmq_proxy
