// SPDX-License-Identifier: Apache-2.0
#include "filter_config.h"

#include <cstdlib>
#include <utility>

#include "chain_filter.h"
#include "event_loop.h"
#include "plugin.h"
#include "scheduler.h"
#include "terminal_filter.h"

namespace rocketmq_proxy {
namespace {

constexpr std::string_view kTerminalName = "rocketmq_proxy";
constexpr std::string_view kChainName = "rocketmq_proxy_chain";
constexpr std::string_view kStatsName = "rocketmq_proxy_stats";

GoUint64 Address(std::string_view text) { return reinterpret_cast<GoUint64>(text.data()); }

// A length-delimited protobuf field.
void AppendField(int number, std::string_view value, std::string* out) {
  out->push_back(static_cast<char>(number << 3 | 2));
  size_t size = value.size();
  for (; size >= 0x80; size >>= 7) out->push_back(static_cast<char>((size & 0x7f) | 0x80));
  out->push_back(static_cast<char>(size));
  out->append(value);
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

bool ParseRole(std::string_view filter_name, Role* out) {
  if (filter_name == kTerminalName) {
    *out = Role::kTerminal;
  } else if (filter_name == kChainName && !AsContrib()) {
    *out = Role::kChain;
  } else if (filter_name == kStatsName && AsContrib()) {
    *out = Role::kStats;
  } else {
    return false;
  }
  return true;
}

std::string WrapConfig(std::string_view bytes) {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && bytes[first] == '{';
  std::string value;
  AppendField(1, bytes, &value);
  std::string any;
  AppendField(1,
              json ? "type.googleapis.com/google.protobuf.StringValue"
                   : "type.googleapis.com/google.protobuf.BytesValue",
              &any);
  AppendField(2, value, &any);
  return any;
}

FilterConfig::FilterConfig(Role role, void* envoy_config)
    : role_(role), metrics_(std::make_unique<ConfigMetrics>(envoy_config)) {}

std::unique_ptr<FilterConfig> FilterConfig::Create(void* envoy_config, std::string_view filter_name,
                                                   std::string_view bytes) {
  Role role;
  if (!ParseRole(filter_name, &role)) {
    LogLine line;
    (line << "rocketmq_proxy: unknown filter_name ").Quote(filter_name);
    (line << ": use ").Quote(kTerminalName);
    (line << " (terminal_filter: true) or ").Quote(kChainName);
    line << " (in front of envoy.filters.network.tcp_proxy)";
    Log(LogLevel::kError, line);
    return nullptr;
  }
  std::string error;
  if (!LoadPlugin(&error)) {
    Log(LogLevel::kError, (LogLine() << "rocketmq_proxy: ").Escape(error));
    return nullptr;
  }
  // Envoy answers this on the main thread only.
  EventLoop::SetWorkers(envoy_dynamic_module_callback_get_concurrency());
  // Not make_unique: the constructor is private.
  std::unique_ptr<FilterConfig> config(new FilterConfig(role, envoy_config));
  const std::string any = WrapConfig(bytes);
  char* errors = nullptr;
  {
    const ConfigMetrics::DefineWindow window(config->metrics_.get());
    if (role == Role::kStats) {
      config->http_ = HttpPluginConfig::Create(kStatsName);
      if (config->http_ == nullptr) return nullptr;
      return config;
    }
    config->golang_id_ = GetPlugin().on_config(Address(kTerminalName), kTerminalName.size(),
                                               Address(any), any.size());
    if (AsContrib()) return config;  // The plugin cannot tell of errors, nor hear of the end.
    config->handle_ = GetPlugin().last_config(role == Role::kChain ? 1 : 0, &errors);
  }
  if (errors == nullptr) return config;
  LogLines(errors);
  std::free(errors);
  return nullptr;  // The destructor tells the plugin.
}

FilterConfig::~FilterConfig() {
  if (handle_ == 0) return;
  const uint64_t handle = handle_;
  if (Scheduler::InsideCommit()) {
    // We are inside a call that the plugin makes, perhaps under a lock of its own.
    EventLoop::ForKey(0).Post([handle] { GetPlugin().config_destroy(handle); });
    return;
  }
  // Before the metrics go, so that the plugin can still settle what it has counted.
  GetPlugin().config_destroy(handle);
}

std::unique_ptr<Filter> FilterConfig::NewFilter(void* envoy_filter) const {
  if (role_ == Role::kStats) return nullptr;  // Envoy closes the connection.
  if (role_ == Role::kChain) return std::make_unique<ChainFilter>(*this, envoy_filter);
  return std::make_unique<TerminalFilter>(*this, envoy_filter);
}

}  // namespace rocketmq_proxy
