// SPDX-License-Identifier: Apache-2.0
//
// The C functions that a Golang network filter imports. Any thread calls them, Go's own included;
// whatever they are handed is copied before they return.
#include <memory>
#include <string>

#include "contrib.h"
#include "downstream_connection.h"
#include "envoy.h"
#include "golang_abi.h"
#include "metrics.h"
#include "upstream_connection.h"

using rocketmq_proxy::ConfigMetrics;
using rocketmq_proxy::DownstreamConnection;
using rocketmq_proxy::DownstreamWrapper;
using rocketmq_proxy::GoString;
using rocketmq_proxy::HttpPluginConfig;
using rocketmq_proxy::LogLevel;
using rocketmq_proxy::UpstreamConnection;
using rocketmq_proxy::UpstreamWrapper;

namespace {

DownstreamWrapper& Downstream(void* wrapper) { return *static_cast<DownstreamWrapper*>(wrapper); }
UpstreamWrapper& Upstream(void* wrapper) { return *static_cast<UpstreamWrapper*>(wrapper); }

std::string_view View(const void* data, int size) {
  return size <= 0 ? std::string_view()
                   : std::string_view(static_cast<const char*>(data), static_cast<size_t>(size));
}

std::string_view View(const void* go_string) {
  const auto* text = static_cast<const GoString*>(go_string);
  if (text == nullptr || text->size <= 0) return {};
  return {text->data, static_cast<size_t>(text->size)};
}

// `text` must outlive the wrapper: Go clones it after the call.
int Answer(std::string_view text, void* go_string_out) {
  *static_cast<GoString*>(go_string_out) = {text.data(), static_cast<ptrdiff_t>(text.size())};
  return rocketmq_proxy::kOk;
}

bool IsGone(void* config) { return config != nullptr && HttpPluginConfig::IsGone(config); }

enum InfoType { kLocalAddress = 0, kRemoteAddress = 1 };

}  // namespace

int envoyGoFilterDownstreamWrite(void* wrapper, void* data, int size, int end_stream) {
  return Downstream(wrapper).connection->Write(View(data, size), end_stream != 0);
}

int envoyGoFilterDownstreamClose(void* wrapper, int close_type) {
  return Downstream(wrapper).connection->Close(close_type);
}

void envoyGoFilterDownstreamFinalize(void* wrapper, int) {
  const std::unique_ptr<DownstreamWrapper> owned(&Downstream(wrapper));
}

int envoyGoFilterDownstreamInfo(void* wrapper, int type, void* go_string_out) {
  const auto& connection = *Downstream(wrapper).connection;
  switch (type) {
    case kLocalAddress:
      return Answer(connection.local_address(), go_string_out);
    case kRemoteAddress:
      return Answer(connection.remote_address(), go_string_out);
    default:
      return rocketmq_proxy::kValueNotFound;
  }
}

void* envoyGoFilterUpstreamConnect(void*, void* go_address, uint64_t connection_id) {
  // Deleted by envoyGoFilterUpstreamFinalize.
  auto* const wrapper = new UpstreamWrapper;
  // The ABI does not say whose it is: the one in whose hook, or in a hook of one of whose
  // upstreams, this thread is. A goroutine or a timer is in none.
  UpstreamConnection::Connect(std::string(View(go_address)), connection_id, wrapper,
                              DownstreamConnection::Current());
  return wrapper;
}

int envoyGoFilterUpstreamConnEnableHalfClose(void* wrapper, int enable) {
  Upstream(wrapper).connection->EnableHalfClose(enable != 0);
  return rocketmq_proxy::kOk;
}

int envoyGoFilterUpstreamWrite(void* wrapper, void* data, int size, int end_stream) {
  return Upstream(wrapper).connection->Write(View(data, size), end_stream != 0);
}

int envoyGoFilterUpstreamClose(void* wrapper, int close_type) {
  return Upstream(wrapper).connection->Close(close_type);
}

void envoyGoFilterUpstreamFinalize(void* wrapper, int) {
  const std::unique_ptr<UpstreamWrapper> owned(&Upstream(wrapper));
  owned->connection->Abandon();
}

int envoyGoFilterUpstreamInfo(void* wrapper, int type, void* go_string_out) {
  auto& connection = *Upstream(wrapper).connection;
  switch (type) {
    case kLocalAddress:  // By contract the address dialled, not that of our socket.
      return Answer(connection.dialled_address(), go_string_out);
    case kRemoteAddress:
      return Answer(connection.remote_address(), go_string_out);
    default:
      return rocketmq_proxy::kValueNotFound;
  }
}

// Envoy's module ABI keeps the state for the life of the connection, which is what all spans but
// the request's mean for a network filter.
int envoyGoFilterSetFilterState(void* wrapper, void* go_key, void* go_value, int, int, int) {
  return Downstream(wrapper).connection->SetFilterState(View(go_key), View(go_value));
}

int envoyGoFilterGetFilterState(void* wrapper, void* go_key, void* go_value_out) {
  auto& downstream = Downstream(wrapper);
  return downstream.connection->GetFilterState(View(go_key), &downstream,
                                               static_cast<GoString*>(go_value_out));
}

void envoyGoFilterLog(uint32_t level, void* text, int size) {
  constexpr auto kHighest = static_cast<uint32_t>(LogLevel::kCritical);
  if (level > kHighest) return;  // off
  rocketmq_proxy::Log(static_cast<LogLevel>(level),
                      rocketmq_proxy::LogLine().Escape(View(text, size)));
}

uint32_t envoyGoFilterLogLevel() {
  constexpr auto kHighest = static_cast<uint32_t>(LogLevel::kCritical);
  uint32_t level = 0;
  while (level <= kHighest && !rocketmq_proxy::LogEnabled(static_cast<LogLevel>(level))) level++;
  return level;
}

// Metrics. The handle is that of an HTTP filter's config, which contrib Envoy has; attached, the
// plugin has none and passes null. New metrics are those of the config that is being parsed.
int envoyGoFilterHttpDefineMetric(void* config, uint32_t type, void* name, int size,
                                  uint32_t* id_out) {
  if (IsGone(config)) return rocketmq_proxy::kFilterIsGone;
  return ConfigMetrics::Define(type, View(name, size), id_out);
}

int envoyGoFilterHttpIncrementMetric(void* config, uint32_t id, int64_t offset) {
  if (IsGone(config)) return rocketmq_proxy::kFilterIsGone;
  return ConfigMetrics::Increment(id, offset);
}

int envoyGoFilterHttpGetMetric(void* config, uint32_t id, uint64_t* value_out) {
  if (IsGone(config)) return rocketmq_proxy::kFilterIsGone;
  return ConfigMetrics::Get(id, value_out);
}

int envoyGoFilterHttpRecordMetric(void* config, uint32_t id, uint64_t value) {
  if (IsGone(config)) return rocketmq_proxy::kFilterIsGone;
  return ConfigMetrics::Record(id, value);
}

void envoyGoConfigHttpFinalize(void* config) { HttpPluginConfig::Finalize(config); }
