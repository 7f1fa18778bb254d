// SPDX-License-Identifier: Apache-2.0
#include "upstream_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "address.h"
#include "envoy.h"
#include "flow_control.h"
#include "plugin.h"

namespace rocketmq_proxy {
namespace {

// How long a connection that is being closed may take to send what is queued.
constexpr std::chrono::seconds kFlushTimeout(5);
// Reads of one socket in a row, before others get their turn.
constexpr int kReadsPerTurn = 2;
// More than most frames have: one that is not there whole is copied once more.
constexpr size_t kReadSize = 256 << 10;
// Received bytes that are thrown away at a close, see CloseSocket.
constexpr size_t kMaxDiscard = 1 << 20;

std::atomic<uint64_t> g_ownerless{0};
std::atomic<size_t> g_lingering{0};

thread_local UpstreamConnection* t_opening = nullptr;

// Where this thread reads to.
std::vector<char>& Scratch() {
  static thread_local std::vector<char> scratch(kReadSize);
  return scratch;
}

// Whether hardly any files are left. These are Envoy's: it dies when it cannot make a socket. The
// kernel gives the lowest number that is free, so a high one says how many are in use.
bool IsOneOfTheLast(int fd) {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  return static_cast<rlim_t>(fd) >= files.rlim_cur - files.rlim_cur / 8;
}

// Ends the connection to a peer that is gone without a word, which no read would ever report: a
// minute after the last byte of it, or after the first byte that it has not acknowledged.
void DetectDeadPeer(int fd) {
  const int on = 1;
  const int idle_seconds = 30;
  const int interval_seconds = 10;
  const int probes = 3;
  const unsigned unacknowledged_milliseconds = 60000;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof(idle_seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof(interval_seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_milliseconds,
             sizeof(unacknowledged_milliseconds));
}

bool Flushes(int close_type) {
  return close_type == kFlushWrite || close_type == kFlushWriteAndDelay;
}

}  // namespace

UpstreamConnection* UpstreamConnection::Opening() { return t_opening; }

std::shared_ptr<UpstreamConnection> UpstreamConnection::Connect(std::string address,
                                                                uint64_t connection_id,
                                                                UpstreamWrapper* wrapper,
                                                                DownstreamConnection* downstream) {
  std::shared_ptr<DownstreamConnection> owner;
  if (downstream != nullptr) owner = downstream->shared_from_this();
  EventLoop& loop =
      EventLoop::ForKey(owner != nullptr ? owner->worker_index()
                                         : g_ownerless.fetch_add(1, std::memory_order_relaxed));
  auto connection =
      std::make_shared<UpstreamConnection>(std::move(address), connection_id, wrapper, owner, loop);
  if (owner != nullptr) owner->AddUpstream(connection);
  // Before the loop knows: the plugin may use the wrapper in the callbacks while we still return.
  wrapper->connection = connection;
  loop.Post([connection] { connection->Start(); });
  return connection;
}

UpstreamConnection::UpstreamConnection(std::string address, uint64_t connection_id, void* wrapper,
                                       std::shared_ptr<DownstreamConnection> owner, EventLoop& loop)
    : address_(std::move(address)),
      connection_id_(connection_id),
      wrapper_(wrapper),
      owner_(owner),
      loop_(loop) {}

UpstreamConnection::~UpstreamConnection() {
  // The loop holds every connection whose socket is open, so there is none here.
}

void UpstreamConnection::Start() {
  SocketAddress address;
  if (!ParseAddress(address_, &address)) return Fail(kLocalConnectionFailure);
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(kLocalConnectionFailure);
  if (IsOneOfTheLast(fd)) {
    close(fd);
    return Fail(kLocalConnectionFailure);
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  DetectDeadPeer(fd);
  if (connect(fd, address.get(), address.size) != 0 && errno != EINPROGRESS) {
    close(fd);
    return Fail(kRemoteConnectionFailure);
  }
  std::unique_lock<std::mutex> lock(mu_);
  token_ = loop_.Add(fd, shared_from_this());
  if (token_ == 0) {
    lock.unlock();
    close(fd);
    return Fail(kLocalConnectionFailure);
  }
  fd_ = fd;
  state_ = State::kConnecting;
  lock.unlock();
  Attend();  // A close may have been asked for already.
}

void UpstreamConnection::FinishConnecting() {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Fail(kRemoteConnectionFailure);
  SocketAddress peer;
  peer.size = sizeof(peer.storage);
  // Connected without a socket error, but reset since: there is no peer any more.
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size) != 0) {
    return Fail(kRemoteConnectionFailure);
  }
  bool tell;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    state_ = State::kOpen;
    remote_ = address_;
    tell = !abandoned_;
  }
  const auto owner = owner_.lock();
  if (tell) {
    const DownstreamConnection::Scope scope(owner.get());
    t_opening = this;
    GetPlugin().on_upstream_ready(wrapper_, connection_id_);
    t_opening = nullptr;
  }
  Change change;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ != State::kOpen) return;
    Flush();  // What was written before it was ready.
    change = QueueChange();
  }
  Tell(change);
  GiveToRead();  // What came with the word that it is connected is not told again.
}

