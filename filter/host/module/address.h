// SPDX-License-Identifier: Apache-2.0
//
// Socket addresses as text: "ip:port" and "[v6]:port".
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace rocketmq_proxy {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Numeric addresses only (no names: a lookup would block the event loop). False if malformed.
bool ParseAddress(std::string_view text, SocketAddress* out);

// "1.2.3.4" and 80 to "1.2.3.4:80"; "::1" and 80 to "[::1]:80".
std::string JoinAddress(std::string_view ip, uint32_t port);

// Addresses of a filter's connection; empty when it has no IP address (a pipe).
std::string LocalAddress(void* filter);
// The client: what a listener filter has restored (PROXY protocol), else the peer of the socket.
std::string RemoteAddress(void* filter);

}  // namespace rocketmq_proxy
