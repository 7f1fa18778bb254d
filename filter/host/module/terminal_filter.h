// SPDX-License-Identifier: Apache-2.0
//
// The terminal role: the plugin ends the client's connection, and opens upstream connections.
#pragma once

#include <memory>

#include "downstream_connection.h"
#include "filter.h"

namespace rocketmq_proxy {

class FilterConfig;

// Threads and lifetime: see Filter. What other threads need lives in DownstreamConnection.
class TerminalFilter : public Filter {
 public:
  TerminalFilter(const FilterConfig& config, void* envoy_filter);
  ~TerminalFilter() override;

  FilterStatus OnNewConnection() override;
  FilterStatus OnRead(size_t size, bool end_stream) override;
  FilterStatus OnWrite(size_t size, bool end_stream) override;
  void OnEvent(int event) override;
  void OnScheduled(uint64_t event_id) override;
  void OnWriteBufferWatermark(bool above) override;

 private:
  const FilterConfig& config_;
  void* const envoy_;
  const std::shared_ptr<DownstreamConnection> connection_;
};

}  // namespace rocketmq_proxy
