// SPDX-License-Identifier: Apache-2.0
#include "host_functions.h"

#include "chain_filter.h"
#include "downstream_connection.h"
#include "upstream_connection.h"

namespace rocketmq_proxy {

const rocketmq_proxy_host* HostFunctions() {
  static const rocketmq_proxy_host host = {
      ROCKETMQ_PROXY_HOST_VERSION,
      [](uint64_t connection, const void* data, uint64_t size) {
        if (auto* filter = ChainFilter::InCall(connection)) {
          filter->WriteUpstream({static_cast<const char*>(data), static_cast<size_t>(size)});
        }
      },
      [](uint64_t connection, const void* data, uint64_t size) {
        if (auto* filter = ChainFilter::InCall(connection)) {
          filter->WriteDownstream({static_cast<const char*>(data), static_cast<size_t>(size)});
        }
      },
      [](uint64_t connection, const char* address, uint64_t size) {
        auto* filter = ChainFilter::InCall(connection);
        return filter != nullptr && filter->Connect({address, static_cast<size_t>(size)}) ? 1 : 0;
      },
      [](uint64_t connection) {
        if (auto* filter = ChainFilter::InCall(connection)) filter->Close();
      },
      [](uint64_t connection) { ChainFilter::Wake(connection); },
      [](uint64_t receiver) {
        if (auto* connection = DownstreamConnection::Current()) connection->set_receiver(receiver);
      },
      [](uint64_t receiver) {
        if (auto* connection = UpstreamConnection::Opening()) connection->set_receiver(receiver);
      },
  };
  return &host;
}

}  // namespace rocketmq_proxy
