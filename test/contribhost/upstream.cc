// SPDX-License-Identifier: Apache-2.0
#include "upstream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "address.h"
#include "die.h"
#include "envoy.h"
#include "golang_abi.h"
#include "plugin.h"
#include "slices.h"

namespace contrib {
namespace {

// connect_timeout of the cluster "plainText" in the example configs.
constexpr std::chrono::seconds kConnectTimeout(2);

}  // namespace

Upstream::Upstream(std::string address, uint64_t connection_id)
    : address_(std::move(address)),
      connection_id_(connection_id),
      dispatcher_(Dispatcher::Next()) {}

UpstreamWrapper* Upstream::Open(std::string address, uint64_t connection_id) {
  const auto connection = std::make_shared<Upstream>(std::move(address), connection_id);
  connection->wrapper_ = new UpstreamWrapper;
  connection->wrapper_->connection = connection;
  connection->dispatcher_.Post([connection] { connection->Connect(); });
  return connection->wrapper_;
}

void Upstream::Connect() {
  rocketmq_proxy::SocketAddress address;
  if (!rocketmq_proxy::ParseAddress(address_, &address)) return Fail(kLocalConnectionFailure);
  fd_ = socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Fail(kLocalConnectionFailure);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd_, address.get(), address.size) != 0 && errno != EINPROGRESS) {
    return Fail(kRemoteConnectionFailure);
  }
  dispatcher_.Watch(fd_, EPOLLOUT, shared_from_this());
  dispatcher_.RunAfter(kConnectTimeout, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr && self->state_ == State::kConnecting) self->Fail(kTimeout);
  });
}

void Upstream::CloseSocket() {
  state_ = State::kClosed;
  if (fd_ < 0) return;
  dispatcher_.Forget(fd_);
  close(std::exchange(fd_, -1));
}

void Upstream::Fail(int reason) {
  CloseSocket();
  GetPlugin().on_upstream_failure(wrapper_, reason, connection_id_);
}

void Upstream::End(int event) {
  CloseSocket();
  GetPlugin().on_upstream_event(wrapper_, event);
}

void Upstream::OnWorkerExit() {
  if (state_ == State::kConnecting) return Fail(kLocalConnectionFailure);
  End(rocketmq_proxy::kLocalClose);
}

void Upstream::OnSocket(uint32_t epoll_events) {
  if (state_ == State::kConnecting) return FinishConnecting();
  if ((epoll_events & EPOLLOUT) != 0) Flush();
  if (state_ == State::kOpen && (epoll_events & ~EPOLLOUT) != 0) Read();
}

void Upstream::FinishConnecting() {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Fail(kRemoteConnectionFailure);
  state_ = State::kOpen;
  remote_ = address_;
  dispatcher_.Change(fd_, EPOLLIN);
  GetPlugin().on_upstream_ready(wrapper_, connection_id_);
}

void Upstream::Read() {
  char buffer[64 << 10];
  const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
  if (size > 0) {
    if (closing_) return;
    Slices slices;
    slices.Add({buffer, static_cast<size_t>(size)});
    GetPlugin().on_upstream_data(wrapper_, slices.size(), slices.address(), slices.count(), 0);
  } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
    End(rocketmq_proxy::kRemoteClose);
  }
}

void Upstream::Write(std::string_view data, bool) {
  dispatcher_.Post([self = shared_from_this(), copy = std::string(data)] {
    if (self->state_ == State::kClosed) return;
    if (self->state_ == State::kConnecting)
      Die("a write to an upstream connection that is not ready");
    if (self->closing_) return;
    self->out_.Append(copy);
    self->Flush();
  });
}

void Upstream::Flush() {
  while (!out_.empty()) {
    const std::string_view front = out_.front();
    const ssize_t size = send(fd_, front.data(), front.size(), MSG_NOSIGNAL);
    if (size < 0) {
      if (errno == EAGAIN) break;
      return End(rocketmq_proxy::kRemoteClose);
    }
    out_.Drain(static_cast<size_t>(size));
  }
  if (out_.empty() && closing_) return End(rocketmq_proxy::kLocalClose);
  dispatcher_.Change(fd_, EPOLLIN | (out_.empty() ? 0U : static_cast<uint32_t>(EPOLLOUT)));
}

void Upstream::Close(int type) {
  dispatcher_.Post([self = shared_from_this(), type] {
    if (self->state_ == State::kClosed) return;
    if (self->state_ == State::kConnecting)
      Die("a close of an upstream connection that is not ready");
    const bool flush = type == kFlushWrite || type == kFlushWriteAndDelay;
    if (flush && !self->out_.empty()) {
      self->closing_ = true;
    } else {
      self->End(rocketmq_proxy::kLocalClose);
    }
  });
}

}  // namespace contrib
