// SPDX-License-Identifier: Apache-2.0
#include "terminal_filter.h"

#include <utility>

#include "event_loop.h"
#include "filter_config.h"
#include "plugin.h"

namespace rocketmq_proxy {
namespace {

// By which the plugin has registered its filter.
constexpr std::string_view kPluginName = "rocketmq_proxy";

static_assert(sizeof(EnvoyBuffer) == 2 * sizeof(GoUint64),
              "Envoy's array of chunks must be what the Golang ABI calls slices");

}  // namespace

TerminalFilter::TerminalFilter(const FilterConfig& config, void* envoy_filter)
    : config_(config),
      envoy_(envoy_filter),
      connection_(std::make_shared<DownstreamConnection>(envoy_filter)) {}

TerminalFilter::~TerminalFilter() { Closed(kLocalClose); }

FilterStatus TerminalFilter::OnNewConnection() {
  const DownstreamConnection::Scope scope(connection_.get());
  config_.metrics().ApplyOnWorker(envoy_);
  wrapper_ = new DownstreamWrapper{connection_, ""};  // deleted by envoyGoFilterDownstreamFinalize
  const GoUint64 status =
      GetPlugin().on_downstream_connection(wrapper_, reinterpret_cast<GoUint64>(kPluginName.data()),
                                           kPluginName.size(), config_.golang_id());
  return status == 0 ? FilterStatus::kContinue : FilterStatus::kStopIteration;
}

FilterStatus TerminalFilter::OnRead(size_t size, bool end_stream) {
  const DownstreamConnection::Scope scope(connection_.get());
  config_.metrics().ApplyOnWorker(envoy_);
  GoUint64 status = 1;
  if (wrapper_ != nullptr) {
    Chunks chunks(envoy_, Chunks::kReadBuffer);
    if (const uint64_t receiver = connection_->receiver(); receiver != 0) {
      GetPlugin().terminal_data(receiver,
                                reinterpret_cast<const rocketmq_proxy_slice*>(chunks.data()),
                                static_cast<int>(chunks.count()));
    } else {
      status =
          GetPlugin().on_downstream_data(wrapper_, size, reinterpret_cast<GoUint64>(chunks.data()),
                                         static_cast<GoInt>(chunks.count()), end_stream ? 1 : 0);
    }
  }
  // All of it, whatever the plugin says: that is the ABI's contract.
  if (size > 0) envoy_dynamic_module_callback_network_filter_drain_read_buffer(envoy_, size);
  return status == 0 ? FilterStatus::kContinue : FilterStatus::kStopIteration;
}

FilterStatus TerminalFilter::OnWrite(size_t, bool) {
  // The last filter of a chain sees its own writes only. They are made directly, not posted as in
  // Envoy's Golang filter, so handing them to the plugin's OnWrite would enter it again, perhaps
  // under its own lock; and it would copy every answer once more for nothing.
  return FilterStatus::kContinue;
}

void TerminalFilter::OnEvent(int event) {
  const DownstreamConnection::Scope scope(connection_.get());
  config_.metrics().ApplyOnWorker(envoy_);
  if (IsClose(event)) {
    Closed(event);
  } else if (wrapper_ != nullptr) {
    // An event may come although an earlier filter never let the connection reach us.
    GetPlugin().on_downstream_event(wrapper_, event);
  }
}

void TerminalFilter::Closed(int event) {
  connection_->OnClosed();
  // The plugin may finalize the wrapper before it returns.
  DownstreamWrapper* const wrapper = std::exchange(wrapper_, nullptr);
  if (wrapper == nullptr) return;
  if (Scheduler::InsideCommit()) {
    EventLoop::ForKey(0).Post(
        [wrapper, event] { GetPlugin().on_downstream_event(wrapper, event); });
    return;
  }
  GetPlugin().on_downstream_event(wrapper, event);
}

void TerminalFilter::OnScheduled(uint64_t) {
  const DownstreamConnection::Scope scope(connection_.get());
  config_.metrics().ApplyOnWorker(envoy_);
  connection_->OnScheduled();
}

void TerminalFilter::OnWriteBufferWatermark(bool above) { connection_->OnWatermark(above); }

}  // namespace rocketmq_proxy
