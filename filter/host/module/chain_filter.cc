// SPDX-License-Identifier: Apache-2.0
#include "chain_filter.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "address.h"
#include "event_loop.h"
#include "filter_config.h"
#include "flow_control.h"
#include "scheduler.h"

namespace rocketmq_proxy {
namespace {

// What tcp_proxy and its ORIGINAL_DST cluster read the destination from.
constexpr std::string_view kDestinationKey = "envoy.network.transport_socket.original_dst_address";
constexpr std::string_view kCloseDetails = "rocketmq_proxy_close";
// Envoy has no hook for "tcp_proxy is connected".
constexpr std::chrono::milliseconds kRetryInterval(5);
constexpr size_t kKeepCapacity = 16 << 10;

void Reset(std::string* text) {
  text->clear();
  if (text->capacity() > kKeepCapacity) text->shrink_to_fit();
}

}  // namespace

// What the plugin knows the connection and its upstream by. Any thread may schedule events through
// it; all else is the worker's, inside a call of the plugin. It lives until the session has ended,
// which may be after the filter.
class ChainFilter::Handle final : public Downstream {
 public:
  Handle(ChainFilter* filter, void* envoy_filter)
      : filter_(filter), scheduler_(Scheduler::kFilter, envoy_filter) {}

  void Write(std::string_view data) override {
    if (InCall()) filter_->to_downstream_.append(data);
  }
  bool Full() override { return InCall() && filter_->Full(); }
  void Close(CloseMode mode) override {
    if (InCall()) filter_->close_ = std::max(filter_->close_, mode);
  }
  void Wake() override {
    if (!woken_.exchange(true)) scheduler_.Commit(kWakeEvent);
  }
  Upstream* Connect(uint64_t upstream, std::string_view address) override {
    return InCall() && filter_->Connect(upstream, address) ? &upstream_ : nullptr;
  }

  void Schedule(Event event) { scheduler_.Commit(event); }
  void OnWoken() { woken_ = false; }
  void Detach() {
    filter_ = nullptr;
    scheduler_.Detach();
  }

 private:
  class TcpProxy : public Upstream {
   public:
    explicit TcpProxy(Handle* handle) : handle_(handle) {}
    size_t Write(std::string_view data) override {
      if (handle_->InCall()) handle_->filter_->to_upstream_.append(data);
      return 0;
    }
    void Close() override {}  // It closes with the client's connection.

   private:
    Handle* const handle_;
  };

  bool InCall() const { return filter_ != nullptr && filter_->call_ != Call::kNone; }

