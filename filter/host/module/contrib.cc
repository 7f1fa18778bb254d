// SPDX-License-Identifier: Apache-2.0
#include "contrib.h"

#include <cstdlib>

#include "plugin.h"

namespace rocketmq_proxy {

// As in Envoy's own filter: what the plugin sees, and a way back that ends with the config.
struct HttpPluginConfig::Handle : HttpConfig {
  std::weak_ptr<HttpPluginConfig> config;
};

bool AsContrib() { return std::getenv("ROCKETMQ_PROXY_AS_CONTRIB") != nullptr; }

std::shared_ptr<HttpPluginConfig> HttpPluginConfig::Create(std::string_view plugin_name) {
  // Not make_shared: the constructor is private.
  std::shared_ptr<HttpPluginConfig> config(new HttpPluginConfig(plugin_name));
  auto* const handle = new Handle;  // deleted by envoyGoConfigHttpFinalize
  handle->plugin_name = reinterpret_cast<uint64_t>(plugin_name.data());
  handle->plugin_name_size = plugin_name.size();
  handle->config = config;
  config->id_ = GetPlugin().on_http_config(handle);
  return config->id_ == 0 ? nullptr : config;
}

HttpPluginConfig::~HttpPluginConfig() {
  if (id_ != 0) GetPlugin().on_http_config_destroy(id_, 0);
}

bool HttpPluginConfig::IsGone(void* handle) {
  return static_cast<Handle*>(handle)->config.expired();
}

void HttpPluginConfig::Finalize(void* handle) {
  const std::unique_ptr<Handle> owned(static_cast<Handle*>(handle));
}

}  // namespace rocketmq_proxy
