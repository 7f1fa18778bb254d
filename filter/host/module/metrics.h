// SPDX-License-Identifier: Apache-2.0
//
// Envoy metrics for the plugin, in the shape of the Golang HTTP filter's metric functions.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "golang_abi.h"
#include "scheduler.h"

namespace rocketmq_proxy {

// The metrics of one filter config. A metric belongs to the config whose parsing defined it;
// several configs that define one name get ids of their own, and Envoy makes them one stat.
//
// Updates are gathered and handed to Envoy in batches: on the main thread, or, on an Envoy whose
// config-level functions are missing (1.38), in the next hook of a filter of this config.
//
// Threads: the static functions run on any thread, except Define (inside a DefineWindow: main
// thread). OnConfigScheduled: main thread. ApplyOnWorker: workers.
// Lock: one process-wide mutex in metrics.cc protects all ids and gathered updates; no function of
// Envoy or the plugin is called under it.
// Lifetime: that of the filter config. Ids of a config that is gone are answered with kFilterIsGone
// and never come again.
class ConfigMetrics {
 public:
  explicit ConfigMetrics(void* envoy_config);
  ~ConfigMetrics();
  ConfigMetrics(const ConfigMetrics&) = delete;
  ConfigMetrics& operator=(const ConfigMetrics&) = delete;

  // While it lives, Define makes metrics of this config. Envoy refuses new ones later.
  class DefineWindow {
   public:
    explicit DefineWindow(ConfigMetrics* metrics);
    ~DefineWindow();
    DefineWindow(const DefineWindow&) = delete;
    DefineWindow& operator=(const DefineWindow&) = delete;
  };

  static GoStatus Define(uint32_t type, std::string_view name, uint32_t* id);
  static GoStatus Increment(uint32_t id, int64_t offset);
  static GoStatus Record(uint32_t id, uint64_t value);
  // What this process has put in through this id; Envoy has no function to ask for a value.
  static GoStatus Get(uint32_t id, uint64_t* value);

  void OnConfigScheduled();

  // In every filter hook: cheap when there is nothing to do.
  void ApplyOnWorker(void* envoy_filter) {
    if (wants_worker_.load(std::memory_order_relaxed)) ApplyThroughFilter(envoy_filter);
  }

 private:
  struct Metric {
    uint32_t type;
    size_t envoy_id;
    int64_t total = 0;  // counters and gauges: what Get answers
    int64_t delta = 0;  // gathered
    uint64_t set_value = 0;
    bool set = false;  // `delta` comes on top of `set_value`
    bool ever_set = false;
    bool dirty = false;
  };
  struct Update {
    uint32_t type;
    size_t envoy_id;
    int64_t delta;
    uint64_t set_value;
    bool set;
  };
  using Sample = std::pair<size_t, uint64_t>;  // Envoy's histogram id, value
  struct Batch {
    std::vector<Update> updates;
    std::vector<Sample> samples;
    uint64_t dropped = 0;
  };
  struct Registry;

  static Registry& TheRegistry();
  template <typename Change>
  static GoStatus ChangeMetric(uint32_t id, Change change);
  void MarkDirty(uint32_t slot);
  Batch Take();
  Batch TakeLocked();
  void ApplyThroughFilter(void* envoy_filter);
  void ApplyThroughConfig(const Batch& batch);

  void* const envoy_config_;
  const bool through_config_;
  const std::shared_ptr<Scheduler> scheduler_;
  std::atomic<bool> wants_worker_{false};
  // Under the registry's mutex:
  std::vector<Metric> metrics_;
  std::vector<uint32_t> ids_;    // as given to the plugin
  std::vector<uint32_t> dirty_;  // slots in metrics_
  std::vector<Sample> samples_;
  uint64_t dropped_ = 0;
  bool announced_ = false;  // a commit is on its way
};

// Tests: as if Envoy lacked the config-level functions, for configs made from now on.
void PretendNoConfigMetricsForTest(bool missing);

}  // namespace rocketmq_proxy
