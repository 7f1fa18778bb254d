// SPDX-License-Identifier: Apache-2.0
#include "filter_config.h"

#include <cstdlib>
#include <optional>

#include "chain_filter.h"
#include "connection.h"
#include "event_loop.h"
#include "scheduler.h"
#include "terminal_filter.h"

namespace rocketmq_proxy {
namespace {

constexpr std::string_view kTerminalName = "rocketmq_proxy";
constexpr std::string_view kChainedName = "rocketmq_proxy_chain";

std::optional<Role> ParseRole(std::string_view filter_name) {
  if (filter_name == kTerminalName) return Role::kTerminal;
  if (filter_name == kChainedName) return Role::kChained;
  return std::nullopt;
}

void LogLines(std::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) {
      Log(LogLevel::kError, (LogLine() << "rocketmq_proxy: config: ").Escape(line));
    }
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

FilterConfig::FilterConfig(const Plugin& plugin, Role role, void* envoy_config)
    : plugin_(plugin), role_(role), stats_(std::make_shared<ConfigStats>(envoy_config)) {}

std::unique_ptr<FilterConfig> FilterConfig::Create(void* envoy_config, std::string_view filter_name,
                                                   std::string_view bytes) {
  const std::optional<Role> role = ParseRole(filter_name);
  if (!role) {
    LogLine line;
    (line << "rocketmq_proxy: unknown filter_name ").Quote(filter_name);
    (line << ": use ").Quote(kTerminalName);
    (line << " (terminal_filter: true) or ").Quote(kChainedName);
    line << " (in front of envoy.filters.network.tcp_proxy)";
    Log(LogLevel::kError, line);
    return nullptr;
  }
  std::string error;
  const Plugin* const plugin = LoadPlugin(&error);
  if (plugin == nullptr) {
    Log(LogLevel::kError, (LogLine() << "rocketmq_proxy: ").Escape(error));
    return nullptr;
  }
  // Envoy answers this on the main thread only.
  EventLoop::SetWorkers(envoy_dynamic_module_callback_get_concurrency());
  // Not make_unique: the constructor is private.
  std::unique_ptr<FilterConfig> config(new FilterConfig(*plugin, *role, envoy_config));
  char* errors = nullptr;
  config->handle_ = plugin->config_new(plugin->handle, static_cast<int>(*role), ToSlice(bytes),
                                       config->stats_.get(), &errors);
  if (config->handle_ != 0) return config;
  LogLines(errors == nullptr ? "" : errors);
  std::free(errors);
  return nullptr;
}

FilterConfig::~FilterConfig() {
  if (handle_ != 0 && Scheduler::InsideCommit()) {
    // We are inside a call that the plugin makes, perhaps under a lock of its own.
    EventLoop::ForKey(0).Post(
        [&plugin = plugin_, handle = handle_, stats = stats_] { plugin.config_destroy(handle); });
  } else if (handle_ != 0) {
    // Before the stats end, so that the plugin can still settle what it has counted.
    plugin_.config_destroy(handle_);
  }
  stats_->Detach();
}

std::unique_ptr<Filter> FilterConfig::NewFilter(void* envoy_filter) const {
  if (role_ == Role::kChained) return std::make_unique<ChainFilter>(*this, envoy_filter);
  return std::make_unique<TerminalFilter>(*this, envoy_filter);
}

}  // namespace rocketmq_proxy
