// SPDX-License-Identifier: Apache-2.0
#include "downstream_connection.h"

#include <algorithm>
#include <utility>

#include "address.h"
#include "contrib.h"
#include "envoy.h"
#include "flow_control.h"
#include "plugin.h"
#include "upstream_connection.h"

namespace rocketmq_proxy {
namespace {

// Kept for the next batch; an idle connection must not cost more than this.
constexpr size_t kSpareSize = 16 << 10;
constexpr char kCloseDetails[] = "rocketmq_proxy_downstream_close";

thread_local DownstreamConnection* t_current = nullptr;

}  // namespace

DownstreamConnection* DownstreamConnection::Current() { return t_current; }

DownstreamConnection::Scope::Scope(DownstreamConnection* connection)
    : outer_(std::exchange(t_current, connection)) {}
DownstreamConnection::Scope::~Scope() { t_current = outer_; }

DownstreamConnection::DownstreamConnection(void* envoy_filter)
    : worker_(std::this_thread::get_id()),
      local_(LocalAddress(envoy_filter)),
      // Contrib Envoy's Golang filter knows no other address.
      remote_(AsContrib() ? PeerAddress(envoy_filter) : RemoteAddress(envoy_filter)),
      worker_index_(envoy_dynamic_module_callback_network_filter_get_worker_index(envoy_filter)),
      scheduler_(Scheduler::kFilter, envoy_filter),
      filter_(envoy_filter) {}

// One commit serves all that is queued until the hook runs.
void DownstreamConnection::Schedule(std::unique_lock<std::mutex> lock) {
  if (std::exchange(scheduled_, true)) return;
  lock.unlock();
  scheduler_.Commit(0);
}

GoStatus DownstreamConnection::Write(std::string_view data, bool end_stream) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr || closing_) return kFilterIsGone;
  if (data.empty() && !end_stream) return kOk;
  if (OnWorker() && out_.empty() && !out_end_) {
    // Envoy only buffers here. Of our hooks it calls OnWrite, which lets the plugin's own bytes
    // pass unseen, and OnWatermark: neither enters the plugin.
    void* const filter = filter_;
    lock.unlock();
    envoy_dynamic_module_callback_network_filter_write(filter, ToBuffer(data), end_stream);
    return kOk;
  }
  out_.append(data);
  out_end_ |= end_stream;
  const bool full = !queue_full_ && out_.size() > kQueueHigh;
  if (full) {
    queue_full_ = true;
    UpdateFull();
  }
  Schedule(std::move(lock));
  if (full) UpdateUpstreams();
  return kOk;
}

GoStatus DownstreamConnection::Close(int type) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return kFilterIsGone;
  closing_ = true;
  // All of them, in order: a second close may be meant to cut short the flush of the first.
  closes_.push_back(type);
  Schedule(std::move(lock));
  return kOk;
}

GoStatus DownstreamConnection::SetFilterState(std::string_view key, std::string_view value) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return kFilterIsDestroy;
  StateCall call{std::string(key), std::string(value)};
  if (OnWorker()) {
    void* const filter = filter_;
    lock.unlock();
    RunStateCall(filter, call);
    return kOk;
  }
  state_calls_.push_back(std::move(call));
  Schedule(std::move(lock));
  return kOk;
}

GoStatus DownstreamConnection::GetFilterState(std::string_view key, DownstreamWrapper* wrapper,
                                              GoString* out) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return kFilterIsDestroy;
  StateCall call{std::string(key), "", wrapper, out};
  if (OnWorker()) {
    void* const filter = filter_;
    lock.unlock();
    RunStateCall(filter, call);
    return kOk;
  }
  state_calls_.push_back(std::move(call));
  Schedule(std::move(lock));
  return kYield;
}

void DownstreamConnection::RunStateCall(void* filter, const StateCall& call) {
  if (call.out == nullptr) {
    envoy_dynamic_module_callback_network_set_filter_state_bytes(filter, ToBuffer(call.key),
                                                                 ToBuffer(call.value));
    return;
  }
  EnvoyBuffer value{};
  if (envoy_dynamic_module_callback_network_get_filter_state_bytes(filter, ToBuffer(call.key),
                                                                   &value)) {
    call.wrapper->text = ToView(value);
    *call.out = {call.wrapper->text.data(), static_cast<ptrdiff_t>(call.wrapper->text.size())};
  }
}

void DownstreamConnection::AddUpstream(const std::shared_ptr<UpstreamConnection>& upstream) {
  const std::lock_guard<std::mutex> lock(mu_);
  upstreams_.erase(std::remove_if(upstreams_.begin(), upstreams_.end(),
                                  [](const auto& weak) { return weak.expired(); }),
                   upstreams_.end());
  upstreams_.push_back(upstream);
}

