// SPDX-License-Identifier: Apache-2.0
//
// Contrib Envoy played by a stock one, for tests: there the plugin is not attached, network filters
// have no metrics, a config of the Golang HTTP filter has them, and the remote address of a
// connection is the peer of its socket.
#pragma once

#include <memory>
#include <string_view>

#include "golang_abi.h"

namespace rocketmq_proxy {

// Whether the environment asks for it: $ROCKETMQ_PROXY_AS_CONTRIB is set. Then only the last filter
// of a chain can be had, and one more filter_name: that of a config of the HTTP filter.
bool AsContrib();

// A config of the HTTP filter with our plugin.
// Threads: made on the main thread, with metrics of Envoy to be defined; the rest is for any
// thread. Lifetime: that of Envoy's config. What the plugin holds of it, its handle, is a thing of
// its own, made here and freed by envoyGoConfigHttpFinalize.
class HttpPluginConfig : public std::enable_shared_from_this<HttpPluginConfig> {
 public:
  // Null if the plugin rejects it.
  static std::shared_ptr<HttpPluginConfig> Create(std::string_view plugin_name);
  ~HttpPluginConfig();
  HttpPluginConfig(const HttpPluginConfig&) = delete;
  HttpPluginConfig& operator=(const HttpPluginConfig&) = delete;

  // Whether the config of a handle is no more.
  static bool IsGone(void* handle);
  static void Finalize(void* handle);

 private:
  struct Handle;
  explicit HttpPluginConfig(std::string_view plugin_name) : plugin_name_(plugin_name) {}

  const std::string_view plugin_name_;
  GoUint64 id_ = 0;
};

}  // namespace rocketmq_proxy
