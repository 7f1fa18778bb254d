// SPDX-License-Identifier: Apache-2.0
#include "config_stats.h"

#include <algorithm>

#include "envoy.h"
#include "stock/rocketmq_proxy_host.h"

namespace rocketmq_proxy {
namespace {

// Histogram values that wait for Envoy. Only a main thread that has stopped can make it so many.
constexpr size_t kMaxSamples = 1 << 20;

uint64_t Magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

}  // namespace

ConfigStats::Route ConfigStats::RouteOfThisEnvoy() {
  const bool through_config =
      envoy_dynamic_module_callback_network_filter_config_increment_counter != nullptr &&
      envoy_dynamic_module_callback_network_filter_config_increment_gauge != nullptr &&
      envoy_dynamic_module_callback_network_filter_config_decrement_gauge != nullptr &&
      envoy_dynamic_module_callback_network_filter_config_record_histogram_value != nullptr;
  return through_config ? Route::kConfig : Route::kFilter;
}

ConfigStats::ConfigStats(void* envoy_config, Route route)
    : envoy_config_(envoy_config),
      route_(route),
      scheduler_(route == Route::kConfig
                     ? std::make_unique<Scheduler>(Scheduler::kConfig, envoy_config)
                     : nullptr) {}

bool ConfigStats::Define(int kind, std::string_view name, uint32_t* id) {
  size_t envoy_id = 0;
  envoy_dynamic_module_type_metrics_result result;
  switch (kind) {
    case ROCKETMQ_PROXY_COUNTER:
      result = envoy_dynamic_module_callback_network_filter_config_define_counter(
          envoy_config_, ToBuffer(name), &envoy_id);
      break;
    case ROCKETMQ_PROXY_GAUGE:
      result = envoy_dynamic_module_callback_network_filter_config_define_gauge(
          envoy_config_, ToBuffer(name), &envoy_id);
      break;
    case ROCKETMQ_PROXY_HISTOGRAM:
      result = envoy_dynamic_module_callback_network_filter_config_define_histogram(
          envoy_config_, ToBuffer(name), &envoy_id);
      break;
    default:
      return false;
  }
  if (result != envoy_dynamic_module_type_metrics_result_Success) return false;
  const std::lock_guard<std::mutex> lock(mu_);
  *id = static_cast<uint32_t>(stats_.size());
  stats_.push_back({kind, envoy_id});
  return true;
}

void ConfigStats::Add(uint32_t id, int64_t delta) {
  std::unique_lock<std::mutex> lock(mu_);
  if (detached_ || id >= stats_.size() || delta == 0) return;
  Stat& stat = stats_[id];
  if (stat.kind == ROCKETMQ_PROXY_HISTOGRAM) return;
  if (stat.kind == ROCKETMQ_PROXY_COUNTER && delta < 0) return;
  stat.total += delta;
  stat.delta += delta;
  if (!std::exchange(stat.dirty, true)) dirty_.push_back(id);
  Announce(std::move(lock));
}

void ConfigStats::Record(uint32_t id, uint64_t value, uint64_t count) {
  std::unique_lock<std::mutex> lock(mu_);
  if (detached_ || id >= stats_.size() || stats_[id].kind != ROCKETMQ_PROXY_HISTOGRAM) return;
  const uint64_t fits = std::min<uint64_t>(count, kMaxSamples - samples_.size());
  samples_.insert(samples_.end(), fits, {stats_[id].envoy_id, value});
  dropped_ += count - fits;
  Announce(std::move(lock));
}

void ConfigStats::Announce(std::unique_lock<std::mutex> lock) {
  if (route_ == Route::kFilter) {
    wants_worker_.store(true, std::memory_order_relaxed);
    return;
  }
  if (std::exchange(announced_, true)) return;
  lock.unlock();
  scheduler_->Commit(0);
}

ConfigStats::Batch ConfigStats::Take() {
  Batch batch;
  announced_ = false;
  wants_worker_.store(false, std::memory_order_relaxed);
  batch.updates.reserve(dirty_.size());
  for (const uint32_t id : dirty_) {
    Stat& stat = stats_[id];
    batch.updates.push_back({stat.kind, stat.envoy_id, std::exchange(stat.delta, 0)});
    stat.dirty = false;
  }
  dirty_.clear();
  batch.samples.swap(samples_);
  batch.dropped = std::exchange(dropped_, 0);
  return batch;
}

void ConfigStats::OnScheduled() {
  Batch batch;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    batch = Take();
  }
  ApplyThroughConfig(batch);
  for (const Sample& s : batch.samples) {
    envoy_dynamic_module_callback_network_filter_config_record_histogram_value(envoy_config_,
                                                                               s.first, s.second);
  }
  if (batch.dropped > 0) {
    Log(LogLevel::kWarn, LogLine() << "rocketmq_proxy: " << batch.dropped
                                   << " histogram values were dropped: the main thread was stuck");
  }
}

void ConfigStats::ApplyThroughConfig(const Batch& batch) {
  for (const Update& u : batch.updates) {
    if (u.kind == ROCKETMQ_PROXY_COUNTER) {
      envoy_dynamic_module_callback_network_filter_config_increment_counter(
          envoy_config_, u.envoy_id, Magnitude(u.delta));
    } else if (u.delta > 0) {
      envoy_dynamic_module_callback_network_filter_config_increment_gauge(envoy_config_, u.envoy_id,
                                                                          Magnitude(u.delta));
    } else if (u.delta < 0) {
      envoy_dynamic_module_callback_network_filter_config_decrement_gauge(envoy_config_, u.envoy_id,
                                                                          Magnitude(u.delta));
    }
  }
}

void ConfigStats::ApplyThroughFilter(void* envoy_filter) {
  Batch batch;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    batch = Take();
  }
  for (const Update& u : batch.updates) {
    if (u.kind == ROCKETMQ_PROXY_COUNTER) {
      envoy_dynamic_module_callback_network_filter_increment_counter(envoy_filter, u.envoy_id,
                                                                     Magnitude(u.delta));
    } else if (u.delta > 0) {
      envoy_dynamic_module_callback_network_filter_increment_gauge(envoy_filter, u.envoy_id,
                                                                   Magnitude(u.delta));
    } else if (u.delta < 0) {
      envoy_dynamic_module_callback_network_filter_decrement_gauge(envoy_filter, u.envoy_id,
                                                                   Magnitude(u.delta));
    }
  }
  for (const Sample& s : batch.samples) {
    envoy_dynamic_module_callback_network_filter_record_histogram_value(envoy_filter, s.first,
                                                                        s.second);
  }
}

void ConfigStats::Detach() {
  Batch last;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (std::exchange(detached_, true)) return;
    last = Take();
    // Nothing of a config that is gone is active any more. The plugin's last decrements may come
    // too late, and the gauge would stay too high.
    for (const Stat& stat : stats_) {
      if (stat.kind == ROCKETMQ_PROXY_GAUGE && stat.total != 0) {
        last.updates.push_back({stat.kind, stat.envoy_id, -stat.total});
      }
    }
  }
  if (route_ == Route::kFilter) return;
  scheduler_->Detach();
  // Envoy's config object is still whole while it announces its end, whatever the thread; counters
  // and gauges are atomics. Histogram values are let go: they use storage of Envoy's threads, and
  // this may be none.
  ApplyThroughConfig(last);
}

}  // namespace rocketmq_proxy
