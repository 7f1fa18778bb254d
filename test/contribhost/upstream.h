// SPDX-License-Identifier: Apache-2.0
//
// A connection that the plugin has asked for: in contrib Envoy one of the pool of the cluster
// "plainText".
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "byte_queue.h"
#include "dispatcher.h"
#include "wrapper.h"

namespace contrib {

// Threads: its dispatcher's, to which others post; the addresses may be asked for on any. The
// plugin is called for it beside calls for its client: they have workers of their own.
class Upstream : public Dispatcher::Watcher, public std::enable_shared_from_this<Upstream> {
 public:
  // What the plugin knows the connection by.
  static UpstreamWrapper* Open(std::string address, uint64_t connection_id);

  Dispatcher& dispatcher() { return dispatcher_; }
  void Write(std::string_view data, bool end_stream);
  // Waits with kFlushWrite for as long as the peer reads nothing.
  void Close(int type);

  const std::string& dialled_address() const { return address_; }
  const std::string& remote_address() const { return remote_; }

  void OnSocket(uint32_t epoll_events) override;
  void OnWorkerExit() override;

  Upstream(std::string address, uint64_t connection_id);

 private:
  enum class State { kConnecting, kOpen, kClosed };

  void Connect();
  void Fail(int reason);
  void FinishConnecting();
  void Read();
  void Flush();
  void End(int event);
  void CloseSocket();

  const std::string address_;
  const uint64_t connection_id_;
  Dispatcher& dispatcher_;
  UpstreamWrapper* wrapper_ = nullptr;  // the plugin's, which frees it
  State state_ = State::kConnecting;
  int fd_ = -1;
  std::string remote_;
  rocketmq_proxy::ByteQueue out_;
  bool closing_ = false;  // once out_ is empty
};

}  // namespace contrib