void DownstreamConnection::OnUpstreamFull(int change) {
  std::unique_lock<std::mutex> lock(mu_);
  full_upstreams_ += change;
  if (filter_ == nullptr) return;
  if (OnWorker()) {
    lock.unlock();
    UpdateReading();
    return;
  }
  Schedule(std::move(lock));
}

// Brings what Envoy was told in line with what is wanted. Callers race, the last one finds the last
// state.
void DownstreamConnection::UpdateReading() {
  void* filter;
  bool disable;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    disable = full_upstreams_ > 0 || above_watermark_;
    if (filter_ == nullptr || disable == read_disabled_) return;
    read_disabled_ = disable;
    filter = filter_;
  }
  envoy_dynamic_module_callback_network_filter_read_disable(filter, disable);
}

void DownstreamConnection::UpdateFull() {
  const bool full = filter_ != nullptr && (above_watermark_ || queue_full_);
  if (full_.exchange(full, std::memory_order_acq_rel) == full) return;
  drained_ = !full && filter_ != nullptr;
}

void DownstreamConnection::UpdateUpstreams() {
  std::vector<std::shared_ptr<UpstreamConnection>> upstreams;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (const auto& weak : upstreams_) {
      if (auto upstream = weak.lock()) upstreams.push_back(std::move(upstream));
    }
  }
  for (const auto& upstream : upstreams) upstream->UpdateReading();
}

void DownstreamConnection::OnWatermark(bool above) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return;
  above_watermark_ = above;
  UpdateFull();
  if (above) {
    lock.unlock();
    UpdateReading();
  } else {
    // Envoy is in the middle of a write, and the plugin has more to write.
    Schedule(std::move(lock));
  }
  UpdateUpstreams();
}

bool DownstreamConnection::GiveToRead(std::shared_ptr<UpstreamConnection> upstream) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return false;
  readable_.push_back(std::move(upstream));
  Schedule(std::move(lock));
  return true;
}

void DownstreamConnection::OnScheduled() {
  std::string out = std::move(spare_);
  out.clear();
  std::vector<int> closes;
  std::vector<StateCall> calls;
  std::vector<std::shared_ptr<UpstreamConnection>> readable;
  bool end;
  bool was_full;
  bool drained;
  void* filter;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    scheduled_ = false;
    if (filter_ == nullptr) return;
    filter = filter_;
    out.swap(out_);
    end = std::exchange(out_end_, false);
    closes.swap(closes_);
    calls.swap(state_calls_);
    readable.swap(readable_);
    was_full = std::exchange(queue_full_, false);
  }
  if (!out.empty() || end) {
    envoy_dynamic_module_callback_network_filter_write(filter, ToBuffer(out), end);
  }
  if (out.capacity() <= kSpareSize) spare_ = std::move(out);
  if (was_full) {
    // Envoy has the bytes now; above its own watermark it has said so meanwhile.
    {
      const std::lock_guard<std::mutex> lock(mu_);
      UpdateFull();
    }
    UpdateUpstreams();
  }
  {
    const std::lock_guard<std::mutex> lock(mu_);
    drained = std::exchange(drained_, false) && filter_ != nullptr && receiver_ != 0;
  }
  // First what waits in the plugin, which may make the client full again.
  if (drained) GetPlugin().terminal_drained(receiver_);
  UpdateReading();
  for (const StateCall& call : calls) {
    RunStateCall(filter, call);
    if (call.out != nullptr) GetPlugin().on_sema_dec(call.wrapper);
  }
  for (auto& upstream : readable) {
    if (upstream->ReadOnWorker() && !GiveToRead(upstream)) upstream->LeaveWorker();
  }
  for (const int type : closes) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (filter_ == nullptr) return;
    }
    envoy_dynamic_module_callback_network_filter_close_with_details(filter, ToEnvoyCloseType(type),
                                                                    ToBuffer(kCloseDetails));
  }
}

void DownstreamConnection::OnClosed() {
  std::vector<StateCall> calls;
  std::vector<std::shared_ptr<UpstreamConnection>> readable;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (filter_ == nullptr) return;
    filter_ = nullptr;
    readable.swap(readable_);
    out_ = std::string();
    closes_.clear();
    calls.swap(state_calls_);
    // Upstreams that waited for this connection must reach their own end.
    UpdateFull();
  }
  scheduler_.Detach();
  for (const auto& upstream : readable) upstream->LeaveWorker();
  UpdateUpstreams();
  // Who waits for filter state waits for ever otherwise; the plugin still knows the wrapper.
  for (const StateCall& call : calls) {
    if (call.out != nullptr) GetPlugin().on_sema_dec(call.wrapper);
  }
}

}  // namespace rocketmq_proxy
