// SPDX-License-Identifier: Apache-2.0
#include "filter_config.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "die.h"
#include "dispatcher.h"
#include "envoy.h"
#include "metrics.h"
#include "plugin.h"

namespace contrib {
namespace {

using rocketmq_proxy::Log;
using rocketmq_proxy::LogLevel;
using rocketmq_proxy::LogLine;

constexpr std::string_view kHttp = "http/";

std::mutex g_mu;
auto& g_library_ids =
    *new std::set<std::string, std::less<>>;  // Go's threads outlive static objects

// Each config has its own, as if each user had chosen another; all mean the one library.
std::string NewLibraryId() {
  const std::lock_guard<std::mutex> lock(g_mu);
  return *g_library_ids.insert("library-" + std::to_string(g_library_ids.size())).first;
}

// A length-delimited protobuf field.
void AppendField(int number, std::string_view value, std::string* out) {
  out->push_back(static_cast<char>(number << 3 | 2));
  size_t size = value.size();
  for (; size >= 0x80; size >>= 7) out->push_back(static_cast<char>((size & 0x7f) | 0x80));
  out->push_back(static_cast<char>(size));
  out->append(value);
}

// The serialized google.protobuf.Any that a plugin gets. A stock Envoy has taken the user's type
// off: JSON becomes a StringValue, anything else a BytesValue.
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

GoUint64 Address(const std::string& text) { return reinterpret_cast<GoUint64>(text.data()); }

}  // namespace

bool IsLibraryId(std::string_view id) {
  const std::lock_guard<std::mutex> lock(g_mu);
  return g_library_ids.find(id) != g_library_ids.end();
}

FilterConfig::FilterConfig(void* envoy_config, std::string_view plugin_name)
    : envoy_(envoy_config),
      plugin_name_(plugin_name),
      scheduler_(std::make_shared<rocketmq_proxy::Scheduler>(rocketmq_proxy::Scheduler::kConfig,
                                                             envoy_config)) {}

std::unique_ptr<FilterConfig> FilterConfig::Create(void* envoy_config, std::string_view filter_name,
                                                   std::string_view bytes) {
  const EnvoyThread here;
  std::string error;
  if (!LoadPlugin(&error)) {
    Log(LogLevel::kError, LogLine().Escape(error));
    return nullptr;
  }
  Dispatcher::SetWorkers(envoy_dynamic_module_callback_get_concurrency());
  const bool http = filter_name.substr(0, kHttp.size()) == kHttp;
  if (http) filter_name.remove_prefix(kHttp.size());
  // Not make_unique: the constructor is private.
  std::unique_ptr<FilterConfig> config(new FilterConfig(envoy_config, filter_name));
  const DefineWindow window(config.get());
  if (http) {
    config->http_ = HttpPluginConfig::Create(config->plugin_name_);
    return config->http_ == nullptr ? nullptr : std::move(config);
  }
  std::string library_id = NewLibraryId();
  std::string any = WrapConfig(bytes);
  config->golang_id_ =
      GetPlugin().on_config(Address(library_id), library_id.size(), Address(any), any.size());
  if (config->golang_id_ == 0) Die("a config of the network filter has no id");
  // What the plugin has not copied is gone.
  std::fill(library_id.begin(), library_id.end(), '\xdd');
  std::fill(any.begin(), any.end(), '\xdd');
  return config;
}

// The plugin is not told of the end of a network filter's config.
FilterConfig::~FilterConfig() {
  ForgetMetrics(this);
  scheduler_->Detach();
}

}  // namespace contrib
