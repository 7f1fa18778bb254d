// SPDX-License-Identifier: Apache-2.0
#include "scheduler.h"

#include <utility>

#include "envoy.h"

namespace rocketmq_proxy {
namespace {

// The scheduler whose commit this thread is in.
thread_local const Scheduler* t_committing = nullptr;

}  // namespace

Scheduler::Scheduler(Kind kind, void* envoy)
    : kind_(kind),
      handle_(kind == kFilter
                  ? envoy_dynamic_module_callback_network_filter_scheduler_new(envoy)
                  : envoy_dynamic_module_callback_network_filter_config_scheduler_new(envoy)) {}

void Scheduler::Commit(uint64_t event_id) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (handle_ == nullptr) return;
  const Scheduler* outer = t_committing;
  t_committing = this;
  // Envoy only queues the event here; it calls no hook, except the destroy hook in the case told
  // about above.
  if (kind_ == kFilter) {
    envoy_dynamic_module_callback_network_filter_scheduler_commit(handle_, event_id);
  } else {
    envoy_dynamic_module_callback_network_filter_config_scheduler_commit(handle_, event_id);
  }
  t_committing = outer;
}

void Scheduler::Detach() {
  // Inside our own commit the lock is ours already, and the handle is in use. It is a few bytes that
  // are better lost than freed under Envoy's feet.
  if (t_committing == this) {
    handle_ = nullptr;
    return;
  }
  void* handle = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    std::swap(handle, handle_);
  }
  if (handle == nullptr) return;
  if (kind_ == kFilter) {
    envoy_dynamic_module_callback_network_filter_scheduler_delete(handle);
  } else {
    envoy_dynamic_module_callback_network_filter_config_scheduler_delete(handle);
  }
}

bool Scheduler::InsideCommit() { return t_committing != nullptr; }

}  // namespace rocketmq_proxy
