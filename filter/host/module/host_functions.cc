// SPDX-License-Identifier: Apache-2.0
#include "host_functions.h"

#include "config_stats.h"
#include "connection.h"
#include "envoy.h"

namespace rocketmq_proxy {
namespace {

std::string_view View(const void* data, uint64_t size) {
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

ConfigStats& Stats(void* stats) { return *static_cast<ConfigStats*>(stats); }
Downstream& ToDownstream(void* connection) { return *static_cast<Downstream*>(connection); }
Upstream& ToUpstream(void* upstream) { return *static_cast<Upstream*>(upstream); }

}  // namespace

const rocketmq_proxy_host* HostFunctions() {
  static const rocketmq_proxy_host host = {
      ROCKETMQ_PROXY_HOST_VERSION,
      [](int level, const char* text, uint64_t size) {
        Log(static_cast<LogLevel>(level), LogLine().Escape(View(text, size)));
      },
      [](void* stats, int kind, const char* name, uint64_t size, uint32_t* id) {
        return Stats(stats).Define(kind, View(name, size), id) ? 1 : 0;
      },
      [](void* stats, uint32_t id, int64_t delta) { Stats(stats).Add(id, delta); },
      [](void* stats, uint32_t id, uint64_t value, uint64_t count) {
        Stats(stats).Record(id, value, count);
      },
      [](void* connection, const void* data, uint64_t size) {
        ToDownstream(connection).Write(View(data, size));
      },
      [](void* connection) { return ToDownstream(connection).Full() ? 1 : 0; },
      [](void* connection, int flush) {
        ToDownstream(connection).Close(flush != 0 ? CloseMode::kFlush : CloseMode::kAbort);
      },
      [](void* connection) { ToDownstream(connection).Wake(); },
      [](void* connection, uint64_t upstream, const char* address, uint64_t size) -> void* {
        return ToDownstream(connection).Connect(upstream, View(address, size));
      },
      [](void* upstream, const void* data, uint64_t size) {
        return static_cast<uint64_t>(ToUpstream(upstream).Write(View(data, size)));
      },
      [](void* upstream) { ToUpstream(upstream).Close(); },
  };
  return &host;
}

}  // namespace rocketmq_proxy
