// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include <dlfcn.h>
#include <sys/prctl.h>

#include <cstdlib>

namespace rocketmq_proxy {
namespace {

constexpr char kPluginVariable[] = "ROCKETMQ_PROXY_PLUGIN";
constexpr char kPluginFile[] = "librocketmq_proxy.so";

std::string ModulePath() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&ModulePath), &self) == 0 || self.dli_fname == nullptr) {
    return "";
  }
  return self.dli_fname;
}

template <typename Function>
bool Resolve(void* library, const char* name, Function** out, std::string* error) {
  *out = reinterpret_cast<Function*>(dlsym(library, name));
  if (*out != nullptr) return true;
  *error = std::string("it does not export ") + name;
  return false;
}

// Lets the threads that are started while it lives oversleep by up to 5 ms, for as long as they
// run. Meant for those of Go's runtime: its monitor otherwise wakes about every 75 us for as long
// as calls come in, since it looks for what has run 10 ms or longer, and starts again at its
// shortest pause whenever it finds one of Envoy's threads.
class ScopedTimerSlack {
 public:
  ScopedTimerSlack() : before_(prctl(PR_GET_TIMERSLACK)) { prctl(PR_SET_TIMERSLACK, kSlack); }
  ~ScopedTimerSlack() {
    if (before_ > 0) prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(before_));
  }
  ScopedTimerSlack(const ScopedTimerSlack&) = delete;
  ScopedTimerSlack& operator=(const ScopedTimerSlack&) = delete;

 private:
  static constexpr unsigned long kSlack = 5'000'000;  // ns
  const int before_;
};

}  // namespace

std::string PluginPath() {
  const char* named = std::getenv(kPluginVariable);
  if (named != nullptr && *named != '\0') return named;
  const std::string self = ModulePath();
  const size_t slash = self.rfind('/');
  return slash == std::string::npos ? kPluginFile : self.substr(0, slash + 1) + kPluginFile;
}

bool OpenPlugin(const std::string& path, Plugin* p, std::string* error) {
  // Lazy: the plugin can be run by contrib Envoy too, and imports functions of that one which
  // nobody defines here and nobody calls. Never closed: a Go runtime cannot be unloaded.
  void* library = nullptr;
  {
    const ScopedTimerSlack slack;
    library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
  }
  if (library == nullptr) {
    const char* const text = dlerror();
    *error = text == nullptr ? "unknown error" : text;
    return false;
  }
  return Resolve(library, "rocketmqProxyAttach", &p->attach, error) &&
         Resolve(library, "rocketmqProxyConfigNew", &p->config_new, error) &&
         Resolve(library, "rocketmqProxyConfigDestroy", &p->config_destroy, error) &&
         Resolve(library, "rocketmqProxyOpen", &p->open, error) &&
         Resolve(library, "rocketmqProxyData", &p->data, error) &&
         Resolve(library, "rocketmqProxyWake", &p->wake, error) &&
         Resolve(library, "rocketmqProxyDrained", &p->drained, error) &&
         Resolve(library, "rocketmqProxyClose", &p->close, error) &&
         Resolve(library, "rocketmqProxyUpstreamReady", &p->upstream_ready, error) &&
         Resolve(library, "rocketmqProxyUpstreamData", &p->upstream_data, error) &&
         Resolve(library, "rocketmqProxyUpstreamFull", &p->upstream_full, error) &&
         Resolve(library, "rocketmqProxyUpstreamDrained", &p->upstream_drained, error) &&
         Resolve(library, "rocketmqProxyUpstreamClosed", &p->upstream_closed, error);
}

}  // namespace rocketmq_proxy
