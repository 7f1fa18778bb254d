// SPDX-License-Identifier: Apache-2.0
//
// A config of Envoy's Golang HTTP filter, which has metrics. No request is ever filtered.
#pragma once

#include <memory>
#include <string>

#include "golang_abi.h"

namespace contrib {

// Threads: made on the main thread. Whoever lets go of it last destroys it, and that may be a call
// of the plugin. Lifetime: that of Envoy's config. What the plugin holds, the handle, is made with
// it and freed by the plugin.
class HttpPluginConfig : public std::enable_shared_from_this<HttpPluginConfig> {
 public:
  // Null if the plugin rejects it.
  static std::shared_ptr<HttpPluginConfig> Create(std::string plugin_name);
  ~HttpPluginConfig();
  HttpPluginConfig(const HttpPluginConfig&) = delete;
  HttpPluginConfig& operator=(const HttpPluginConfig&) = delete;

  // The config of a handle, null if it is no more.
  static std::shared_ptr<HttpPluginConfig> Of(void* handle);
  static void Finalize(void* handle);

 private:
  struct Handle;
  explicit HttpPluginConfig(std::string plugin_name) : plugin_name_(std::move(plugin_name)) {}

  const std::string plugin_name_;
  GoUint64 id_ = 0;
};

}  // namespace contrib