GoStatus UpstreamConnection::Write(std::string_view data, bool end_stream, size_t* kept) {
  std::unique_lock<std::mutex> lock(mu_);
  if (state_ == State::kClosed || close_type_ >= 0 || fin_wanted_ || fin_sent_ || write_failed_) {
    return kFilterIsGone;
  }
  // From this thread, when nothing is ahead: it saves the way through the loop.
  if (state_ == State::kOpen && out_.empty()) {
    while (!data.empty()) {
      const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        data.remove_prefix(static_cast<size_t>(sent));
      } else if (errno != EINTR) {
        OnSendFailure(errno);
        break;
      }
    }
  }
  if (write_failed_) {
    RequestAttention(std::move(lock));
    return kOk;  // Told by the close event, as every loss is.
  }
  out_.Append(data);
  kept_ += data.size();
  if (kept != nullptr) *kept = data.size();
  fin_wanted_ = end_stream;
  if (state_ == State::kOpen && out_.empty() && fin_wanted_) SendFin();
  const Change change = QueueChange();
  if (fin_sent_ && peer_ended_) {
    RequestAttention(std::move(lock));  // Both sides have ended.
  } else {
    lock.unlock();
  }
  Tell(change);
  return kOk;
}

GoStatus UpstreamConnection::Close(int type) {
  std::unique_lock<std::mutex> lock(mu_);
  if (state_ == State::kClosed) return kFilterIsGone;
  // A later, harder close cuts a flush short.
  if (close_type_ < 0 || Flushes(close_type_)) close_type_ = type;
  const Change change = QueueChange();  // The client need not wait for the flush.
  RequestAttention(std::move(lock));
  Tell(change);
  return kOk;
}

void UpstreamConnection::Abandon() {
  std::unique_lock<std::mutex> lock(mu_);
  abandoned_ = true;
  if (state_ == State::kClosed) return;
  close_type_ = kNoFlush;
  RequestAttention(std::move(lock));
}

void UpstreamConnection::RequestAttention(std::unique_lock<std::mutex> lock) {
  if (std::exchange(attention_, true)) return;
  auto self = shared_from_this();
  lock.unlock();
  loop_.Post([self] { self->Attend(); });
}

void UpstreamConnection::Attend() {
  bool wait_for_flush = false;
  int event = kLocalClose;
  bool closing;
  bool ended;
  bool failed;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    attention_ = false;
    if (state_ == State::kNew || state_ == State::kClosed) return;
    if (with_worker_) {
      attend_later_ = true;
      return;
    }
    closing = close_type_ >= 0 || end_ >= 0;
    if (end_ >= 0) event = end_;
    if (end_ < 0 && closing && state_ == State::kOpen && Flushes(close_type_)) {
      Flush();
      wait_for_flush = !out_.empty() && !write_failed_ && Linger();
      if (write_failed_) event = kRemoteClose;  // The peer was first.
    }
    ended = fin_sent_ && peer_ended_;
    failed = write_failed_;
  }
  if (wait_for_flush) {
    auto self = shared_from_this();
    loop_.RunAfter(kFlushTimeout, [self] { self->Finish(kLocalClose); });
  } else if (closing || ended) {
    Finish(event);
  } else if (failed) {
    // Whatever the peer sent before it went is still to be read; its end comes after that.
    Change change;
    bool gone;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      out_.Clear();
      change = QueueChange();
      readable_ = hung_up_ = dead_ = true;
      gone = peer_ended_;
    }
    Tell(change);
    if (gone) return Finish(kRemoteClose);
    GiveToRead();
  }
}

