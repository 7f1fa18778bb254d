// SPDX-License-Identifier: Apache-2.0
//
// One upstream connection of the terminal role.
//
//                 ready             its end was read
//   kConnecting ─────────▶ kOpen ───────────────────▶ kEnded ──▶ kClosed
//     │   │                  │                                     ▲ ▲
//     │   └───────┬──────────┘                                     │ │
//     │           │ the plugin closes it                           │ │
//     │           ▼                                                │ │
//     │        kClosing ───────────────────────────────────────────┘ │
//     │                   all is sent, it takes too long, or the     │
//     │ failed            peer is lost                               │
//     └──────────────────────────────────────────────────────────────┘
//
// The turn to read is the loop's, which owns the socket, or the worker's, where the client is
// written to:
//
//            there is something to read, and the client is not full
//   kLoop ──────────────────────────────────────────────────────────▶ kWorker
//         ◀──────────────────────────────────────────────────────────
//            nothing is left, the client is full, or either has ended
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "connection.h"
#include "event_loop.h"
#include "plugin.h"
#include "upstream_socket.h"

namespace rocketmq_proxy {

class DownstreamConnection;

// The plugin's calls come in this order, one at a time: ready; data, full and drained; closed. Data
// comes on the worker of the client's connection, all else on the loop's thread.
//
// Threads: Write, Close and UpdateReading run on any; ReadOnWorker and ReturnToLoop on the
// worker; the rest on the loop's. While the turn is the worker's, the loop leaves the socket open.
// Lock: mu_ protects the fields below it, but for what UpstreamSocket says of Receive. The plugin
// and the client's connection are never called under it.
// Lifetime: shared by the loop (while the socket is open) and its tasks, hence until the plugin's
// last call has returned.
class UpstreamConnection final : public Upstream,
                                 public EventLoop::Watcher,
                                 public std::enable_shared_from_this<UpstreamConnection> {
 public:
  // `handle` is the plugin's. Flow control ties it to `owner`, the client's connection.
  UpstreamConnection(const Plugin& plugin, uint64_t handle, std::string address,
                     const std::shared_ptr<DownstreamConnection>& owner);

  // Once; the loop connects.
  void Start();

  // Upstream: the plugin's calls.
  size_t Write(std::string_view data) override;
  void Close() override;

  // The client may have become readable again: looks again whether to read.
  void UpdateReading();

  void OnSocket(uint32_t epoll_events) override;

  // The turn that the loop handed over. True: there is more, for another turn.
  bool ReadOnWorker();
  // There is no more, or there will be no turn since the client's connection is closed.
  void ReturnToLoop();

 private:
  enum class State { kConnecting, kOpen, kClosing, kEnded, kClosed };
  enum class Turn { kLoop, kWorker };
  // RunRequests: is on its way, or came while the turn was the worker's.
  enum class Requests { kNone, kPosted, kDeferred };
  // The queue: of kFull and kRefused it has been too long since; with the latter the session
  // refuses what is for us, and the client is read.
  enum class Fullness { kTaking, kFull, kRefused };

  // What has changed of the queue, to be made known without mu_.
  struct QueueChange {
    enum class Event { kNone, kFull, kTaking, kNoLongerRefused } event = Event::kNone;
    size_t drained = 0;  // of what the plugin knows that we keep
  };

  void Connect();
  void FinishConnecting();
  void PostRequests(std::unique_lock<std::mutex> lock);
  void RunRequests();  // what other threads have asked for
  bool Read();         // by whose turn it is; true: there was more than one turn may take
  void HandToWorker();
  bool MayRead() const;  // with mu_
  bool HasTurn() const;  // with mu_: there is something to read, nobody reads, and it may be read
  bool MaySendRest();    // with mu_, in kClosing: there is something, and all such have room for it
  QueueChange TakeQueueChange();  // with mu_
  void NotifyFullness(const QueueChange& change);
  void OnStillFull(
      uint64_t n);       // it has been full for some time, since it got so for the n-th time
  void Finish(int how);  // the one way to kClosed

  const Plugin& plugin_;
  const uint64_t handle_;
  const std::string address_;
  const std::weak_ptr<DownstreamConnection> owner_;
  EventLoop& loop_;

  std::mutex mu_;
  UpstreamSocket socket_;
  State state_ = State::kConnecting;
  Turn turn_ = Turn::kLoop;
  Requests requests_ = Requests::kNone;
  Fullness fullness_ = Fullness::kTaking;
  uint64_t full_count_ = 0;  // how often it has got full
  size_t kept_ = 0;          // bytes of the queue, as far as the plugin knows
  size_t lingering_ = 0;     // bytes of it when MaySendRest was asked
};

}  // namespace rocketmq_proxy
