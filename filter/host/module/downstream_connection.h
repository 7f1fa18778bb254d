// SPDX-License-Identifier: Apache-2.0
//
// The plugin's side of a downstream connection in the terminal role: what any thread may do to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "golang_abi.h"
#include "scheduler.h"

namespace rocketmq_proxy {

class UpstreamConnection;
struct DownstreamWrapper;

// Threads: functions are for any thread unless they say "worker": the thread that runs the hooks of
// the connection, on which alone Envoy's functions may be called. What other threads ask for is
// queued, in order, and done in the scheduled hook.
// Lock: mu_ protects everything but the constants and full_, which is written under it. No function
// of Envoy or the plugin, and none of an upstream, is called under it.
//
// Lifetime: shared by the filter (until Envoy destroys it) and the plugin's wrapper (until the
// plugin finalizes it); each may outlive the other.
class DownstreamConnection : public std::enable_shared_from_this<DownstreamConnection> {
 public:
  explicit DownstreamConnection(void* envoy_filter);  // worker

  // Copies `data`. Direct on the worker if nothing is queued before it.
  GoStatus Write(std::string_view data, bool end_stream);
  // Always later, after what was written: it raises an event, and the plugin may hold a lock now.
  GoStatus Close(int type);

  GoStatus SetFilterState(std::string_view key, std::string_view value);
  // Off the worker the answer is kYield, and OnSemaDec comes when `out` is filled.
  GoStatus GetFilterState(std::string_view key, DownstreamWrapper* wrapper, GoString* out);

  const std::string& local_address() const { return local_; }
  const std::string& remote_address() const { return remote_; }
  uint32_t worker_index() const { return worker_index_; }

  // Worker. What rocketmqProxyTerminalData knows the connection by; 0: its bytes go the way of the
  // Golang ABI.
  uint64_t receiver() const { return receiver_; }
  void set_receiver(uint64_t receiver) { receiver_ = receiver; }

  // Flow control. While the client is full, that is, has left too much unread of what was written
  // to it, neither it nor an upstream is read. Each upstream that was opened for this connection
  // asks Full before it reads, and again when UpdateReading is called. The plugin asks before it
  // answers more requests, and hears when the client has caught up.
  void AddUpstream(const std::shared_ptr<UpstreamConnection>& upstream);
  bool Full() const { return full_.load(std::memory_order_acquire); }
  // An upstream's queue is full (+1), or no longer (-1): this connection is not read meanwhile.
  void OnUpstreamFull(int change);

  // The upstream has something to read: it gets a turn on the worker. False: this connection is
  // closed.
  bool GiveToRead(std::shared_ptr<UpstreamConnection> upstream);

  void OnScheduled();            // worker
  void OnWatermark(bool above);  // worker
  // Worker; the connection is closed. Afterwards everything is answered with kFilterIsGone.
  void OnClosed();

  // The connection for which this thread is in a hook of the plugin, or null.
  static DownstreamConnection* Current();
  class Scope {
   public:
    explicit Scope(DownstreamConnection* connection);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    DownstreamConnection* const outer_;
  };

 private:
  struct StateCall {  // of filter state: a set, or a get if `out` is given
    std::string key;
    std::string value;
    DownstreamWrapper* wrapper = nullptr;
    GoString* out = nullptr;
  };

  bool OnWorker() const { return std::this_thread::get_id() == worker_; }
  void Schedule(std::unique_lock<std::mutex> lock);
  void RunStateCall(void* filter, const StateCall& call);
  // After a change, with the lock: what full_ follows from.
  void UpdateFull();
  // Both after a change, without the lock.
  void UpdateUpstreams();
  void UpdateReading();  // worker

  const std::thread::id worker_;
  const std::string local_;
  const std::string remote_;
  const uint32_t worker_index_;
  Scheduler scheduler_;
  std::atomic<bool> full_{false};

  std::mutex mu_;
  void* filter_;  // null once closed
  bool scheduled_ = false;
  bool closing_ = false;  // the plugin has asked for it: no more writes
  std::string out_;
  bool out_end_ = false;
  std::vector<int> closes_;
  std::vector<StateCall> state_calls_;
  bool above_watermark_ = false;
  bool queue_full_ = false;
  bool drained_ = false;  // no longer full, and the plugin is to hear of it
  int full_upstreams_ = 0;
  std::vector<std::shared_ptr<UpstreamConnection>> readable_;  // each has its turn to come
  bool read_disabled_ = false;  // by us, at Envoy: its count is balanced by this
  std::vector<std::weak_ptr<UpstreamConnection>> upstreams_;
  uint64_t receiver_ = 0;
  std::string spare_;  // worker only: the last queue's memory
};

// What the plugin holds. `text` is what the last call answered with.
struct DownstreamWrapper {
  std::shared_ptr<DownstreamConnection> connection;
  std::string text;
};

}  // namespace rocketmq_proxy
