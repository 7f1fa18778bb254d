// SPDX-License-Identifier: Apache-2.0
#include "upstream_connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "downstream_connection.h"
#include "flow_control.h"

namespace rocketmq_proxy {
namespace {

// How long a connection that is being closed may take to send what is queued.
constexpr std::chrono::seconds kFlushTimeout(5);
// Reads of one socket in a row, before others get their turn.
constexpr int kReadsPerTurn = 2;
// More than most frames have: one that is not there whole is copied once more.
constexpr size_t kReadSize = 256 << 10;

std::atomic<size_t> g_lingering{0};

// Where this thread reads to.
std::vector<char>& Scratch() {
  static thread_local std::vector<char> scratch(kReadSize);
  return scratch;
}

}  // namespace

UpstreamConnection::UpstreamConnection(const Plugin& plugin, uint64_t handle, std::string address,
                                       const std::shared_ptr<DownstreamConnection>& owner)
    : plugin_(plugin),
      handle_(handle),
      address_(std::move(address)),
      owner_(owner),
      loop_(EventLoop::ForKey(owner->worker_index())),
      socket_(loop_) {}

void UpstreamConnection::Start() {
  loop_.Post([self = shared_from_this()] { self->Connect(); });
}

void UpstreamConnection::Connect() {
  UpstreamSocket::Started started;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    started = socket_.Connect(address_, shared_from_this());
  }
  if (started == UpstreamSocket::Started::kNoSocket) return Finish(ROCKETMQ_PROXY_NO_SOCKET);
  if (started == UpstreamSocket::Started::kRefused) return Finish(ROCKETMQ_PROXY_CONNECT_FAILED);
}

void UpstreamConnection::FinishConnecting() {
  bool connected;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ != State::kConnecting) return;  // Closed meanwhile: RunRequests is on its way.
    connected = socket_.FinishConnecting();
    if (connected) state_ = State::kOpen;
  }
  if (!connected) return Finish(ROCKETMQ_PROXY_CONNECT_FAILED);
  plugin_.upstream_ready(handle_);
  HandToWorker();  // What came with the word that it is connected is not reported again.
}

size_t UpstreamConnection::Write(std::string_view data) {
  std::unique_lock<std::mutex> lock(mu_);
  if (state_ != State::kOpen || socket_.peer() == UpstreamSocket::Peer::kLost) return 0;
  const size_t before = socket_.queued();
  socket_.Send(data);
  if (socket_.peer() == UpstreamSocket::Peer::kLost) {
    PostRequests(std::move(lock));
    return 0;  // The end of the connection tells, as of every loss.
  }
  const size_t kept = socket_.queued() - before;
  kept_ += kept;
  const QueueChange change = TakeQueueChange();
  lock.unlock();
  NotifyFullness(change);
  return kept;
}

void UpstreamConnection::Close() {
  std::unique_lock<std::mutex> lock(mu_);
  if (state_ != State::kConnecting && state_ != State::kOpen) return;
  state_ = State::kClosing;
  const QueueChange change = TakeQueueChange();  // The client need not wait for the flush.
  PostRequests(std::move(lock));
  NotifyFullness(change);
}

void UpstreamConnection::PostRequests(std::unique_lock<std::mutex> lock) {
  if (requests_ != Requests::kNone) return;
  requests_ = Requests::kPosted;
  lock.unlock();
  loop_.Post([self = shared_from_this()] { self->RunRequests(); });
}

void UpstreamConnection::RunRequests() {
  bool over;
  QueueChange change;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    requests_ = Requests::kNone;
    if (state_ == State::kClosed) return;
    if (turn_ == Turn::kWorker) {
      requests_ = Requests::kDeferred;
      return;
    }
    if (state_ == State::kClosing) {
      socket_.Flush();
      if (MaySendRest()) {
        loop_.RunAfter(kFlushTimeout,
                       [self = shared_from_this()] { self->Finish(ROCKETMQ_PROXY_CLOSED); });
        return;
      }
    }
    over = state_ != State::kOpen;
    change = TakeQueueChange();
  }
  NotifyFullness(change);
  if (over) return Finish(ROCKETMQ_PROXY_CLOSED);
  HandToWorker();  // The peer is lost, which reading reports.
}

bool UpstreamConnection::MaySendRest() {
  const size_t rest = socket_.queued();
  if (rest == 0) return false;
  if (lingering_ > 0) return true;
  if (g_lingering.fetch_add(rest, std::memory_order_relaxed) + rest > kMaxLingering) {
    g_lingering.fetch_sub(rest, std::memory_order_relaxed);
    return false;
  }
  lingering_ = rest;
  return true;
}

void UpstreamConnection::UpdateReading() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!HasTurn()) return;
  }
  loop_.Post([self = shared_from_this()] { self->HandToWorker(); });
}

bool UpstreamConnection::MayRead() const {
  if (state_ != State::kOpen) return false;
  const auto owner = owner_.lock();
  return owner != nullptr && !owner->Full();
}

bool UpstreamConnection::HasTurn() const {
  return socket_.readable() && turn_ == Turn::kLoop && MayRead();
}