bool UpstreamConnection::Linger() {
  if (lingering_ > 0) return true;
  if (g_lingering.fetch_add(out_.size(), std::memory_order_relaxed) + out_.size() > kMaxLingering) {
    g_lingering.fetch_sub(out_.size(), std::memory_order_relaxed);
    return false;
  }
  lingering_ = out_.size();
  return true;
}

void UpstreamConnection::UpdateReading() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!HasTurn()) return;
  }
  auto self = shared_from_this();
  loop_.Post([self] { self->GiveToRead(); });
}

bool UpstreamConnection::MayRead() {
  if (state_ != State::kOpen || close_type_ >= 0 || end_ >= 0 || peer_ended_) return false;
  const auto owner = owner_.lock();
  return owner == nullptr || !owner->Full();
}

bool UpstreamConnection::HasTurn() { return readable_ && !with_worker_ && MayRead(); }

void UpstreamConnection::OnSendFailure(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return;  // told when there is room
  if (error == ENOBUFS || error == ENOMEM) {
    loop_.LookAgain(fd_, token_);
  } else {
    write_failed_ = true;
  }
}

void UpstreamConnection::Flush() {
  while (!out_.empty() && !write_failed_) {
    const std::string_view bytes = out_.front();
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      out_.Drain(static_cast<size_t>(sent));
    } else if (errno != EINTR) {
      OnSendFailure(errno);
      break;
    }
  }
  if (write_failed_) out_.Clear();
  if (out_.empty() && fin_wanted_ && !write_failed_) SendFin();
}

void UpstreamConnection::SendFin() {
  fin_wanted_ = false;
  fin_sent_ = true;
  shutdown(fd_, SHUT_WR);
}

UpstreamConnection::Change UpstreamConnection::QueueChange() {
  Change change;
  // One that has ended or is being closed the plugin has forgotten: it is told nothing, and the
  // client is not held back.
  const bool forgotten = state_ == State::kClosed || close_type_ >= 0;
  const size_t drained = kept_ - out_.size();
  kept_ = out_.size();
  if (!forgotten) change.drained = drained;
  if (!full_ && !forgotten && out_.size() > kQueueHigh) {
    full_ = true;
    full_count_++;
    change.fullness = Change::Fullness::kFull;
  } else if (full_ && (forgotten || out_.size() < kQueueLow)) {
    full_ = false;
    if (!std::exchange(refused_, false)) {
      change.fullness = Change::Fullness::kHasRoom;
    } else if (!forgotten) {
      change.fullness = Change::Fullness::kNoLongerRefused;
    }
  }
  return change;
}

void UpstreamConnection::Tell(const Change& change) {
  if (change.drained == 0 && change.fullness == Change::Fullness::kSame) return;
  const auto owner = owner_.lock();
  if (change.drained > 0 && receiver_ != 0) {
    // On the loop's thread, as all that makes room, and so outside of the plugin.
    const DownstreamConnection::Scope scope(owner.get());
    GetPlugin().upstream_drained(receiver_, change.drained);
  }
  switch (change.fullness) {
    case Change::Fullness::kSame:
      break;
    case Change::Fullness::kFull: {
      if (owner != nullptr) owner->OnUpstreamFull(1);
      const auto self = shared_from_this();
      uint64_t n;
      {
        const std::lock_guard<std::mutex> lock(mu_);
        n = full_count_;
      }
      loop_.RunAfter(kFullPatience, [self, n] { self->OnStillFull(n); });
      break;
    }
    case Change::Fullness::kHasRoom:
      if (owner != nullptr) owner->OnUpstreamFull(-1);
      break;
    case Change::Fullness::kNoLongerRefused: {
      const DownstreamConnection::Scope scope(owner.get());
      GetPlugin().terminal_full(receiver_, 0);
      break;
    }
  }
}

