// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "die.h"
#include "envoy.h"
#include "filter_config.h"

namespace contrib {
namespace {

using rocketmq_proxy::ToBuffer;

thread_local FilterConfig* t_defining = nullptr;

struct Metric {
  uint32_t type;
  std::map<FilterConfig*, size_t> stats;  // Envoy's ids
  int64_t total = 0;
  int64_t waiting = 0;  // of it, what Envoy has not been told
  std::vector<uint64_t> samples;
};

struct Registry {
  std::mutex mu;
  std::map<std::pair<uint32_t, std::string>, Metric> metrics;
  std::vector<Metric*> by_id;
};

Registry& AllMetrics() {
  static auto* const registry = new Registry;  // Go's threads outlive static objects
  return *registry;
}

bool DefineStat(FilterConfig* config, uint32_t type, const std::string& name, size_t* id) {
  const auto define =
      type == kCounter ? envoy_dynamic_module_callback_network_filter_config_define_counter
      : type == kGauge ? envoy_dynamic_module_callback_network_filter_config_define_gauge
                       : envoy_dynamic_module_callback_network_filter_config_define_histogram;
  return define(config->envoy(), ToBuffer(name), id) ==
         envoy_dynamic_module_type_metrics_result_Success;
}

// With the lock.
Metric* Find(uint32_t id) {
  const size_t index = id >> 2;
  auto& by_id = AllMetrics().by_id;
  return index == 0 || index > by_id.size() || by_id[index - 1]->type != (id & 3)
             ? nullptr
             : by_id[index - 1];
}

// With the lock: whom to tell that the metric has changed, without the lock. Telling may destroy
// the config.
std::shared_ptr<rocketmq_proxy::Scheduler> SchedulerOf(const Metric& metric) {
  return metric.stats.empty() ? nullptr : metric.stats.rbegin()->first->scheduler();
}

// Lets `change` change a metric, if there is one.
template <typename Change>
GoStatus ChangeMetric(uint32_t id, Change change) {
  std::shared_ptr<rocketmq_proxy::Scheduler> scheduler;
  {
    const std::lock_guard<std::mutex> lock(AllMetrics().mu);
    Metric* const metric = Find(id);
    if (metric == nullptr || !change(metric)) return kOk;
    scheduler = SchedulerOf(*metric);
  }
  if (scheduler != nullptr) scheduler->Commit(0);
  return kOk;
}

}  // namespace

DefineWindow::DefineWindow(FilterConfig* config) { t_defining = config; }
DefineWindow::~DefineWindow() { t_defining = nullptr; }

GoStatus DefineMetric(uint32_t type, const std::string& name, uint32_t* id) {
  if (!EnvoyThread::IsThis()) Die("a metric is defined on a thread that is not Envoy's");
  if (type > kHistogram) return kValueNotFound;
  FilterConfig* const config = t_defining;
  if (config == nullptr) return kInternalFailure;
  size_t stat = 0;
  if (!DefineStat(config, type, name, &stat)) return kInternalFailure;
  Registry& registry = AllMetrics();
  const std::lock_guard<std::mutex> lock(registry.mu);
  Metric& metric = registry.metrics[{type, name}];
  metric.type = type;
  metric.stats[config] = stat;
  registry.by_id.push_back(&metric);
  *id = static_cast<uint32_t>(registry.by_id.size()) << 2 | type;
  return kOk;
}

GoStatus IncrementMetric(uint32_t id, int64_t offset) {
  return ChangeMetric(id, [offset](Metric* metric) {
    if (metric->type == kHistogram || (metric->type == kCounter && offset < 0)) return false;
    metric->total += offset;
    metric->waiting += offset;
    return true;
  });
}

GoStatus RecordMetric(uint32_t id, uint64_t value) {
  if (!EnvoyThread::IsThis()) Die("a sample is recorded on a thread that is not Envoy's");
  return ChangeMetric(id, [value](Metric* metric) {
    if (metric->type != kHistogram) return false;
    metric->samples.push_back(value);
    return true;
  });
}

GoStatus MetricValue(uint32_t id, uint64_t* value) {
  const std::lock_guard<std::mutex> lock(AllMetrics().mu);
  const Metric* const metric = Find(id);
  if (metric != nullptr) *value = static_cast<uint64_t>(metric->total);
  return kOk;
}

void ApplyMetrics(FilterConfig* config) {
  const std::lock_guard<std::mutex> lock(AllMetrics().mu);
  for (auto& [name, metric] : AllMetrics().metrics) {
    const auto stat = metric.stats.find(config);
    if (stat == metric.stats.end()) continue;
    const int64_t delta = std::exchange(metric.waiting, 0);
    const auto up = static_cast<uint64_t>(std::max<int64_t>(delta, 0));
    const auto down = static_cast<uint64_t>(std::max<int64_t>(-delta, 0));
    void* const envoy = config->envoy();
    if (metric.type == kCounter && up > 0) {
      envoy_dynamic_module_callback_network_filter_config_increment_counter(envoy, stat->second,
                                                                            up);
    } else if (metric.type == kGauge && up > 0) {
      envoy_dynamic_module_callback_network_filter_config_increment_gauge(envoy, stat->second, up);
    } else if (metric.type == kGauge && down > 0) {
      envoy_dynamic_module_callback_network_filter_config_decrement_gauge(envoy, stat->second,
                                                                          down);
    }
    for (const uint64_t value : std::exchange(metric.samples, {})) {
      envoy_dynamic_module_callback_network_filter_config_record_histogram_value(
          envoy, stat->second, value);
    }
  }
}

void ForgetMetrics(FilterConfig* config) {
  const std::lock_guard<std::mutex> lock(AllMetrics().mu);
  for (auto& [name, metric] : AllMetrics().metrics) metric.stats.erase(config);
}

}  // namespace contrib
