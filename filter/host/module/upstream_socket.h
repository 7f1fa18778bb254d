// SPDX-License-Identifier: Apache-2.0
//
// A TCP socket to a broker or a name server, watched by an event loop.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "byte_queue.h"
#include "event_loop.h"

namespace rocketmq_proxy {

// Sends bytes in order, and queues what the kernel does not take; knows whether there may be
// something to read. The loop reports each change once, so what it has reported is kept here.
//
// Threads: Connect, FinishConnecting and Close on the loop's. Not synchronized: its owner's lock
// protects all but Receive, which the owner lets one thread call at a time, and never beside Close.
class UpstreamSocket {
 public:
  // Each state follows the ones before it, never the other way round.
  enum class Peer {
    kThere,
    kEnded,  // sends no more: after its last byte there is that to read
    kLost,   // takes no more either
  };
  enum class Started { kConnecting, kNoSocket, kRefused };

  explicit UpstreamSocket(EventLoop& loop) : loop_(loop) {}
  UpstreamSocket(const UpstreamSocket&) = delete;
  UpstreamSocket& operator=(const UpstreamSocket&) = delete;

  // Starts to connect to "ip:port". The loop keeps `watcher` until Close.
  Started Connect(const std::string& address, std::shared_ptr<EventLoop::Watcher> watcher);
  // The socket has become writable, or has failed: whether it is connected.
  bool FinishConnecting() const;

  // Takes in what the loop has reported. Returns whether the connection is gone, both ways.
  bool OnEvents(uint32_t epoll_events);

  // Sends what the kernel takes now, unless something is queued, and queues the rest.
  void Send(std::string_view data);
  void Flush();
  size_t queued() const { return queue_.size(); }
  Peer peer() const { return peer_; }

  // Whether there may be something to read. Who reads calls BeginReading, Receive (as recv: 0 at
  // the end of the stream, -1 if there is nothing or the connection has failed), and, if it
  // received something, EndReading: with `more` if that filled the buffer.
  bool readable() const { return readable_; }
  void BeginReading() { readable_ = false; }
  ssize_t Receive(char* buffer, size_t size) const;
  void EndReading(bool more);

  // With `graceful`, what was sent still reaches the peer. Queued bytes are dropped.
  void Close(bool graceful);

 private:
  void OnSendFailure(int error);

  EventLoop& loop_;
  int fd_ = -1;
  uint64_t token_ = 0;  // at the loop
  bool readable_ = false;
  Peer peer_ = Peer::kThere;
  ByteQueue queue_;
};

}  // namespace rocketmq_proxy
