// SPDX-License-Identifier: Apache-2.0
#include "downstream.h"

#include <utility>

#include "address.h"
#include "die.h"
#include "filter_config.h"
#include "plugin.h"
#include "slices.h"

namespace contrib {

using rocketmq_proxy::Chunks;
using rocketmq_proxy::EnvoyBuffer;
using rocketmq_proxy::FilterStatus;
using rocketmq_proxy::ToBuffer;
using rocketmq_proxy::ToView;

namespace {

FilterStatus ToStatus(GoUint64 status) {
  return status == 0 ? FilterStatus::kContinue : FilterStatus::kStopIteration;
}

void Add(Chunks* chunks, Slices* slices) {
  for (size_t i = 0; i < chunks->count(); i++) {
    const auto& slice = chunks->slices()[i];
    slices->Add({slice.data, slice.size});
  }
}

std::string PeerAddress(void* filter) {
  EnvoyBuffer ip{};
  uint32_t port = 0;
  if (!envoy_dynamic_module_callback_network_filter_get_direct_remote_address(filter, &ip, &port)) {
    return "";
  }
  return rocketmq_proxy::JoinAddress(ToView(ip), port);
}

envoy_dynamic_module_type_network_connection_close_type ToEnvoyCloseType(int type) {
  if (type < kFlushWrite || type > kAbortReset) type = kFlushWrite;
  return static_cast<envoy_dynamic_module_type_network_connection_close_type>(type);
}

}  // namespace

// The ABI knows the peer of the socket only, whatever a listener filter has restored.
Downstream::Downstream(const FilterConfig& config, void* envoy_filter)
    : config_(config),
      envoy_(envoy_filter),
      worker_(std::this_thread::get_id()),
      local_(rocketmq_proxy::LocalAddress(envoy_filter)),
      peer_(PeerAddress(envoy_filter)),
      scheduler_(rocketmq_proxy::Scheduler::kFilter, envoy_filter) {}

FilterStatus Downstream::OnNewConnection() {
  const EnvoyThread here;
  wrapper_ = new DownstreamWrapper;
  wrapper_->connection = weak_from_this();
  const std::string name = config_.plugin_name();
  return ToStatus(GetPlugin().on_downstream_connection(
      wrapper_, reinterpret_cast<GoUint64>(name.data()), name.size(), config_.golang_id()));
}

FilterStatus Downstream::OnRead(size_t size, bool end_stream) {
  const EnvoyThread here;
  GoUint64 status;
  {
    Chunks chunks(envoy_, Chunks::kReadBuffer);
    Slices slices;
    Add(&chunks, &slices);
    status = GetPlugin().on_downstream_data(wrapper_, slices.size(), slices.address(),
                                            slices.count(), end_stream ? 1 : 0);
  }
  // All of it, whatever the plugin says.
  if (size > 0) envoy_dynamic_module_callback_network_filter_drain_read_buffer(envoy_, size);
  return ToStatus(status);
}

FilterStatus Downstream::OnWrite(bool end_stream) {
  const EnvoyThread here;
  Chunks chunks(envoy_, Chunks::kWriteBuffer);
  Slices slices;
  Add(&chunks, &slices);
  return ToStatus(GetPlugin().on_downstream_write(wrapper_, slices.size(), slices.address(),
                                                  slices.count(), end_stream ? 1 : 0));
}

void Downstream::OnEvent(int event) {
  const EnvoyThread here;
  closed_ |= rocketmq_proxy::IsClose(event);
  GetPlugin().on_downstream_event(wrapper_, event);
}

void Downstream::OnScheduled() {
  const EnvoyThread here;
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

void Downstream::Destroy(std::shared_ptr<Downstream> connection) {
  connection->closed_ = true;
  connection->scheduler_.Detach();
  connection->OnScheduled();
}

void Downstream::Post(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() > 1) return;
  }
  scheduler_.Commit(0);
}

void Downstream::Write(std::string_view data, bool end_stream) {
  Post([weak = weak_from_this(), copy = std::string(data), end_stream] {
    const auto self = weak.lock();
    if (self == nullptr || self->closed_) return;
    envoy_dynamic_module_callback_network_filter_write(self->envoy_, ToBuffer(copy), end_stream);
  });
}

void Downstream::Close(int type) {
  Post([weak = weak_from_this(), type] {
    const auto self = weak.lock();
    if (self == nullptr || self->closed_) return;
    envoy_dynamic_module_callback_network_filter_close_with_details(
        self->envoy_, ToEnvoyCloseType(type), ToBuffer("go_downstream_close"));
  });
}

GoStatus Downstream::GetFilterState(const std::string& key, GoString* out) {
  if (std::this_thread::get_id() != worker_) Die("filter state is asked for off the worker");
  if (closed_) return kFilterIsDestroy;
  EnvoyBuffer value{};
  if (envoy_dynamic_module_callback_network_get_filter_state_bytes(envoy_, ToBuffer(key), &value)) {
    wrapper_->text = ToView(value);
    *out = {wrapper_->text.data(), static_cast<ptrdiff_t>(wrapper_->text.size())};
  }
  return kOk;
}

}  // namespace contrib
