// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include <dlfcn.h>

#include <cstdlib>

namespace contrib {
namespace {

Plugin g_plugin;

std::string LastError() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

template <typename Function>
bool Resolve(void* library, const char* name, Function** out, std::string* error) {
  *out = reinterpret_cast<Function*>(dlsym(library, name));
  if (*out == nullptr) *error = LastError();
  return *out != nullptr;
}

// A contrib Envoy has its functions in its executable, where a plugin finds them. A stock one opens
// modules RTLD_LOCAL.
void BecomeGlobal() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&BecomeGlobal), &self) != 0 && self.dli_fname != nullptr) {
    dlopen(self.dli_fname, RTLD_NOLOAD | RTLD_LAZY | RTLD_GLOBAL | RTLD_NODELETE);
  }
}

bool Load(std::string* error) {
  BecomeGlobal();
  const char* const path = std::getenv("ROCKETMQ_PROXY_PLUGIN");
  void* const library = path == nullptr ? nullptr : dlopen(path, RTLD_LAZY);
  if (library == nullptr) {
    *error = path == nullptr ? "$ROCKETMQ_PROXY_PLUGIN is not set" : LastError();
    return false;
  }
  Plugin* const p = &g_plugin;
  return Resolve(library, "envoyGoFilterOnNetworkFilterConfig", &p->on_config, error) &&
         Resolve(library, "envoyGoFilterOnDownstreamConnection", &p->on_downstream_connection,
                 error) &&
         Resolve(library, "envoyGoFilterOnDownstreamData", &p->on_downstream_data, error) &&
         Resolve(library, "envoyGoFilterOnDownstreamWrite", &p->on_downstream_write, error) &&
         Resolve(library, "envoyGoFilterOnDownstreamEvent", &p->on_downstream_event, error) &&
         Resolve(library, "envoyGoFilterOnUpstreamConnectionReady", &p->on_upstream_ready, error) &&
         Resolve(library, "envoyGoFilterOnUpstreamConnectionFailure", &p->on_upstream_failure,
                 error) &&
         Resolve(library, "envoyGoFilterOnUpstreamData", &p->on_upstream_data, error) &&
         Resolve(library, "envoyGoFilterOnUpstreamEvent", &p->on_upstream_event, error) &&
         Resolve(library, "envoyGoFilterOnSemaDec", &p->on_sema_dec, error) &&
         Resolve(library, "envoyGoFilterNewHttpPluginConfig", &p->on_http_config, error) &&
         Resolve(library, "envoyGoFilterDestroyHttpPluginConfig", &p->on_http_config_destroy,
                 error);
}

}  // namespace

bool LoadPlugin(std::string* error) {
  static auto* const why = new std::string;
  static const bool loaded = Load(why);
  *error = *why;
  return loaded;
}

const Plugin& GetPlugin() { return g_plugin; }

}  // namespace contrib
