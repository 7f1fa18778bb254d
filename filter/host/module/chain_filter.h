// SPDX-License-Identifier: Apache-2.0
//
// The chained role: the plugin looks at the bytes between a client and Envoy's tcp_proxy, which
// stands behind us in the chain and owns the upstream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connection.h"
#include "filter.h"

namespace rocketmq_proxy {

class FilterConfig;

// Threads: the worker, see Filter; other threads only know the handle.
// Lifetime: see Filter. Within a hook the connection may close whenever a function of Envoy is
// called that runs other filters (write, inject_read_data, continue_reading, close): `session_` is
// 0 then and nothing more is done.
class ChainFilter : public Filter {
 public:
  ChainFilter(const FilterConfig& config, void* envoy_filter);
  ~ChainFilter() override;

  FilterStatus OnNewConnection() override;
  FilterStatus OnRead(size_t size, bool end_stream) override;
  FilterStatus OnWrite(size_t size, bool end_stream) override;
  void OnEvent(int event) override;
  void OnScheduled(uint64_t event_id) override;
  void OnWriteBufferWatermark(bool above) override;

 private:
  // The call of the plugin that is going on.
  enum class Call { kNone, kOpen, kData, kWake };
  // tcp_proxy: is kept waiting; may go on at the end of this call; has been let go.
  enum class Next { kWaits, kReleased, kRuns };
  // Our close: the scheduled hook makes it; it was made.
  enum class Closing { kNo, kScheduled, kCalled };
  enum Event : uint64_t { kWakeEvent, kHousekeepingEvent, kDrainedEvent };

  class Handle;
  class Scope;

  // The plugin's calls, see rocketmq_proxy_host.
  bool Connect(uint64_t upstream, std::string_view address);
  // Whether the client has left too much unread. It is not read then: of that tcp_proxy takes no
  // notice, it only stops reading its upstream.
  bool Full();

  bool alive() const { return session_ != 0; }
  // Whether tcp_proxy would take bytes that do not come from Envoy's read buffer.
  bool UpstreamTakes() const;
  void SendDownstream();
  void SendUpstream();
  void UpdateReading();
  void NotifyDrained();
  void CloseNow();
  void CloseSoon();
  FilterStatus DropRead(size_t size);
  void Closed(int event);

  const FilterConfig& config_;
  void* const envoy_;
  const std::shared_ptr<Handle> handle_;  // what the plugin knows the connection by
  uint64_t session_ = 0;                  // the plugin's
  uint64_t upstream_ = 0;                 // likewise
  Call call_ = Call::kNone;
  Next next_ = Next::kWaits;
  Closing closing_ = Closing::kNo;
  CloseMode close_ = CloseMode::kNone;  // of the plugin
  bool own_write_ = false;              // OnWrite sees our own bytes now
  bool retrying_ = false;               // SendUpstream is to be called again
  // Before kRuns: how much of Envoy's read buffer the plugin has seen.
  size_t seen_by_plugin_ = 0;
  // Written by the plugin in the present call.
  std::string to_upstream_;
  std::string to_downstream_;
  // Written for the upstream before tcp_proxy could take it.
  std::string early_upstream_bytes_;
  // Flow control: Envoy's state, what the plugin was told, and what Envoy was: that balances its
  // count.
  bool above_watermark_ = false;
  bool full_told_ = false;
  bool read_disabled_ = false;
};

}  // namespace rocketmq_proxy
