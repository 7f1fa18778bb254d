// SPDX-License-Identifier: Apache-2.0
//
// The terminal role: the plugin ends the connection, by the Golang network filter ABI.
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
  void Closed(int event);

  const FilterConfig& config_;
  void* const envoy_;
  const std::shared_ptr<DownstreamConnection> connection_;
  // The plugin's, which deletes it some time after the close event. Null before it was told of the
  // connection, and after it was told of the end.
  DownstreamWrapper* wrapper_ = nullptr;
};

}  // namespace rocketmq_proxy
