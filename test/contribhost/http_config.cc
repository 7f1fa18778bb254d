// SPDX-License-Identifier: Apache-2.0
#include "http_config.h"

#include "plugin.h"

namespace contrib {

struct HttpPluginConfig::Handle : HttpConfig {
  std::weak_ptr<HttpPluginConfig> of;
};

std::shared_ptr<HttpPluginConfig> HttpPluginConfig::Create(std::string plugin_name) {
  // Not make_shared: the constructor is private.
  std::shared_ptr<HttpPluginConfig> config(new HttpPluginConfig(std::move(plugin_name)));
  auto* const handle = new Handle;  // deleted by envoyGoConfigHttpFinalize
  handle->plugin_name = reinterpret_cast<uint64_t>(config->plugin_name_.data());
  handle->plugin_name_size = config->plugin_name_.size();
  handle->of = config;
  config->id_ = GetPlugin().on_http_config(handle);
  return config->id_ == 0 ? nullptr : config;
}

HttpPluginConfig::~HttpPluginConfig() {
  if (id_ != 0) GetPlugin().on_http_config_destroy(id_, 0);
}

std::shared_ptr<HttpPluginConfig> HttpPluginConfig::Of(void* handle) {
  return static_cast<Handle*>(handle)->of.lock();
}

void HttpPluginConfig::Finalize(void* handle) {
  const std::unique_ptr<Handle> owned(static_cast<Handle*>(handle));
}

}  // namespace contrib
