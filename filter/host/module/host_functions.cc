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
        auto* filter = ChainFilter::InCall(connection);
        return filter != nullptr && filter->DownstreamFull() ? 1 : 0;
      },
      [](uint64_t connection, int flush) {
        if (auto* filter = ChainFilter::InCall(connection)) filter->Close(flush != 0);
      },
      [](uint64_t connection) { ChainFilter::Wake(connection); },
      [](uint64_t receiver) -> void* {
        auto* const connection = DownstreamConnection::Current();
        if (connection != nullptr) connection->set_receiver(receiver);
        return connection;
      },
      [](uint64_t receiver) {
        if (auto* connection = UpstreamConnection::Opening()) connection->set_receiver(receiver);
      },
      [](void* connection) {
        const auto* downstream = static_cast<const DownstreamConnection*>(connection);
        return downstream != nullptr && downstream->Full() ? 1 : 0;
      },
      [](void* downstream, const char* address, uint64_t size, uint64_t connection_id) -> void* {
        // Deleted by envoyGoFilterUpstreamFinalize.
        auto* const wrapper = new UpstreamWrapper;
        UpstreamConnection::Connect({address, static_cast<size_t>(size)}, connection_id, wrapper,
                                    static_cast<DownstreamConnection*>(downstream));
        return wrapper;
      },
      [](void* connection, const void* data, uint64_t size) {
        size_t kept = 0;
        static_cast<UpstreamWrapper*>(connection)
            ->connection->Write({static_cast<const char*>(data), static_cast<size_t>(size)}, false,
                                &kept);
        return static_cast<uint64_t>(kept);
      },
  };
  return &host;
}

}  // namespace rocketmq_proxy
