// SPDX-License-Identifier: Apache-2.0
#include "chain_filter.h"

#include <chrono>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "address.h"
#include "event_loop.h"
#include "filter_config.h"
#include "flow_control.h"
#include "plugin.h"

namespace rocketmq_proxy {
namespace {

// What tcp_proxy and its ORIGINAL_DST cluster read the destination from.
constexpr std::string_view kDestinationKey = "envoy.network.transport_socket.original_dst_address";
constexpr std::string_view kCloseDetails = "rocketmq_proxy_close";
// Envoy has no hook for "tcp_proxy is connected".
constexpr std::chrono::milliseconds kRetryInterval(5);
constexpr size_t kKeepCapacity = 16 << 10;

static_assert(sizeof(rocketmq_proxy_slice) == sizeof(EnvoyBuffer) &&
                  offsetof(rocketmq_proxy_slice, size) == offsetof(EnvoyBuffer, length),
              "Envoy's array of chunks is handed to the plugin as it is");

thread_local ChainFilter* t_in_call = nullptr;

std::atomic<uint64_t> g_next_id{1};

rocketmq_proxy_slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }

void Reset(std::string* text) {
  text->clear();
  if (text->capacity() > kKeepCapacity) text->shrink_to_fit();
}

}  // namespace

struct ChainFilter::Wakers {
  std::mutex mu;
  std::unordered_map<uint64_t, std::shared_ptr<Waker>> by_id;
};

ChainFilter::Wakers& ChainFilter::AllWakers() {
  static Wakers* const wakers = new Wakers;  // Leaked: Go's threads outlive main().
  return *wakers;
}

