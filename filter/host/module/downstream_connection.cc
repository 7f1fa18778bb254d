// SPDX-License-Identifier: Apache-2.0
#include "downstream_connection.h"

#include <algorithm>
#include <utility>

#include "address.h"
#include "envoy.h"
#include "event_loop.h"
#include "flow_control.h"
#include "upstream_connection.h"

namespace rocketmq_proxy {
namespace {

// Kept for the next batch; an idle connection must not cost more than this.
constexpr size_t kSpareSize = 16 << 10;
constexpr char kCloseDetails[] = "rocketmq_proxy_downstream_close";

}  // namespace

DownstreamConnection::DownstreamConnection(const Plugin& plugin, void* envoy_filter)
    : plugin_(plugin),
      worker_(std::this_thread::get_id()),
      worker_index_(envoy_dynamic_module_callback_network_filter_get_worker_index(envoy_filter)),
      scheduler_(Scheduler::kFilter, envoy_filter),
      filter_(envoy_filter) {}

void DownstreamConnection::Open(uint64_t config) {
  const std::string local = LocalAddress(filter_);
  const std::string remote = RemoteAddress(filter_);
  const uint64_t session =
      plugin_.open(config, static_cast<Downstream*>(this), ToSlice(local), ToSlice(remote));
  if (session == 0) return Close(CloseMode::kAbort);
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (filter_ != nullptr) {
      session_ = session;
      return;
    }
  }
  EndSession(session, kLocalClose);  // Closed by another filter inside.
}

// One commit serves all that is queued until the hook runs.
void DownstreamConnection::Schedule(std::unique_lock<std::mutex> lock) {
  if (std::exchange(scheduled_, true)) return;
  lock.unlock();
  scheduler_.Commit(0);
}

void DownstreamConnection::Write(std::string_view data) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr || close_ != CloseMode::kNone || data.empty()) return;
  if (OnWorker() && out_.empty()) {
    // Envoy only buffers here. Of our hooks it calls OnWrite, which lets our own bytes pass,
    // OnWatermark, and OnEvent if a filter in front closes the connection: none enters the plugin.
    void* const filter = filter_;
    lock.unlock();
    in_direct_write_ = true;
    envoy_dynamic_module_callback_network_filter_write(filter, ToBuffer(data), false);
    in_direct_write_ = false;
    return;
  }
  out_.append(data);
  const bool full = !queue_full_ && out_.size() > kQueueHigh;
  if (full) {
    queue_full_ = true;
    UpdateFull();
  }
  Schedule(std::move(lock));
  if (full) UpdateUpstreams();
}

void DownstreamConnection::Close(CloseMode mode) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return;
  close_ = std::max(close_, mode);
  Schedule(std::move(lock));
}

void DownstreamConnection::Wake() {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return;
  wake_ = true;
  Schedule(std::move(lock));
}

Upstream* DownstreamConnection::Connect(uint64_t upstream, std::string_view address) {
  const auto connection = std::make_shared<UpstreamConnection>(
      plugin_, upstream, std::string(address), shared_from_this());
  {
    const std::lock_guard<std::mutex> lock(mu_);
    upstreams_.erase(std::remove_if(upstreams_.begin(), upstreams_.end(),
                                    [](const auto& weak) { return weak.expired(); }),
                     upstreams_.end());
    upstreams_.push_back(connection);
  }
  connection->Start();
  return connection.get();
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

std::vector<std::shared_ptr<UpstreamConnection>> DownstreamConnection::LiveUpstreams() {
  std::vector<std::shared_ptr<UpstreamConnection>> live;
  const std::lock_guard<std::mutex> lock(mu_);
  for (const auto& weak : upstreams_) {
    if (auto upstream = weak.lock()) live.push_back(std::move(upstream));
  }
  return live;
}

void DownstreamConnection::UpdateUpstreams() {
  for (const auto& upstream : LiveUpstreams()) upstream->UpdateReading();
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

bool DownstreamConnection::HandToWorker(std::shared_ptr<UpstreamConnection> upstream) {
  std::unique_lock<std::mutex> lock(mu_);
  if (filter_ == nullptr) return false;
  readable_.push_back(std::move(upstream));
  Schedule(std::move(lock));
  return true;
}

void DownstreamConnection::OnScheduled() {
  std::string out = std::move(spare_);
  out.clear();
  std::vector<std::shared_ptr<UpstreamConnection>> readable;
  CloseMode close;
  bool wake;
  bool was_full;
  bool drained;
  void* filter;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    scheduled_ = false;
    if (filter_ == nullptr) return;
    filter = filter_;
    out.swap(out_);
    close = close_;
    readable.swap(readable_);
    wake = std::exchange(wake_, false);
    was_full = std::exchange(queue_full_, false);
  }
  if (!out.empty()) {
    envoy_dynamic_module_callback_network_filter_write(filter, ToBuffer(out), false);
  }
  if (out.capacity() <= kSpareSize) spare_ = std::move(out);
  if (was_full) {
    // Envoy has the bytes now; if it is above its own watermark it has said so meanwhile.
    {
      const std::lock_guard<std::mutex> lock(mu_);
      UpdateFull();
    }
    UpdateUpstreams();
  }
  {
    const std::lock_guard<std::mutex> lock(mu_);
    drained = std::exchange(drained_, false);
  }
  // First what waits in the plugin, which may make the client full again.
  if (drained && session_ != 0) plugin_.drained(session_);
  if (wake && session_ != 0) plugin_.wake(session_);
  UpdateReading();
  for (auto& upstream : readable) {
    if (upstream->ReadOnWorker() && !HandToWorker(upstream)) upstream->ReturnToLoop();
  }
  if (close <= closed_) return;
  closed_ = close;
  envoy_dynamic_module_callback_network_filter_close_with_details(filter, ToEnvoyCloseType(close),
                                                                  ToBuffer(kCloseDetails));
}

void DownstreamConnection::OnClosed(int event) {
  std::vector<std::shared_ptr<UpstreamConnection>> readable;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (filter_ == nullptr) return;
    filter_ = nullptr;
    readable.swap(readable_);
    out_ = std::string();
    UpdateFull();
  }
  scheduler_.Detach();
  for (const auto& upstream : readable) upstream->ReturnToLoop();
  const uint64_t session = std::exchange(session_, 0);
  if (!Scheduler::InsideCommit() && !in_direct_write_) return EndSession(session, event);
  // We are inside a call that the plugin makes, perhaps under a lock of its own.
  auto self = shared_from_this();
  EventLoop::ForKey(worker_index_).Post([self, session, event] {
    self->EndSession(session, event);
  });
}

void DownstreamConnection::EndSession(uint64_t session, int event) {
  if (session != 0) plugin_.close(session, event);
  for (const auto& upstream : LiveUpstreams()) upstream->Close();
}

}  // namespace rocketmq_proxy