  ChainFilter* filter_;  // null once the connection is closed
  Scheduler scheduler_;
  std::atomic<bool> woken_{false};
  TcpProxy upstream_{this};
};

// A call of the plugin.
class ChainFilter::Scope {
 public:
  Scope(ChainFilter* filter, Call call) : filter_(filter) { filter_->call_ = call; }
  ~Scope() { filter_->call_ = Call::kNone; }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  ChainFilter* const filter_;
};

ChainFilter::ChainFilter(const FilterConfig& config, void* envoy_filter)
    : config_(config),
      envoy_(envoy_filter),
      handle_(std::make_shared<Handle>(this, envoy_filter)) {}

ChainFilter::~ChainFilter() { Closed(kLocalClose); }

bool ChainFilter::Connect(uint64_t upstream, std::string_view address) {
  if ((call_ != Call::kOpen && call_ != Call::kWake) || next_ != Next::kWaits) return false;
  if (!address.empty() && !envoy_dynamic_module_callback_network_set_filter_state_typed(
                              envoy_, ToBuffer(kDestinationKey), ToBuffer(address))) {
    return false;
  }
  upstream_ = upstream;
  next_ = Next::kReleased;
  return true;
}

FilterStatus ChainFilter::OnNewConnection() {
  config_.stats().ApplyOnWorker(envoy_);
  const std::string local = LocalAddress(envoy_);
  const std::string remote = RemoteAddress(envoy_);
  {
    const Scope scope(this, Call::kOpen);
    session_ = config_.plugin().open(config_.handle(), static_cast<Downstream*>(handle_.get()),
                                     ToSlice(local), ToSlice(remote));
  }
  if (session_ == 0) {
    close_ = CloseMode::kAbort;
    CloseNow();
    return FilterStatus::kStopIteration;
  }
  SendDownstream();
  if (close_ != CloseMode::kNone) {
    CloseSoon();
    return FilterStatus::kStopIteration;
  }
  if (!alive()) return FilterStatus::kStopIteration;
  if (next_ == Next::kReleased) next_ = Next::kRuns;
  SendUpstream();
  return next_ == Next::kRuns ? FilterStatus::kContinue : FilterStatus::kStopIteration;
}

FilterStatus ChainFilter::DropRead(size_t size) {
  if (size > 0) envoy_dynamic_module_callback_network_filter_drain_read_buffer(envoy_, size);
  return FilterStatus::kStopIteration;
}

FilterStatus ChainFilter::OnRead(size_t size, bool end_stream) {
  config_.stats().ApplyOnWorker(envoy_);
  if (!alive() || closing_ != Closing::kNo) return DropRead(size);
  if (!early_upstream_bytes_.empty()) {
    // The plugin wrote it before these bytes came.
    envoy_dynamic_module_callback_network_filter_prepend_read_buffer(
        envoy_, ToBuffer(early_upstream_bytes_));
    size += early_upstream_bytes_.size();
    seen_by_plugin_ += early_upstream_bytes_.size();
    Reset(&early_upstream_bytes_);
  }
  const size_t skip = std::min(std::exchange(seen_by_plugin_, 0), size);
  int verdict = ROCKETMQ_PROXY_PASS;
  Chunks chunks(envoy_, Chunks::kReadBuffer);
  std::string before;  // only while tcp_proxy waits, or after `early_upstream_bytes_`
  if (skip > 0) {
    before = chunks.Front(skip);
    chunks.Skip(skip);
  }
  if (size > skip || end_stream) {
    const Scope scope(this, Call::kData);
    verdict = config_.plugin().data(session_, chunks.slices(), static_cast<int>(chunks.count()),
                                    end_stream ? 1 : 0);
  }
  if (verdict != ROCKETMQ_PROXY_PASS) {
    // Envoy can only drain from the front.
    if (size > 0) envoy_dynamic_module_callback_network_filter_drain_read_buffer(envoy_, size);
    if (!before.empty()) {
      envoy_dynamic_module_callback_network_filter_append_read_buffer(envoy_, ToBuffer(before));
    }
  }
  if (!to_upstream_.empty()) {
    envoy_dynamic_module_callback_network_filter_append_read_buffer(envoy_, ToBuffer(to_upstream_));
    Reset(&to_upstream_);
  }
  if (next_ != Next::kRuns)
    seen_by_plugin_ = envoy_dynamic_module_callback_network_filter_get_read_buffer_size(envoy_);
  if (!to_downstream_.empty()) SendDownstream();
  if (close_ != CloseMode::kNone) CloseSoon();
  if (!alive() || next_ != Next::kRuns) return FilterStatus::kStopIteration;
  // With an emptied buffer Envoy runs no further filter, unless the stream ends here: then they are
  // told of the end.
  return FilterStatus::kContinue;
}

FilterStatus ChainFilter::OnWrite(size_t size, bool) {
  if (own_write_) return FilterStatus::kContinue;
  config_.stats().ApplyOnWorker(envoy_);
  if (!alive() || closing_ != Closing::kNo) {
    if (size > 0) envoy_dynamic_module_callback_network_filter_drain_write_buffer(envoy_, size);
    return FilterStatus::kContinue;
  }
  int verdict = ROCKETMQ_PROXY_PASS;
  if (size > 0 && upstream_ != 0) {
    const Chunks chunks(envoy_, Chunks::kWriteBuffer);
    const Scope scope(this, Call::kData);
    verdict = config_.plugin().upstream_data(upstream_, chunks.slices(),
                                             static_cast<int>(chunks.count()));
  }
  if (verdict != ROCKETMQ_PROXY_PASS) {
    envoy_dynamic_module_callback_network_filter_drain_write_buffer(envoy_, size);
  }
  if (!to_downstream_.empty()) {
    envoy_dynamic_module_callback_network_filter_append_write_buffer(envoy_,
                                                                     ToBuffer(to_downstream_));
    Reset(&to_downstream_);
    NotifyDrained();
  }
  // Not here: a close inside on_write would lose the bytes that are just being written.
  if (close_ != CloseMode::kNone) CloseSoon();
  if (!to_upstream_.empty()) SendUpstream();
  return FilterStatus::kContinue;
}

void ChainFilter::OnScheduled(uint64_t event_id) {
  config_.stats().ApplyOnWorker(envoy_);
  if (event_id == kWakeEvent) handle_->OnWoken();
  if (closing_ != Closing::kNo && alive()) CloseNow();
  if (!alive()) return;
  if (event_id == kHousekeepingEvent) {
    retrying_ = false;
    if (closing_ == Closing::kNo) SendUpstream();
    return;
  }
  if (event_id == kDrainedEvent) {
    if (above_watermark_) return;  // again
    full_told_ = false;
  }
  {
    const Scope scope(this, Call::kWake);
    if (event_id == kDrainedEvent) {
      config_.plugin().drained(session_);
    } else {
      config_.plugin().wake(session_);
    }
  }
  if (closing_ != Closing::kNo) {
    if (close_ == CloseMode::kAbort) CloseNow();
    return;
  }
  SendDownstream();
  if (next_ == Next::kReleased && alive()) {
    next_ = Next::kRuns;
    seen_by_plugin_ = 0;
    // Runs tcp_proxy, which may close the connection at once, with what the buffer holds.
    envoy_dynamic_module_callback_network_filter_continue_reading(envoy_);
  }
  if (alive()) SendUpstream();
  if (alive() && close_ != CloseMode::kNone) return CloseNow();
  if (alive()) UpdateReading();
}

void ChainFilter::OnWriteBufferWatermark(bool above) {
  above_watermark_ = above;
  if (!alive()) return;
  if (above) {
    UpdateReading();
  } else {
    // Envoy is in the middle of a write, and the plugin has more to write.
    handle_->Schedule(kDrainedEvent);
  }
}

bool ChainFilter::Full() {
  full_told_ = above_watermark_ || to_downstream_.size() > kQueueHigh;
  return full_told_;
}

// Brings what Envoy was told in line with what is wanted.
void ChainFilter::UpdateReading() {
  if (above_watermark_ == read_disabled_) return;
  read_disabled_ = above_watermark_;
  envoy_dynamic_module_callback_network_filter_read_disable(envoy_, read_disabled_);
}

// Envoy has taken what was too much to queue here.
void ChainFilter::NotifyDrained() {
  if (full_told_ && !above_watermark_ && alive()) handle_->Schedule(kDrainedEvent);
}

void ChainFilter::SendDownstream() {
  if (to_downstream_.empty() || !alive()) return;
  own_write_ = true;
  envoy_dynamic_module_callback_network_filter_write(envoy_, ToBuffer(to_downstream_), false);
  own_write_ = false;
  Reset(&to_downstream_);
  NotifyDrained();
}

bool ChainFilter::UpstreamTakes() const {
  if (next_ != Next::kRuns) return false;
  // Without early data tcp_proxy keeps the connection unread until its upstream is there, and would
  // lose bytes that are injected before. With early data it reads from the start.
  return envoy_dynamic_module_callback_network_filter_has_upstream_host(envoy_) ||
         envoy_dynamic_module_callback_network_filter_read_enabled(envoy_);
}

// Bytes for the upstream that are not part of a read.
void ChainFilter::SendUpstream() {
  if (to_upstream_.empty() && early_upstream_bytes_.empty()) return;
  if (UpstreamTakes()) {
    std::string bytes = std::exchange(early_upstream_bytes_, std::string());
    bytes.append(to_upstream_);
    Reset(&to_upstream_);
    envoy_dynamic_module_callback_network_filter_inject_read_data(envoy_, ToBuffer(bytes), false);
    return;
  }
  if (next_ != Next::kRuns && early_upstream_bytes_.empty() &&
      envoy_dynamic_module_callback_network_filter_append_read_buffer(envoy_,
                                                                      ToBuffer(to_upstream_))) {
    seen_by_plugin_ = envoy_dynamic_module_callback_network_filter_get_read_buffer_size(envoy_);
    Reset(&to_upstream_);
    return;  // Goes on with the rest of the buffer.
  }
  early_upstream_bytes_.append(to_upstream_);
  Reset(&to_upstream_);
  if (next_ != Next::kRuns || std::exchange(retrying_, true)) return;
  EventLoop::ForKey(envoy_dynamic_module_callback_network_filter_get_worker_index(envoy_))
      .RunAfter(kRetryInterval, [weak = std::weak_ptr<Handle>(handle_)] {
        if (const auto handle = weak.lock()) handle->Schedule(kHousekeepingEvent);
      });
}

void ChainFilter::CloseNow() {
  // A second close cuts the flush of the first short.
  if (std::exchange(closing_, Closing::kCalled) == Closing::kCalled &&
      close_ != CloseMode::kAbort) {
    return;
  }
  envoy_dynamic_module_callback_network_filter_close_with_details(envoy_, ToEnvoyCloseType(close_),
                                                                  ToBuffer(kCloseDetails));
}

// From the loop of the worker: whatever this hook lets go on gets to go on.
void ChainFilter::CloseSoon() {
  if (closing_ == Closing::kNo) closing_ = Closing::kScheduled;
  handle_->Schedule(kHousekeepingEvent);
}

void ChainFilter::OnEvent(int event) {
  if (!IsClose(event)) return;
  config_.stats().ApplyOnWorker(envoy_);
  Closed(event);
}

void ChainFilter::Closed(int event) {
  handle_->Detach();
  const uint64_t session = std::exchange(session_, 0);
  if (session == 0) return;
  // The plugin may use the handle until it has returned.
  const auto end = [&plugin = config_.plugin(), handle = handle_, session, event] {
    plugin.close(session, event);
  };
  if (Scheduler::InsideCommit()) {
    // We are inside a call that the plugin makes, perhaps under a lock of its own.
    EventLoop::ForKey(0).Post(end);
  } else {
    end();
  }
}

}  // namespace rocketmq_proxy