void UpstreamConnection::OnStillFull(uint64_t n) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ != State::kOpen || !full_ || full_count_ != n || refused_ || receiver_ == 0) return;
  }
  const auto owner = owner_.lock();
  const DownstreamConnection::Scope scope(owner.get());
  if (GetPlugin().terminal_full(receiver_, 1) == 0) return;
  {
    // Nothing but this thread makes room, but any may have asked for a close meanwhile.
    const std::lock_guard<std::mutex> lock(mu_);
    if (!full_) return;
    refused_ = true;
  }
  if (owner != nullptr) owner->OnUpstreamFull(-1);
}

void UpstreamConnection::OnSocket(uint32_t epoll_events) {
  const bool dead = (epoll_events & (EPOLLHUP | EPOLLERR)) != 0;
  bool connecting;
  bool closed = false;
  bool ended = false;
  int event = kLocalClose;
  Change change;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ == State::kClosed) return;
    if (dead) dead_ = true;
    if (dead || (epoll_events & EPOLLRDHUP) != 0) hung_up_ = true;
    if (hung_up_ || (epoll_events & EPOLLIN) != 0) readable_ = true;
    connecting = state_ == State::kConnecting;
    // A close that was asked for before it is connected: Attend is on its way.
    if (connecting && (close_type_ >= 0 || (!dead && (epoll_events & EPOLLOUT) == 0))) return;
    if (!connecting) {
      if ((epoll_events & EPOLLOUT) != 0 || dead) Flush();
      change = QueueChange();
      const bool closing = close_type_ >= 0;
      // Dead, and its end of stream has been read: there is nothing left to read that would tell.
      const bool gone = dead_ && peer_ended_ && !fin_sent_;
      closed = gone || (closing && (out_.empty() || dead));
      if (gone || write_failed_) event = kRemoteClose;
      ended = fin_sent_ && peer_ended_;
    }
  }
  if (connecting) return FinishConnecting();
  Tell(change);
  if (closed) return Finish(event);
  if (ended) return Finish(kLocalClose);
  GiveToRead();
}

// Has what is to be read, if anything is, read by the owner's worker, or here if there is none.
void UpstreamConnection::GiveToRead() {
  const auto owner = owner_.lock();
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!HasTurn()) return;
    with_worker_ = owner != nullptr;
  }
  if (owner != nullptr) {
    if (owner->GiveToRead(shared_from_this())) return;
    const std::lock_guard<std::mutex> lock(mu_);
    with_worker_ = false;
  }
  // Kept for the calls: the plugin opens further upstreams in them.
  const DownstreamConnection::Scope scope(owner.get());
  Read();
  bool more;
  int end;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    more = HasTurn();
    end = end_;
  }
  if (end >= 0) {
    Finish(end);
  } else if (more) {
    auto self = shared_from_this();
    loop_.Post([self] { self->GiveToRead(); });
  }
}

bool UpstreamConnection::ReadOnWorker() {
  if (Read()) return true;
  LeaveWorker();
  return false;
}

void UpstreamConnection::LeaveWorker() {
  std::unique_lock<std::mutex> lock(mu_);
  with_worker_ = false;
  // What the loop could not do meanwhile.
  if (std::exchange(attend_later_, false) || end_ >= 0) {
    RequestAttention(std::move(lock));
  } else if (HasTurn()) {  // told, or allowed to read again, since Read has looked
    auto self = shared_from_this();
    lock.unlock();
    loop_.Post([self] { self->GiveToRead(); });
  }
}

