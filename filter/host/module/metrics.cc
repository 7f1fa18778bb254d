// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include <mutex>
#include <string>
#include <unordered_map>

#include "envoy.h"

namespace rocketmq_proxy {
namespace {

// Histogram values that wait for Envoy. Only a main thread that has stopped can make it so many.
constexpr size_t kMaxSamples = 1 << 20;

bool g_pretend_missing = false;

bool HasConfigMetrics() {
  return !g_pretend_missing &&
         envoy_dynamic_module_callback_network_filter_config_increment_counter != nullptr &&
         envoy_dynamic_module_callback_network_filter_config_increment_gauge != nullptr &&
         envoy_dynamic_module_callback_network_filter_config_decrement_gauge != nullptr &&
         envoy_dynamic_module_callback_network_filter_config_set_gauge != nullptr &&
         envoy_dynamic_module_callback_network_filter_config_record_histogram_value != nullptr;
}

// The config being parsed on this thread.
thread_local ConfigMetrics* t_defining = nullptr;

uint64_t Magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

}  // namespace

struct ConfigMetrics::Registry {
  struct Entry {
    ConfigMetrics* owner;
    uint32_t slot;
  };
  std::mutex mu;
  std::unordered_map<uint32_t, Entry> entries;  // by index; erased with their config
  uint32_t next = 1;                            // never used again, so a stale id stays stale
};

ConfigMetrics::Registry& ConfigMetrics::TheRegistry() {
  static Registry* const registry = new Registry;  // Leaked: Go's threads outlive main().
  return *registry;
}

ConfigMetrics::ConfigMetrics(void* envoy_config)
    : envoy_config_(envoy_config),
      through_config_(HasConfigMetrics()),
      scheduler_(through_config_ ? std::make_shared<Scheduler>(Scheduler::kConfig, envoy_config)
                                 : nullptr) {}

ConfigMetrics::~ConfigMetrics() {
  if (scheduler_ != nullptr) scheduler_->Detach();
  Batch last;
  {
    Registry& registry = TheRegistry();
    const std::lock_guard<std::mutex> lock(registry.mu);
    for (const uint32_t id : ids_) registry.entries.erase(id >> 2);
    last = TakeLocked();
    // Nothing of a config that is gone is active any more. The plugin's last decrements may come
    // too late, and the gauge would stay too high for ever.
    for (const Metric& m : metrics_) {
      if (m.type == kGauge && !m.ever_set && m.total != 0) {
        last.updates.push_back({kGauge, m.envoy_id, -m.total, 0, false});
      }
    }
  }
  // Envoy's config object is still whole while it tells us of its end, whatever the thread;
  // counters and gauges are atomics. Histogram values are let go: they use storage of Envoy's
  // threads, and this may be none.
  if (through_config_) ApplyThroughConfig(last);
}

ConfigMetrics::DefineWindow::DefineWindow(ConfigMetrics* metrics) { t_defining = metrics; }
ConfigMetrics::DefineWindow::~DefineWindow() { t_defining = nullptr; }

GoStatus ConfigMetrics::Define(uint32_t type, std::string_view name, uint32_t* id) {
  ConfigMetrics* const owner = t_defining;
  if (owner == nullptr) return kInvalidPhase;
  size_t envoy_id = 0;
  envoy_dynamic_module_type_metrics_result result;
  switch (type) {
    case kCounter:
      result = envoy_dynamic_module_callback_network_filter_config_define_counter(
          owner->envoy_config_, ToBuffer(name), &envoy_id);
      break;
    case kGauge:
      result = envoy_dynamic_module_callback_network_filter_config_define_gauge(
          owner->envoy_config_, ToBuffer(name), &envoy_id);
      break;
    case kHistogram:
      result = envoy_dynamic_module_callback_network_filter_config_define_histogram(
          owner->envoy_config_, ToBuffer(name), &envoy_id);
      break;
    default:
      return kValueNotFound;
  }
  if (result != envoy_dynamic_module_type_metrics_result_Success) return kInternalFailure;
  Registry& registry = TheRegistry();
  const std::lock_guard<std::mutex> lock(registry.mu);
  const uint32_t index = registry.next++;
  Metric metric{};
  metric.type = type;
  metric.envoy_id = envoy_id;
  registry.entries[index] = {owner, static_cast<uint32_t>(owner->metrics_.size())};
  owner->metrics_.push_back(metric);
  *id = index << 2 | type;
  owner->ids_.push_back(*id);
  return kOk;
}

// Finds the metric and lets `change` gather an update for it (true: there is something to tell
// Envoy).
template <typename Change>
GoStatus ConfigMetrics::ChangeMetric(uint32_t id, Change change) {
  Registry& registry = TheRegistry();
  std::shared_ptr<Scheduler> announce;
  {
    const std::lock_guard<std::mutex> lock(registry.mu);
    const auto entry = registry.entries.find(id >> 2);
    if (entry == registry.entries.end()) {
      return (id >> 2) < registry.next ? kFilterIsGone : kValueNotFound;
    }
    ConfigMetrics* const owner = entry->second.owner;
    Metric& metric = owner->metrics_[entry->second.slot];
    if (metric.type != (id & 3)) return kValueNotFound;
    if (!change(owner, entry->second.slot, metric)) return kOk;
    if (!owner->through_config_) {
      owner->wants_worker_.store(true, std::memory_order_relaxed);
    } else if (!owner->announced_) {
      owner->announced_ = true;
      announce = owner->scheduler_;
    }
  }
  if (announce != nullptr) announce->Commit(0);
  return kOk;
}

void ConfigMetrics::MarkDirty(uint32_t slot) {
  if (metrics_[slot].dirty) return;
  metrics_[slot].dirty = true;
  dirty_.push_back(slot);
}

GoStatus ConfigMetrics::Increment(uint32_t id, int64_t offset) {
  return ChangeMetric(id, [offset](ConfigMetrics* owner, uint32_t slot, Metric& metric) {
    if (metric.type == kHistogram || offset == 0) return false;
    if (metric.type == kCounter && offset < 0) return false;
    metric.total += offset;
    metric.delta += offset;
    owner->MarkDirty(slot);
    return true;
  });
}

GoStatus ConfigMetrics::Record(uint32_t id, uint64_t value) {
  return ChangeMetric(id, [value](ConfigMetrics* owner, uint32_t slot, Metric& metric) {
    if (metric.type == kHistogram) {
      if (owner->samples_.size() >= kMaxSamples) {
        owner->dropped_++;
        return false;
      }
      owner->samples_.emplace_back(metric.envoy_id, value);
      return true;
    }
    if (metric.type == kGauge) {
      metric.set = metric.ever_set = true;
      metric.set_value = value;
      metric.delta = 0;
      metric.total = static_cast<int64_t>(value);
    } else {
      metric.delta += static_cast<int64_t>(value);
      metric.total += static_cast<int64_t>(value);
    }
    owner->MarkDirty(slot);
    return true;
  });
}

GoStatus ConfigMetrics::Get(uint32_t id, uint64_t* value) {
  return ChangeMetric(id, [value](ConfigMetrics*, uint32_t, Metric& metric) {
    *value = metric.type == kHistogram ? 0 : static_cast<uint64_t>(metric.total);
    return false;
  });
}

ConfigMetrics::Batch ConfigMetrics::Take() {
  const std::lock_guard<std::mutex> lock(TheRegistry().mu);
  return TakeLocked();
}

ConfigMetrics::Batch ConfigMetrics::TakeLocked() {
  Batch batch;
  announced_ = false;
  wants_worker_.store(false, std::memory_order_relaxed);
  batch.updates.reserve(dirty_.size());
  for (const uint32_t slot : dirty_) {
    Metric& m = metrics_[slot];
    batch.updates.push_back({m.type, m.envoy_id, m.delta, m.set_value, m.set});
    m.delta = 0;
    m.set = m.dirty = false;
  }
  dirty_.clear();
  batch.samples.swap(samples_);
  batch.dropped = std::exchange(dropped_, 0);
  return batch;
}

void ConfigMetrics::OnConfigScheduled() {
  const Batch batch = Take();
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

void ConfigMetrics::ApplyThroughConfig(const Batch& batch) {
  for (const Update& u : batch.updates) {
    if (u.type == kCounter) {
      envoy_dynamic_module_callback_network_filter_config_increment_counter(
          envoy_config_, u.envoy_id, Magnitude(u.delta));
    } else if (u.set) {
      envoy_dynamic_module_callback_network_filter_config_set_gauge(
          envoy_config_, u.envoy_id, u.set_value + static_cast<uint64_t>(u.delta));
    } else if (u.delta > 0) {
      envoy_dynamic_module_callback_network_filter_config_increment_gauge(envoy_config_, u.envoy_id,
                                                                          Magnitude(u.delta));
    } else if (u.delta < 0) {
      envoy_dynamic_module_callback_network_filter_config_decrement_gauge(envoy_config_, u.envoy_id,
                                                                          Magnitude(u.delta));
    }
  }
}

void ConfigMetrics::ApplyThroughFilter(void* envoy_filter) {
  const Batch batch = Take();
  for (const Update& u : batch.updates) {
    if (u.type == kCounter) {
      envoy_dynamic_module_callback_network_filter_increment_counter(envoy_filter, u.envoy_id,
                                                                     Magnitude(u.delta));
    } else if (u.set) {
      envoy_dynamic_module_callback_network_filter_set_gauge(
          envoy_filter, u.envoy_id, u.set_value + static_cast<uint64_t>(u.delta));
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

void PretendNoConfigMetricsForTest(bool missing) { g_pretend_missing = missing; }

}  // namespace rocketmq_proxy
