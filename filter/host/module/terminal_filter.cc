// SPDX-License-Identifier: Apache-2.0
#include "terminal_filter.h"

#include "filter_config.h"

namespace rocketmq_proxy {

TerminalFilter::TerminalFilter(const FilterConfig& config, void* envoy_filter)
    : config_(config),
      envoy_(envoy_filter),
      connection_(std::make_shared<DownstreamConnection>(config.plugin(), envoy_filter)) {}

TerminalFilter::~TerminalFilter() { connection_->OnClosed(kLocalClose); }

FilterStatus TerminalFilter::OnNewConnection() {
  config_.stats().ApplyOnWorker(envoy_);
  connection_->Open(config_.handle());
  return FilterStatus::kStopIteration;
}

FilterStatus TerminalFilter::OnRead(size_t size, bool end_stream) {
  config_.stats().ApplyOnWorker(envoy_);
  if (const uint64_t session = connection_->session(); session != 0) {
    Chunks chunks(envoy_, Chunks::kReadBuffer);
    config_.plugin().data(session, chunks.slices(), static_cast<int>(chunks.count()),
                          end_stream ? 1 : 0);
  }
  if (size > 0) envoy_dynamic_module_callback_network_filter_drain_read_buffer(envoy_, size);
  return FilterStatus::kStopIteration;
}

// The last filter of a chain sees its own writes only.
FilterStatus TerminalFilter::OnWrite(size_t, bool) { return FilterStatus::kContinue; }

void TerminalFilter::OnEvent(int event) {
  config_.stats().ApplyOnWorker(envoy_);
  if (IsClose(event)) connection_->OnClosed(event);
}

void TerminalFilter::OnScheduled(uint64_t) {
  config_.stats().ApplyOnWorker(envoy_);
  connection_->OnScheduled();
}

void TerminalFilter::OnWriteBufferWatermark(bool above) { connection_->OnWatermark(above); }

}  // namespace rocketmq_proxy