// Whoever's turn it is. The end of the connection is left in end_, for the loop.
bool UpstreamConnection::Read() {
  std::vector<char>& buffer = Scratch();
  bool full = false;
  for (int turn = 0; turn < kReadsPerTurn; turn++) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (!MayRead()) return false;
      readable_ = false;
    }
    // While it is this thread's turn nobody closes the socket, so it is there without the lock.
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
    const bool none = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    const bool interrupted = size < 0 && errno == EINTR;
    if (size <= 0 && !none && !interrupted) {
      const bool half = size == 0 && half_close_.load(std::memory_order_relaxed);
      {
        const std::lock_guard<std::mutex> lock(mu_);
        peer_ended_ = half;
        if (!half || fin_sent_ || dead_) end_ = kRemoteClose;
      }
      if (half) GetPlugin().on_upstream_data(wrapper_, 0, 0, 0, 1);
      return false;
    }
    if (size > 0 && receiver_ != 0) {
      const rocketmq_proxy_slice slice{buffer.data(), static_cast<uint64_t>(size)};
      GetPlugin().terminal_data(receiver_, &slice, 1);
    } else if (size > 0) {
      const EnvoyBuffer slice{buffer.data(), static_cast<size_t>(size)};
      GetPlugin().on_upstream_data(wrapper_, slice.length, reinterpret_cast<GoUint64>(&slice), 1,
                                   0);
    }
    full = size > 0 && static_cast<size_t>(size) == buffer.size();
    {
      // Less than there is room for: what comes next is told, but for an end that was told already.
      // (And for what follows urgent data, which no broker sends.)
      const std::lock_guard<std::mutex> lock(mu_);
      if (full || interrupted || (hung_up_ && !none)) readable_ = true;
      if (!readable_) return false;
    }
  }
  return full;
}

void UpstreamConnection::CloseSocket(int close_type) {
  if (fd_ < 0) return;
  if (close_type == kAbortReset) {
    const linger reset{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  } else if (Flushes(close_type)) {
    // Closed with received bytes unread, Linux sends a reset, and the peer may lose what was
    // flushed to it.
    std::vector<char>& nowhere = Scratch();
    for (size_t total = 0; total < kMaxDiscard;) {
      const ssize_t size = recv(fd_, nowhere.data(), nowhere.size(), MSG_TRUNC);
      if (size <= 0) break;
      total += static_cast<size_t>(size);
    }
  }
  loop_.Remove(fd_, token_);
  close(fd_);
  fd_ = -1;
}

void UpstreamConnection::Finish(int event) {
  // The loop lets go of us here.
  const auto self = shared_from_this();
  bool was_open;
  bool tell;
  Change change;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ == State::kClosed) return;
    if (with_worker_) {  // It asks for attention when it is done.
      end_ = event;
      return;
    }
    was_open = state_ == State::kOpen;
    state_ = State::kClosed;
    CloseSocket(close_type_);
    out_.Clear();
    g_lingering.fetch_sub(lingering_, std::memory_order_relaxed);
    change = QueueChange();
    tell = !abandoned_;
  }
  Tell(change);
  if (!tell) return;
  const auto owner = owner_.lock();
  const DownstreamConnection::Scope scope(owner.get());
  // The plugin may finalize the wrapper within the call.
  if (was_open) {
    GetPlugin().on_upstream_event(wrapper_, event);
  } else {
    // Closed before it was ready: the plugin still waits for one or the other.
    GetPlugin().on_upstream_failure(wrapper_, kLocalConnectionFailure, connection_id_);
  }
}

void UpstreamConnection::Fail(PoolFailure reason) {
  const auto self = shared_from_this();
  bool tell;
  Change change;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    CloseSocket(kNoFlush);
    out_.Clear();
    change = QueueChange();
    tell = !abandoned_;
  }
  Tell(change);
  if (!tell) return;
  const auto owner = owner_.lock();
  const DownstreamConnection::Scope scope(owner.get());
  GetPlugin().on_upstream_failure(wrapper_, reason, connection_id_);
}

std::string_view UpstreamConnection::remote_address() {
  const std::lock_guard<std::mutex> lock(mu_);
  return remote_;
}

}  // namespace rocketmq_proxy
