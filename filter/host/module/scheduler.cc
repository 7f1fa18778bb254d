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
  const Scheduler* const outer = std::exchange(t_committing, this);
  // Envoy only queues the event here; it calls no hook, except the destroy hook in the case told
  // about in the header, which may call Detach.
  if (kind_ == kFilter) {
    envoy_dynamic_module_callback_network_filter_scheduler_commit(handle_, event_id);
  } else {
    envoy_dynamic_module_callback_network_filter_config_scheduler_commit(handle_, event_id);
  }
  t_committing = outer;
  if (detached_inside_) Delete(std::exchange(handle_, nullptr));
}

void Scheduler::Detach() {
  // The lock is this thread's already, and Envoy is still using the handle.
  if (t_committing == this) {
    detached_inside_ = true;
    return;
  }
  void* handle;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    handle = std::exchange(handle_, nullptr);
  }
  Delete(handle);
}

void Scheduler::Delete(void* handle) const {
  if (handle == nullptr) return;
  if (kind_ == kFilter) {
    envoy_dynamic_module_callback_network_filter_scheduler_delete(handle);
  } else {
    envoy_dynamic_module_callback_network_filter_config_scheduler_delete(handle);
  }
}

bool Scheduler::InsideCommit() { return t_committing != nullptr; }

}  // namespace rocketmq_proxy
