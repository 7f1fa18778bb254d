// SPDX-License-Identifier: Apache-2.0
//
// The chained role: the plugin looks at the bytes between a client and Envoy's tcp_proxy, which
// stands behind us in the chain and owns the upstream. Contract: filter/host/stock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "filter.h"
#include "scheduler.h"
#include "stock/rocketmq_proxy_host.h"

namespace rocketmq_proxy {

class FilterConfig;

// Threads: the worker, see Filter; other threads only know the Waker, by its id.
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

  // The plugin's calls, see rocketmq_proxy_host.
  void WriteUpstream(std::string_view data) { to_upstream_.append(data); }
  void WriteDownstream(std::string_view data) { to_downstream_.append(data); }
  bool Connect(std::string_view address);
  // The client has left too much unread. It is not read then: of that tcp_proxy takes no notice, it
  // only stops reading its upstream.
  bool DownstreamFull();
  void Close(bool flush) { (flush ? close_wanted_ : abort_wanted_) = true; }
  // The filter that is in a call of the plugin on this thread, if `connection` is its.
  static ChainFilter* InCall(uint64_t connection);
  static void Wake(uint64_t connection);

 private:
  enum class Call { kNone, kOpen, kData, kWake };
  enum Event : uint64_t { kWakeEvent, kHousekeepingEvent, kDrainedEvent };

  // What `wake` needs, reachable by id, so that a wake which overlaps the end of the connection
  // finds either a live object of its own or nothing.
  struct Waker {
    explicit Waker(void* envoy_filter) : scheduler(Scheduler::kFilter, envoy_filter) {}
    Scheduler scheduler;
    std::atomic<bool> pending{false};
  };
  struct Wakers;
  class Scope;

  static Wakers& AllWakers();
  uint64_t connection() const { return id_; }
  bool alive() const { return session_ != 0; }
  // tcp_proxy would take bytes that do not come from Envoy's read buffer.
  bool UpstreamTakes() const;
  void SendDownstream();
  void SendUpstream();
  void UpdateReading();
  void TellDrained();
  void CloseNow();
  void CloseSoon();
  FilterStatus DropRead(size_t size);
  void Closed(int event);

  const FilterConfig& config_;
  void* const envoy_;
  const uint64_t id_;
  const std::shared_ptr<Waker> waker_;
  uint64_t session_ = 0;
  Call call_ = Call::kNone;
  bool connect_called_ = false;
  bool started_ = false;  // tcp_proxy has been let go
  bool closing_ = false;  // closed, or about to be by the scheduler
  bool close_called_ = false;
  bool own_write_ = false;  // OnWrite sees our own bytes now
  bool retrying_ = false;
  // Before `started_`: how much of Envoy's read buffer the plugin has seen already.
  size_t seen_ = 0;
  // Written by the plugin in the present call.
  std::string to_upstream_;
  std::string to_downstream_;
  bool close_wanted_ = false;
  bool abort_wanted_ = false;
  // Flow control. What the plugin was told, and what Envoy was: the latter balances its count.
  bool above_watermark_ = false;
  bool full_told_ = false;
  bool read_disabled_ = false;
  // Written for the upstream before tcp_proxy could take it.
  std::string early_;
};

}  // namespace rocketmq_proxy
