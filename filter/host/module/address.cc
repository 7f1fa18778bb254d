// SPDX-License-Identifier: Apache-2.0
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "envoy.h"

namespace rocketmq_proxy {
namespace {

bool ParsePort(std::string_view text, uint16_t* out) {
  if (text.empty() || text.size() > 5) return false;
  uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  if (value > 65535) return false;
  *out = static_cast<uint16_t>(value);
  return true;
}

using AddressGetter = bool (*)(void*, EnvoyBuffer*, uint32_t*);

std::string FilterAddress(void* filter, AddressGetter get) {
  EnvoyBuffer ip{};
  uint32_t port = 0;
  return get(filter, &ip, &port) ? JoinAddress(ToView(ip), port) : std::string();
}

}  // namespace

bool ParseAddress(std::string_view text, SocketAddress* out) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  uint16_t port = 0;
  if (!ParsePort(text.substr(colon + 1), &port)) return false;
  std::string ip(text.substr(0, colon));
  if (ip.size() >= 2 && ip.front() == '[' && ip.back() == ']') {
    ip = ip.substr(1, ip.size() - 2);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out->storage);
    *v6 = {};
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out->size = sizeof(*v6);
    return inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out->storage);
  *v4 = {};
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  out->size = sizeof(*v4);
  return inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1;
}

std::string JoinAddress(std::string_view ip, uint32_t port) {
  std::string out;
  const bool v6 = ip.find(':') != std::string_view::npos;
  if (v6) out += '[';
  out += ip;
  if (v6) out += ']';
  out += ':';
  out += std::to_string(port);
  return out;
}

std::string LocalAddress(void* filter) {
  return FilterAddress(filter, envoy_dynamic_module_callback_network_filter_get_local_address);
}

std::string RemoteAddress(void* filter) {
  return FilterAddress(filter, envoy_dynamic_module_callback_network_filter_get_remote_address);
}

}  // namespace rocketmq_proxy