UpstreamConnection::QueueChange UpstreamConnection::TakeQueueChange() {
  using Event = QueueChange::Event;
  QueueChange change;
  // One that has ended or is being closed the plugin has forgotten: it hears nothing, and the
  // client is not held back.
  const bool forgotten = state_ == State::kClosing || state_ == State::kClosed;
  const size_t queued = socket_.queued();
  if (!forgotten) change.drained = kept_ - queued;
  kept_ = queued;
  if (fullness_ == Fullness::kTaking) {
    if (!forgotten && queued > kQueueHigh) {
      fullness_ = Fullness::kFull;
      full_count_++;
      change.event = Event::kFull;
    }
  } else if (forgotten || queued < kQueueLow) {
    if (fullness_ == Fullness::kFull) {
      change.event = Event::kTaking;
    } else if (!forgotten) {
      change.event = Event::kNoLongerRefused;
    }
    fullness_ = Fullness::kTaking;
  }
  return change;
}

void UpstreamConnection::NotifyFullness(const QueueChange& change) {
  using Event = QueueChange::Event;
  // On the loop's thread, as all that makes room, and so outside of the plugin.
  if (change.drained > 0) plugin_.upstream_drained(handle_, change.drained);
  if (change.event == Event::kNone) return;
  if (change.event == Event::kNoLongerRefused) {
    plugin_.upstream_full(handle_, 0);
    return;
  }
  const bool full = change.event == Event::kFull;
  if (const auto owner = owner_.lock()) owner->OnUpstreamFull(full ? 1 : -1);
  if (!full) return;
  uint64_t n;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    n = full_count_;
  }
  loop_.RunAfter(kFullPatience, [self = shared_from_this(), n] { self->OnStillFull(n); });
}

void UpstreamConnection::OnStillFull(uint64_t n) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ != State::kOpen || fullness_ != Fullness::kFull || full_count_ != n) return;
  }
  if (plugin_.upstream_full(handle_, 1) == 0) return;
  {
    // Nothing but this thread makes room, but any may have asked for a close meanwhile.
    const std::lock_guard<std::mutex> lock(mu_);
    if (fullness_ != Fullness::kFull) return;
    fullness_ = Fullness::kRefused;
  }
  if (const auto owner = owner_.lock()) owner->OnUpstreamFull(-1);
}

void UpstreamConnection::OnSocket(uint32_t epoll_events) {
  bool connecting;
  bool over = false;
  QueueChange change;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (state_ == State::kClosed) return;
    const bool gone = socket_.OnEvents(epoll_events);
    const bool writable = gone || (epoll_events & EPOLLOUT) != 0;
    connecting = state_ == State::kConnecting;
    if (connecting && !writable) return;
    if (!connecting) {
      if (writable) socket_.Flush();
      change = TakeQueueChange();
      over = state_ == State::kClosing && (gone || socket_.queued() == 0);
    }
  }
  if (connecting) return FinishConnecting();
  NotifyFullness(change);
  if (over) return Finish(ROCKETMQ_PROXY_CLOSED);
  HandToWorker();
}

void UpstreamConnection::HandToWorker() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!HasTurn()) return;
    turn_ = Turn::kWorker;
  }
  const auto owner = owner_.lock();
  if (owner != nullptr && owner->HandToWorker(shared_from_this())) return;
  // The client's connection has ended, and is about to close this one.
  const std::lock_guard<std::mutex> lock(mu_);
  turn_ = Turn::kLoop;
}

bool UpstreamConnection::ReadOnWorker() {
  if (Read()) return true;
  ReturnToLoop();
  return false;
}

void UpstreamConnection::ReturnToLoop() {
  std::unique_lock<std::mutex> lock(mu_);
  turn_ = Turn::kLoop;
  // What the loop could not do meanwhile.
  if (requests_ == Requests::kDeferred || state_ != State::kOpen) {
    if (requests_ == Requests::kDeferred) requests_ = Requests::kNone;
    PostRequests(std::move(lock));
  } else if (HasTurn()) {  // reported, or allowed to be read again, since Read has looked
    lock.unlock();
    loop_.Post([self = shared_from_this()] { self->HandToWorker(); });
  }
}

bool UpstreamConnection::Read() {
  std::vector<char>& buffer = Scratch();
  bool full = false;
  for (int read = 0; read < kReadsPerTurn; read++) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (!MayRead()) return false;
      socket_.BeginReading();
    }
    const ssize_t size = socket_.Receive(buffer.data(), buffer.size());
    const bool interrupted = size < 0 && errno == EINTR;
    const bool nothing = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (size > 0) {
      const rocketmq_proxy_slice slice{buffer.data(), static_cast<uint64_t>(size)};
      plugin_.upstream_data(handle_, &slice, 1);
    }
    full = size > 0 && static_cast<size_t>(size) == buffer.size();
    const std::lock_guard<std::mutex> lock(mu_);
    if (size <= 0 && !nothing && !interrupted) {
      if (state_ == State::kOpen) state_ = State::kEnded;
      return false;
    }
    if (!nothing) socket_.EndReading(full || interrupted);
    if (!socket_.readable()) return false;
  }
  return full;
}

void UpstreamConnection::Finish(int how) {
  const auto self = shared_from_this();  // The loop lets go of us here.
  QueueChange change;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    // While the turn is the worker's, the rest follows when it comes back.
    if (state_ == State::kClosed || turn_ == Turn::kWorker) return;
    socket_.Close(state_ == State::kClosing);
    state_ = State::kClosed;
    g_lingering.fetch_sub(lingering_, std::memory_order_relaxed);
    change = TakeQueueChange();
  }
  NotifyFullness(change);
  plugin_.upstream_closed(handle_, how);
}

}  // namespace rocketmq_proxy
