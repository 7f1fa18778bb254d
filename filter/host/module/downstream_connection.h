// SPDX-License-Identifier: Apache-2.0
//
// A client's connection in the terminal role: what any thread may do to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "connection.h"
#include "plugin.h"
#include "scheduler.h"

namespace rocketmq_proxy {

class UpstreamConnection;

// Threads: functions are for any thread unless they say "worker": the thread that runs the hooks of
// the connection, on which alone Envoy's functions may be called. What other threads ask for is
// queued, in order, and done in the scheduled hook.
// Lock: mu_ protects everything but the constants, full_, which is written under it, and what is
// the worker's only. No function of Envoy or the plugin, and none of an upstream connection, is
// called under it.
//
// Lifetime: shared by the filter (until Envoy destroys it) and the end of the plugin's session.
class DownstreamConnection final : public Downstream,
                                   public std::enable_shared_from_this<DownstreamConnection> {
 public:
  DownstreamConnection(const Plugin& plugin, void* envoy_filter);  // worker

  // Downstream: the plugin's calls. Bytes that are written on the worker, with nothing queued
  // before them, go to Envoy at once. A close always comes later, after what was written: it raises
  // an event, and the plugin may hold a lock now.
  void Write(std::string_view data) override;
  bool Full() override { return full_.load(std::memory_order_acquire); }
  void Close(CloseMode mode) override;
  void Wake() override;
  Upstream* Connect(uint64_t upstream, std::string_view address) override;

  uint32_t worker_index() const { return worker_index_; }

  // Flow control. While the client is full, that is, has left too much unread of what was written
  // to it, neither it nor an upstream is read. Each upstream that was opened for this connection
  // asks Full before it reads, and again when UpdateReading is called. The plugin asks before it
  // answers more requests, and hears when the client has caught up.
  //
  // An upstream's queue is full (+1), or no longer (-1): this connection is not read meanwhile.
  void OnUpstreamFull(int change);

  // The upstream has something to read: it gets a turn on the worker. False: this connection is
  // closed.
  bool HandToWorker(std::shared_ptr<UpstreamConnection> upstream);

  // All of these: worker.
  uint64_t session() const { return session_; }  // the plugin's; 0 while there is none
  void Open(uint64_t config);
  void OnScheduled();
  void OnWatermark(bool above);
  // The connection is closed: ends the session. Once; further calls do nothing.
  void OnClosed(int event);

 private:
  bool OnWorker() const { return std::this_thread::get_id() == worker_; }
  void Schedule(std::unique_lock<std::mutex> lock);
  // After a change, with the lock: what full_ follows from.
  void UpdateFull();
  // Both after a change, without the lock.
  void UpdateUpstreams();
  void UpdateReading();  // worker
  void EndSession(uint64_t session, int event);
  std::vector<std::shared_ptr<UpstreamConnection>> LiveUpstreams();

  const Plugin& plugin_;
  const std::thread::id worker_;
  const uint32_t worker_index_;
  Scheduler scheduler_;
  std::atomic<bool> full_{false};

  std::mutex mu_;
  void* filter_;  // null once closed
  bool scheduled_ = false;
  // Asked for, and to be done by the scheduled hook.
  std::string out_;
  CloseMode close_ = CloseMode::kNone;  // of the plugin: no more writes
  bool wake_ = false;
  std::vector<std::shared_ptr<UpstreamConnection>> readable_;  // each has its turn to come
  // Flow control: why the client, or this connection's queue, is full, and who must hear of it.
  bool above_watermark_ = false;
  bool queue_full_ = false;
  bool drained_ = false;        // no longer full, and the plugin is to hear of it
  bool read_disabled_ = false;  // by us, at Envoy: its count is balanced by this
  int full_upstreams_ = 0;
  std::vector<std::weak_ptr<UpstreamConnection>> upstreams_;

  // The worker's only.
  uint64_t session_ = 0;
  CloseMode closed_ = CloseMode::kNone;  // as Envoy was asked to
  std::string spare_;                    // the last queue's memory
  bool in_direct_write_ = false;         // inside Envoy's write, called by the plugin
};

}  // namespace rocketmq_proxy
