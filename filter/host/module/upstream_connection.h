// SPDX-License-Identifier: Apache-2.0
//
// One upstream connection of the terminal role: a TCP socket on our own event loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "byte_queue.h"
#include "downstream_connection.h"
#include "event_loop.h"
#include "golang_abi.h"

namespace rocketmq_proxy {

struct UpstreamWrapper;

// The plugin is told, in this order and one at a time: ready or failure; data; one close event;
// nothing more. A failure is the end, too. Data is told on the worker of the connection's owner,
// where the answer is to be written; all else, and the data of a connection without an owner or
// whose owner is closed, on the loop's thread.
//
// Threads: Write, Close, EnableHalfClose, Abandon, UpdateReading and the address functions run on
// any; ReadOnWorker and LeaveWorker on the owner's worker; the rest on the loop's. While
// with_worker_ is set, from GiveToRead to LeaveWorker, the loop leaves the socket open. Lock: mu_
// protects the fields below it, and the socket: it is closed under mu_ only, so whoever holds mu_
// and sees fd_ >= 0 may use it. The plugin and the owner are never called under mu_. Lifetime:
// shared by the loop (while the socket is open), the plugin's wrapper, and tasks.
class UpstreamConnection : public EventLoop::Watcher,
                           public std::enable_shared_from_this<UpstreamConnection> {
 public:
  // Starts connecting to "ip:port"; the outcome is told on the loop's thread, perhaps before this
  // returns. `wrapper` is what the plugin knows the connection by; it is filled in here.
  //
  // It belongs to `downstream`, to which flow control ties it; without one it works but is never
  // held back.
  static std::shared_ptr<UpstreamConnection> Connect(std::string address, uint64_t connection_id,
                                                     UpstreamWrapper* wrapper,
                                                     DownstreamConnection* downstream);

  UpstreamConnection(std::string address, uint64_t connection_id, void* wrapper,
                     std::shared_ptr<DownstreamConnection> owner, EventLoop& loop);
  ~UpstreamConnection() override;

  // Copies what the socket does not take at once, and says in `kept` how many bytes that are.
  // Before the connection is ready everything waits.
  GoStatus Write(std::string_view data, bool end_stream, size_t* kept = nullptr);
  GoStatus Close(int type);
  void EnableHalfClose(bool enable) { half_close_.store(enable, std::memory_order_relaxed); }
  // The plugin has forgotten the connection: no more calls for it.
  void Abandon();

  // Asks the owner anew whether to read.
  void UpdateReading();

  const std::string& dialled_address() const { return address_; }
  // Empty before the connection is ready; constant from then on.
  std::string_view remote_address();

  void OnSocket(uint32_t epoll_events) override;

  // The turn that the loop gave to the owner's worker. True: there is more, for another turn.
  bool ReadOnWorker();
  // There will be no turn: the owner is closed.
  void LeaveWorker();

  // The connection that this thread is just telling the plugin is ready, or null.
  static UpstreamConnection* Opening();
  // Loop's thread; see DownstreamConnection::receiver.
  void set_receiver(uint64_t receiver) { receiver_ = receiver; }

 private:
  enum class State { kNew, kConnecting, kOpen, kClosed };

  void Start();
  void Attend();  // what other threads have asked for
  void RequestAttention(std::unique_lock<std::mutex> lock);
  void FinishConnecting();
  bool Read();  // true: there was more than one turn may take
  void GiveToRead();
  bool MayRead();  // with mu_
  bool HasTurn();  // with mu_: there is something to read, nobody is reading, and it may be read
  void Flush();    // with mu_
  void OnSendFailure(int error);  // with mu_
  void SendFin();                 // with mu_
  // What has become of the queue, to be told without mu_.
  struct Change {
    enum class Fullness { kSame, kFull, kHasRoom, kNoLongerRefused } fullness = Fullness::kSame;
    size_t drained = 0;  // of what the plugin knows that we keep
  };
  Change QueueChange();  // with mu_
  void Tell(const Change& change);
  bool Linger();  // with mu_: whether what is queued may still be sent, though it is being closed
  // Loop's thread: it has been full for some time, since it got so for the n-th time.
  void OnStillFull(uint64_t n);
  void Finish(int event);
  void Fail(PoolFailure reason);
  void CloseSocket(int close_type);  // with mu_

  const std::string address_;
  const uint64_t connection_id_;
  void* const wrapper_;
  const std::weak_ptr<DownstreamConnection> owner_;
  EventLoop& loop_;
  std::atomic<bool> half_close_{false};
  uint64_t receiver_ = 0;

  std::mutex mu_;
  State state_ = State::kNew;
  int fd_ = -1;
  uint64_t token_ = 0;
  // The socket tells of each change once, so what it has said is kept here.
  bool readable_ = false;  // there may be something to read
  bool hung_up_ = false;   // the peer has ended: after its last byte there is that to read
  bool dead_ = false;      // the connection is gone, both ways
  std::string remote_;
  ByteQueue out_;
  size_t kept_ = 0;       // bytes of out_, as far as the plugin knows
  size_t lingering_ = 0;  // bytes of out_ when Linger was asked
  bool full_ = false;
  uint64_t full_count_ = 0;  // how often it has got full
  bool refused_ = false;     // full, and the session refuses what is for us: the client is read
  bool attention_ = false;   // Attend is on its way
  bool fin_wanted_ = false;  // after out_
  bool fin_sent_ = false;
  bool peer_ended_ = false;    // its FIN was taken as half close
  bool write_failed_ = false;  // the peer is gone; reading will tell how
  bool with_worker_ = false;   // whose turn it is to read
  int end_ = -1;               // the event to finish with, once the loop may
  bool attend_later_ = false;  // once the worker is done
  bool abandoned_ = false;
  int close_type_ = -1;  // what the plugin asked for
};

// What the plugin holds.
struct UpstreamWrapper {
  std::shared_ptr<UpstreamConnection> connection;
};

}  // namespace rocketmq_proxy