// A call of the plugin: makes the filter known to the functions of the host.
class ChainFilter::Scope {
 public:
  Scope(ChainFilter* filter, Call call)
      : filter_(filter), outer_(std::exchange(t_in_call, filter)) {
    filter_->call_ = call;
  }
  ~Scope() {
    filter_->call_ = Call::kNone;
    t_in_call = outer_;
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  ChainFilter* const filter_;
  ChainFilter* const outer_;
};

ChainFilter* ChainFilter::InCall(uint64_t connection) {
  return t_in_call != nullptr && t_in_call->connection() == connection ? t_in_call : nullptr;
}

void ChainFilter::Wake(uint64_t connection) {
  std::shared_ptr<Waker> waker;
  {
    Wakers& wakers = AllWakers();
    const std::lock_guard<std::mutex> lock(wakers.mu);
    const auto found = wakers.by_id.find(connection);
    if (found == wakers.by_id.end()) return;
    waker = found->second;
  }
  if (!waker->pending.exchange(true)) waker->scheduler.Commit(kWakeEvent);
}

ChainFilter::ChainFilter(const FilterConfig& config, void* envoy_filter)
    : config_(config),
      envoy_(envoy_filter),
      id_(g_next_id.fetch_add(1, std::memory_order_relaxed)),
      waker_(std::make_shared<Waker>(envoy_filter)) {
  Wakers& wakers = AllWakers();
  const std::lock_guard<std::mutex> lock(wakers.mu);
  wakers.by_id[id_] = waker_;
}

ChainFilter::~ChainFilter() { Closed(kLocalClose); }

bool ChainFilter::Connect(std::string_view address) {
  if ((call_ != Call::kOpen && call_ != Call::kWake) || connect_called_) return false;
  if (!address.empty() && !envoy_dynamic_module_callback_network_set_filter_state_typed(
                              envoy_, ToBuffer(kDestinationKey), ToBuffer(address))) {
    return false;
  }
  connect_called_ = true;
  return true;
}

FilterStatus ChainFilter::OnNewConnection() {
  config_.metrics().ApplyOnWorker(envoy_);
  const std::string local = LocalAddress(envoy_);
  const std::string remote = RemoteAddress(envoy_);
  {
    const Scope scope(this, Call::kOpen);
    session_ =
        GetPlugin().chain_open(config_.handle(), connection(), ToSlice(local), ToSlice(remote));
  }
  if (session_ == 0) {
    closing_ = true;
    envoy_dynamic_module_callback_network_filter_close_with_details(
        envoy_, ToEnvoyCloseType(kNoFlush), ToBuffer(kCloseDetails));
    return FilterStatus::kStopIteration;
  }
  SendDownstream();
  if (close_wanted_ || abort_wanted_) {
    CloseSoon();
    return FilterStatus::kStopIteration;
  }
  if (!alive()) return FilterStatus::kStopIteration;
  started_ = connect_called_;
  SendUpstream();
  return started_ ? FilterStatus::kContinue : FilterStatus::kStopIteration;
}

FilterStatus ChainFilter::DropRead(size_t size) {
  if (size > 0) envoy_dynamic_module_callback_network_filter_drain_read_buffer(envoy_, size);
  return FilterStatus::kStopIteration;
}

FilterStatus ChainFilter::OnRead(size_t size, bool end_stream) {
  config_.metrics().ApplyOnWorker(envoy_);
  if (!alive() || closing_) return DropRead(size);
  if (!early_.empty()) {
    // The plugin wrote it before these bytes came.
    envoy_dynamic_module_callback_network_filter_prepend_read_buffer(envoy_, ToBuffer(early_));
    size += early_.size();
    seen_ += early_.size();
    Reset(&early_);
  }
  const size_t skip = std::min(std::exchange(seen_, 0), size);
  int verdict = ROCKETMQ_PROXY_PASS;
  Chunks chunks(envoy_, Chunks::kReadBuffer);
  std::string before;  // only while tcp_proxy waits, or after `early_`
  if (skip > 0) {
    before = chunks.Front(skip);
    chunks.Skip(skip);
  }
  if (size > skip || end_stream) {
    const Scope scope(this, Call::kData);
    verdict = GetPlugin().chain_data(session_, ROCKETMQ_PROXY_DOWNSTREAM,
                                     reinterpret_cast<const rocketmq_proxy_slice*>(chunks.data()),
                                     static_cast<int>(chunks.count()), end_stream ? 1 : 0);
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
  if (!started_) seen_ = envoy_dynamic_module_callback_network_filter_get_read_buffer_size(envoy_);
  if (!to_downstream_.empty()) SendDownstream();
  if (close_wanted_ || abort_wanted_) CloseSoon();
  if (!alive() || !started_) return FilterStatus::kStopIteration;
  // With an emptied buffer Envoy runs no further filter, unless the stream ends here: then they are
  // told of the end.
  return FilterStatus::kContinue;
}

FilterStatus ChainFilter::OnWrite(size_t size, bool end_stream) {
  if (own_write_) return FilterStatus::kContinue;
  config_.metrics().ApplyOnWorker(envoy_);
  if (!alive() || closing_) {
    if (size > 0) envoy_dynamic_module_callback_network_filter_drain_write_buffer(envoy_, size);
    return FilterStatus::kContinue;
  }
  int verdict;
  {
    Chunks chunks(envoy_, Chunks::kWriteBuffer);
    const Scope scope(this, Call::kData);
    verdict = GetPlugin().chain_data(session_, ROCKETMQ_PROXY_UPSTREAM,
                                     reinterpret_cast<const rocketmq_proxy_slice*>(chunks.data()),
                                     static_cast<int>(chunks.count()), end_stream ? 1 : 0);
  }
  if (verdict != ROCKETMQ_PROXY_PASS && size > 0) {
    envoy_dynamic_module_callback_network_filter_drain_write_buffer(envoy_, size);
  }
  if (!to_downstream_.empty()) {
    envoy_dynamic_module_callback_network_filter_append_write_buffer(envoy_,
                                                                     ToBuffer(to_downstream_));
    Reset(&to_downstream_);
    TellDrained();
  }
  // Not here: a close inside on_write would lose the bytes that are just being written.
  if (close_wanted_ || abort_wanted_) CloseSoon();
  if (!to_upstream_.empty()) SendUpstream();
  return FilterStatus::kContinue;
}

void ChainFilter::OnScheduled(uint64_t event_id) {
  config_.metrics().ApplyOnWorker(envoy_);
  if (event_id == kWakeEvent) waker_->pending.store(false);
  if (closing_ && alive()) CloseNow();
  if (!alive()) return;
  if (event_id == kHousekeepingEvent) {
    retrying_ = false;
    if (!closing_) SendUpstream();
    return;
  }
  if (event_id == kDrainedEvent) {
    if (above_watermark_) return;  // again
    full_told_ = false;
  }
  {
    const Scope scope(this, Call::kWake);
    if (event_id == kDrainedEvent) {
      GetPlugin().chain_drained(session_);
    } else {
      GetPlugin().chain_wake(session_);
    }
  }
  if (closing_) {
    if (abort_wanted_) CloseNow();
    return;
  }
  SendDownstream();
  if (connect_called_ && !started_ && alive()) {
    started_ = true;
    seen_ = 0;
    // Runs tcp_proxy, which may close the connection at once, with what the buffer holds.
    envoy_dynamic_module_callback_network_filter_continue_reading(envoy_);
  }
  if (alive()) SendUpstream();
  if (alive() && (close_wanted_ || abort_wanted_)) return CloseNow();
  if (alive()) UpdateReading();
}

void ChainFilter::OnWriteBufferWatermark(bool above) {
  above_watermark_ = above;
  if (!alive()) return;
  if (above) {
    UpdateReading();
  } else {
    // Envoy is in the middle of a write, and the plugin has more to write.
    waker_->scheduler.Commit(kDrainedEvent);
  }
}

bool ChainFilter::DownstreamFull() {
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
void ChainFilter::TellDrained() {
  if (full_told_ && !above_watermark_ && alive()) waker_->scheduler.Commit(kDrainedEvent);
}

void ChainFilter::SendDownstream() {
  if (to_downstream_.empty() || !alive()) return;
  own_write_ = true;
  envoy_dynamic_module_callback_network_filter_write(envoy_, ToBuffer(to_downstream_), false);
  own_write_ = false;
  Reset(&to_downstream_);
  TellDrained();
}

bool ChainFilter::UpstreamTakes() const {
  if (!started_) return false;
  // Without early data tcp_proxy keeps the connection unread until its upstream is there, and would
  // lose bytes that are injected before. With early data it reads from the start.
  return envoy_dynamic_module_callback_network_filter_has_upstream_host(envoy_) ||
         envoy_dynamic_module_callback_network_filter_read_enabled(envoy_);
}

// Bytes for the upstream that are not part of a read.
void ChainFilter::SendUpstream() {
  if (to_upstream_.empty() && early_.empty()) return;
  if (UpstreamTakes()) {
    std::string bytes = std::exchange(early_, std::string());
    bytes.append(to_upstream_);
    Reset(&to_upstream_);
    envoy_dynamic_module_callback_network_filter_inject_read_data(envoy_, ToBuffer(bytes), false);
    return;
  }
  if (!started_ && early_.empty() &&
      envoy_dynamic_module_callback_network_filter_append_read_buffer(envoy_,
                                                                      ToBuffer(to_upstream_))) {
    seen_ = envoy_dynamic_module_callback_network_filter_get_read_buffer_size(envoy_);
    Reset(&to_upstream_);
    return;  // Goes on with the rest of the buffer.
  }
  early_.append(to_upstream_);
  Reset(&to_upstream_);
  if (!started_ || std::exchange(retrying_, true)) return;
  const std::weak_ptr<Waker> weak = waker_;
  EventLoop::ForKey(id_).RunAfter(kRetryInterval, [weak] {
    if (const auto waker = weak.lock()) waker->scheduler.Commit(kHousekeepingEvent);
  });
}

void ChainFilter::CloseNow() {
  closing_ = true;
  // A second close cuts the flush of the first short.
  if (std::exchange(close_called_, true) && !abort_wanted_) return;
  envoy_dynamic_module_callback_network_filter_close_with_details(
      envoy_, ToEnvoyCloseType(abort_wanted_ ? kNoFlush : kFlushWrite), ToBuffer(kCloseDetails));
}

// From the loop of the worker: whatever this hook lets go on gets to go on.
void ChainFilter::CloseSoon() {
  closing_ = true;
  waker_->scheduler.Commit(kHousekeepingEvent);
}

void ChainFilter::OnEvent(int event) {
  if (!IsClose(event)) return;
  config_.metrics().ApplyOnWorker(envoy_);
  Closed(event);
}

void ChainFilter::Closed(int event) {
  waker_->scheduler.Detach();
  {
    Wakers& wakers = AllWakers();
    const std::lock_guard<std::mutex> lock(wakers.mu);
    wakers.by_id.erase(id_);
  }
  const uint64_t session = std::exchange(session_, 0);
  if (session == 0) return;
  if (Scheduler::InsideCommit()) {
    EventLoop::ForKey(0).Post([session, event] { GetPlugin().chain_close(session, event); });
    return;
  }
  GetPlugin().chain_close(session, event);
}

}  // namespace rocketmq_proxy
