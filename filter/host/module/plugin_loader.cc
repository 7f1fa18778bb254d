// SPDX-License-Identifier: Apache-2.0
//
// The plugin of this process. The module's unit tests link another in its place.
#include "host_functions.h"
#include "plugin.h"

namespace rocketmq_proxy {
namespace {

struct Loaded {
  Plugin plugin{};
  std::string error;  // kept, so that each config that fails says why
};

Loaded Load() {
  Loaded loaded;
  const std::string path = PluginPath();
  if (!OpenPlugin(path, &loaded.plugin, &loaded.error)) {
    loaded.error = "cannot use the plugin " + path + ": " + loaded.error +
                   ". Put librocketmq_proxy.so of the same release beside this module, or set "
                   "ROCKETMQ_PROXY_PLUGIN to its path.";
    return loaded;
  }
  loaded.plugin.handle = loaded.plugin.attach(HostFunctions());
  if (loaded.plugin.handle == 0) {
    loaded.error = "the plugin " + path + " does not speak version " +
                   std::to_string(ROCKETMQ_PROXY_HOST_VERSION) +
                   " of the host contract. Install module and plugin of the same release.";
  }
  return loaded;
}

}  // namespace

const Plugin* LoadPlugin(std::string* error) {
  static const Loaded* const loaded = new Loaded(Load());  // Leaked: Go's threads outlive main().
  if (loaded->error.empty()) return &loaded->plugin;
  *error = loaded->error;
  return nullptr;
}

}  // namespace rocketmq_proxy
