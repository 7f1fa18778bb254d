// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include <dlfcn.h>
#include <sys/prctl.h>

#include <cstdlib>

#include "contrib.h"
#include "host_functions.h"

namespace rocketmq_proxy {
namespace {

constexpr char kPluginVariable[] = "ROCKETMQ_PROXY_PLUGIN";
constexpr char kPluginFile[] = "librocketmq_proxy.so";

enum class State { kNotTried, kLoaded, kFailed };
State g_state = State::kNotTried;
Plugin g_plugin;

std::string ModulePath() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&ModulePath), &self) == 0 || self.dli_fname == nullptr) {
    return "";
  }
  return self.dli_fname;
}

std::string LastError() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

template <typename Function>
bool Resolve(void* library, const char* name, Function** out, std::string* error) {
  *out = reinterpret_cast<Function*>(dlsym(library, name));
  if (*out != nullptr) return true;
  *error = std::string("it does not export ") + name;
  return false;
}

// Envoy opens modules RTLD_LOCAL. The plugin has no library to link against for what it imports
// from us, so its loader must find those functions in the global scope.
bool BecomeGlobal(std::string* error) {
  const std::string self = ModulePath();
  if (dlopen(self.c_str(), RTLD_NOLOAD | RTLD_LAZY | RTLD_GLOBAL | RTLD_NODELETE) != nullptr) {
    return true;
  }
  *error = "cannot make " + self + " global: " + LastError();
  return false;
}

// While it lives, threads that are made may oversleep by up to 5 ms; they keep that. Made for the
// threads of Go's runtime, one of which, its monitor, otherwise wakes about every 75 us for as long
// as calls come in: it looks for what has run 10 ms or longer, and each time that it finds a thread
// of Envoy's it starts anew at its shortest pause.
class DrowsyThreads {
 public:
  DrowsyThreads() : before_(prctl(PR_GET_TIMERSLACK)) { prctl(PR_SET_TIMERSLACK, kOversleep); }
  ~DrowsyThreads() {
    if (before_ > 0) prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(before_));
  }
  DrowsyThreads(const DrowsyThreads&) = delete;
  DrowsyThreads& operator=(const DrowsyThreads&) = delete;

 private:
  static constexpr unsigned long kOversleep = 5'000'000;  // ns
  const int before_;
};

bool Load(std::string* error) {
  const std::string path = PluginPath();
  if (!BecomeGlobal(error)) return false;
  if (!OpenPlugin(path, &g_plugin, error)) {
    *error = "cannot use the plugin " + path + ": " + *error + ". Put " + kPluginFile +
             " of the same release beside this module, or set " + kPluginVariable + " to its path.";
    return false;
  }
  if (!AsContrib() && g_plugin.attach(HostFunctions()) != 0) {
    *error = "the plugin " + path + " does not speak version " +
             std::to_string(ROCKETMQ_PROXY_HOST_VERSION) +
             " of the host contract. Install module and plugin of the same release.";
    return false;
  }
  return true;
}

}  // namespace

std::string PluginPath() {
  const char* named = std::getenv(kPluginVariable);
  if (named != nullptr && *named != '\0') return named;
  const std::string self = ModulePath();
  const size_t slash = self.rfind('/');
  return slash == std::string::npos ? kPluginFile : self.substr(0, slash + 1) + kPluginFile;
}

bool OpenPlugin(const std::string& path, Plugin* p, std::string* error) {
  // Lazy: the Golang API that the plugin is built on declares functions of other filter kinds too,
  // which nobody defines here and nobody calls. Never closed: a Go runtime cannot be unloaded.
  void* library = nullptr;
  {
    const DrowsyThreads threads;
    library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
  }
  if (library == nullptr) {
    *error = LastError();
    return false;
  }
  const bool ok =
      Resolve(library, "envoyGoFilterOnNetworkFilterConfig", &p->on_config, error) &&
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
      Resolve(library, "envoyGoFilterDestroyHttpPluginConfig", &p->on_http_config_destroy, error) &&
      Resolve(library, "rocketmqProxyAttach", &p->attach, error) &&
      Resolve(library, "rocketmqProxyLastConfig", &p->last_config, error) &&
      Resolve(library, "rocketmqProxyConfigDestroy", &p->config_destroy, error) &&
      Resolve(library, "rocketmqProxyChainOpen", &p->chain_open, error) &&
      Resolve(library, "rocketmqProxyChainData", &p->chain_data, error) &&
      Resolve(library, "rocketmqProxyChainWake", &p->chain_wake, error) &&
      Resolve(library, "rocketmqProxyChainDrained", &p->chain_drained, error) &&
      Resolve(library, "rocketmqProxyChainClose", &p->chain_close, error) &&
      Resolve(library, "rocketmqProxyTerminalData", &p->terminal_data, error) &&
      Resolve(library, "rocketmqProxyTerminalDrained", &p->terminal_drained, error) &&
      Resolve(library, "rocketmqProxyTerminalFull", &p->terminal_full, error) &&
      Resolve(library, "rocketmqProxyUpstreamDrained", &p->upstream_drained, error);
  return ok;
}

const Plugin& GetPlugin() { return g_plugin; }

bool LoadPlugin(std::string* error) {
  // Kept, so that each config that fails says why.
  static std::string* const why = new std::string;
  if (g_state == State::kNotTried) g_state = Load(why) ? State::kLoaded : State::kFailed;
  *error = *why;
  return g_state == State::kLoaded;
}

void InstallPluginForTest(const Plugin& plugin) {
  g_plugin = plugin;
  g_state = State::kLoaded;
}

}  // namespace rocketmq_proxy
