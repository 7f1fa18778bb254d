// SPDX-License-Identifier: Apache-2.0
#include "upstream_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "address.h"

namespace rocketmq_proxy {
namespace {

// Received bytes that are thrown away at a graceful close.
constexpr size_t kMaxDiscard = 1 << 20;

// Whether hardly any files are left. These are Envoy's: it dies when it cannot make a socket. The
// kernel assigns the lowest number that is free, so a high one says how many are in use.
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

}  // namespace

UpstreamSocket::Started UpstreamSocket::Connect(const std::string& address,
                                                std::shared_ptr<EventLoop::Watcher> watcher) {
  SocketAddress to;
  if (!ParseAddress(address, &to)) return Started::kNoSocket;
  const int fd = socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Started::kNoSocket;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  DetectDeadPeer(fd);
  Started started = Started::kConnecting;
  if (IsOneOfTheLast(fd)) {
    started = Started::kNoSocket;
  } else if (connect(fd, to.get(), to.size) != 0 && errno != EINPROGRESS) {
    started = Started::kRefused;
  } else if ((token_ = loop_.Add(fd, std::move(watcher))) == 0) {
    started = Started::kNoSocket;
  }
  if (started == Started::kConnecting) {
    fd_ = fd;
  } else {
    close(fd);
  }
  return started;
}

bool UpstreamSocket::FinishConnecting() const {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return false;
  // Connected without a socket error, but reset since: there is no peer any more.
  sockaddr_storage peer;
  size = sizeof(peer);
  return getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

bool UpstreamSocket::OnEvents(uint32_t epoll_events) {
  const bool gone = (epoll_events & (EPOLLHUP | EPOLLERR)) != 0;
  if (gone || (epoll_events & EPOLLRDHUP) != 0) peer_ = std::max(peer_, Peer::kEnded);
  if (peer_ != Peer::kThere || (epoll_events & EPOLLIN) != 0) readable_ = true;
  return gone;
}

void UpstreamSocket::Send(std::string_view data) {
  while (queue_.empty() && !data.empty() && peer_ != Peer::kLost) {
    const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data.remove_prefix(static_cast<size_t>(sent));
    } else if (errno != EINTR) {
      OnSendFailure(errno);
      break;
    }
  }
  if (peer_ != Peer::kLost) queue_.Append(data);
}

void UpstreamSocket::Flush() {
  while (!queue_.empty()) {
    const std::string_view bytes = queue_.front();
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      queue_.Drain(static_cast<size_t>(sent));
    } else if (errno != EINTR) {
      return OnSendFailure(errno);
    }
  }
}

// What the peer sent before it went is still to be read; its end comes after that.
void UpstreamSocket::OnSendFailure(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return;  // the loop reports when there is room
  if (error == ENOBUFS || error == ENOMEM) return loop_.LookAgain(fd_, token_);
  peer_ = Peer::kLost;
  readable_ = true;
  queue_.Clear();
}

ssize_t UpstreamSocket::Receive(char* buffer, size_t size) const {
  return recv(fd_, buffer, size, 0);
}

// The loop reports what comes next, but for an end that it has reported already. (And for what
// follows urgent data, which no broker sends.)
void UpstreamSocket::EndReading(bool more) {
  if (more || peer_ != Peer::kThere) readable_ = true;
}

void UpstreamSocket::Close(bool graceful) {
  queue_.Clear();
  if (fd_ < 0) return;
  if (graceful) {
    // Closed with received bytes unread, Linux sends a reset, and the peer may lose what was
    // flushed to it.
    char nowhere[64 << 10];
    for (size_t total = 0; total < kMaxDiscard;) {
      const ssize_t size = recv(fd_, nowhere, sizeof(nowhere), MSG_TRUNC);
      if (size <= 0) break;
      total += static_cast<size_t>(size);
    }
  }
  loop_.Remove(fd_, token_);
  close(fd_);
  fd_ = -1;
}

}  // namespace rocketmq_proxy
