// SPDX-License-Identifier: Apache-2.0
//
// The stats of one filter config.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler.h"

namespace rocketmq_proxy {

// Gathers what the plugin counts, and hands it to Envoy in batches. Several configs may define one
// name; Envoy makes them one stat.
//
// Threads: Define on the main thread, while Envoy reads the config; it refuses new stats later.
// OnScheduled on the main thread, ApplyOnWorker on workers, the rest on any.
// Lock: mu_ protects the fields below it; no function of Envoy or the plugin is called under it.
// Lifetime: shared by the filter config and the end of the plugin's use. After Detach nothing of
// Envoy's config is touched, and what is counted is lost.
class ConfigStats {
 public:
  // How batches reach Envoy: on the main thread through the config, or, in an Envoy that has no
  // functions for that (1.38), in the next hook of a filter of the config.
  enum class Route { kConfig, kFilter };
  static Route RouteOfThisEnvoy();

  explicit ConfigStats(void* envoy_config, Route route = RouteOfThisEnvoy());
  ~ConfigStats() { Detach(); }
  ConfigStats(const ConfigStats&) = delete;
  ConfigStats& operator=(const ConfigStats&) = delete;

  // False if Envoy refuses the name, or there is no such kind.
  bool Define(int kind, std::string_view name, uint32_t* id);
  // Counters do not go down.
  void Add(uint32_t id, int64_t delta);
  void Record(uint32_t id, uint64_t value, uint64_t count);

  void OnScheduled();
  // In every hook of a filter: cheap when there is nothing to do.
  void ApplyOnWorker(void* envoy_filter) {
    if (wants_worker_.load(std::memory_order_relaxed)) ApplyThroughFilter(envoy_filter);
  }
  // Envoy's config ends: hands over what is left, and takes the gauges back to what others count.
  void Detach();

 private:
  struct Stat {
    int kind;
    size_t envoy_id;
    int64_t total = 0;  // of a gauge: what all additions make
    int64_t delta = 0;  // gathered
    bool dirty = false;
  };
  struct Update {
    int kind;
    size_t envoy_id;
    int64_t delta;
  };
  using Sample = std::pair<size_t, uint64_t>;  // Envoy's histogram id, value
  struct Batch {
    std::vector<Update> updates;
    std::vector<Sample> samples;
    uint64_t dropped = 0;
  };

  void Announce(std::unique_lock<std::mutex> lock);
  Batch Take();  // with mu_
  void ApplyThroughFilter(void* envoy_filter);
  void ApplyThroughConfig(const Batch& batch);

  void* const envoy_config_;
  const Route route_;
  const std::unique_ptr<Scheduler> scheduler_;  // of Route::kConfig
  std::atomic<bool> wants_worker_{false};

  std::mutex mu_;
  std::vector<Stat> stats_;      // by id
  std::vector<uint32_t> dirty_;  // ids
  std::vector<Sample> samples_;
  uint64_t dropped_ = 0;
  bool announced_ = false;  // a commit is on its way
  bool detached_ = false;
};

}  // namespace rocketmq_proxy
