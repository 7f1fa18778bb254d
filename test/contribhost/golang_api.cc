// SPDX-License-Identifier: Apache-2.0
//
// The C functions that a plugin imports. Any thread calls them, Go's own included; whatever they
// are handed is copied before they return.
#include <memory>
#include <string>

#include "die.h"
#include "downstream.h"
#include "envoy.h"
#include "filter_config.h"
#include "golang_abi.h"
#include "http_config.h"
#include "metrics.h"
#include "upstream.h"
#include "wrapper.h"

using contrib::Die;
using contrib::Downstream;
using contrib::DownstreamWrapper;
using contrib::GoString;
using contrib::HttpPluginConfig;
using contrib::ToDownstream;
using contrib::ToUpstream;
using contrib::Upstream;
using contrib::UpstreamWrapper;
using rocketmq_proxy::LogLevel;

namespace {

std::string_view View(const void* data, int size) {
  if (size < 0 || (size > 0 && data == nullptr)) Die("a write of no memory");
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

std::string Text(const void* go_string) {
  const auto* text = static_cast<const GoString*>(go_string);
  return {text->data, static_cast<size_t>(text->size)};
}

enum InfoType { kLocalAddress = 0, kRemoteAddress = 1 };

int AnswerInfo(contrib::Wrapper* wrapper, int type, const std::string& local,
               const std::string& remote, void* go_string_out) {
  if (type != kLocalAddress && type != kRemoteAddress) Die("an unknown kind of information");
  wrapper->text = type == kLocalAddress ? local : remote;
  *static_cast<GoString*>(go_string_out) = {wrapper->text.data(),
                                            static_cast<ptrdiff_t>(wrapper->text.size())};
  return contrib::kOk;
}

}  // namespace

int envoyGoFilterDownstreamWrite(void* wrapper, void* data, int size, int end_stream) {
  const auto connection = ToDownstream(wrapper).connection.lock();
  if (connection == nullptr) return contrib::kFilterIsGone;
  connection->Write(View(data, size), end_stream != 0);
  return contrib::kOk;
}

int envoyGoFilterDownstreamClose(void* wrapper, int close_type) {
  const auto connection = ToDownstream(wrapper).connection.lock();
  if (connection == nullptr) return contrib::kFilterIsGone;
  connection->Close(close_type);
  return contrib::kOk;
}

void envoyGoFilterDownstreamFinalize(void* wrapper, int) {
  DownstreamWrapper* const owned = &ToDownstream(wrapper);
  if (const auto connection = owned->connection.lock()) {
    connection->Post([owned] { delete owned; });
  } else {
    delete owned;
  }
}

int envoyGoFilterDownstreamInfo(void* wrapper, int type, void* go_string_out) {
  DownstreamWrapper& downstream = ToDownstream(wrapper);
  const auto connection = downstream.connection.lock();
  if (connection == nullptr) return contrib::kFilterIsGone;
  return AnswerInfo(&downstream, type, connection->local_address(), connection->peer_address(),
                    go_string_out);
}

void* envoyGoFilterUpstreamConnect(void* go_library_id, void* go_address, uint64_t connection_id) {
  if (!contrib::IsLibraryId(Text(go_library_id))) Die("a library_id that no config has");
  return Upstream::Open(Text(go_address), connection_id);
}

int envoyGoFilterUpstreamConnEnableHalfClose(void* wrapper, int) {
  ToUpstream(wrapper);
  return contrib::kOk;
}

int envoyGoFilterUpstreamWrite(void* wrapper, void* data, int size, int end_stream) {
  ToUpstream(wrapper).connection->Write(View(data, size), end_stream != 0);
  return contrib::kOk;
}

int envoyGoFilterUpstreamClose(void* wrapper, int close_type) {
  ToUpstream(wrapper).connection->Close(close_type);
  return contrib::kOk;
}

void envoyGoFilterUpstreamFinalize(void* wrapper, int) {
  UpstreamWrapper* const owned = &ToUpstream(wrapper);
  owned->connection->dispatcher().Post([owned] { delete owned; });
}

// The local address is the one that was dialled.
int envoyGoFilterUpstreamInfo(void* wrapper, int type, void* go_string_out) {
  UpstreamWrapper& upstream = ToUpstream(wrapper);
  return AnswerInfo(&upstream, type, upstream.connection->dialled_address(),
                    upstream.connection->remote_address(), go_string_out);
}

int envoyGoFilterGetFilterState(void* wrapper, void* go_key, void* go_value_out) {
  const auto connection = ToDownstream(wrapper).connection.lock();
  if (connection == nullptr) return contrib::kFilterIsGone;
  return connection->GetFilterState(Text(go_key), static_cast<GoString*>(go_value_out));
}

void envoyGoFilterLog(uint32_t level, void* text, int size) {
  if (level > static_cast<uint32_t>(LogLevel::kCritical)) Die("an unknown log level");
  rocketmq_proxy::Log(static_cast<LogLevel>(level),
                      rocketmq_proxy::LogLine().Escape(View(text, size)));
}

uint32_t envoyGoFilterLogLevel() { return static_cast<uint32_t>(LogLevel::kTrace); }

int envoyGoFilterHttpDefineMetric(void* config, uint32_t type, void* name, int size,
                                  uint32_t* id_out) {
  const auto alive = HttpPluginConfig::Of(config);
  if (alive == nullptr) return contrib::kFilterIsGone;
  return contrib::DefineMetric(type, std::string(View(name, size)), id_out);
}

int envoyGoFilterHttpIncrementMetric(void* config, uint32_t id, int64_t offset) {
  const auto alive = HttpPluginConfig::Of(config);
  return alive == nullptr ? contrib::kFilterIsGone : contrib::IncrementMetric(id, offset);
}

int envoyGoFilterHttpGetMetric(void* config, uint32_t id, uint64_t* value_out) {
  const auto alive = HttpPluginConfig::Of(config);
  return alive == nullptr ? contrib::kFilterIsGone : contrib::MetricValue(id, value_out);
}

int envoyGoFilterHttpRecordMetric(void* config, uint32_t id, uint64_t value) {
  const auto alive = HttpPluginConfig::Of(config);
  return alive == nullptr ? contrib::kFilterIsGone : contrib::RecordMetric(id, value);
}

void envoyGoConfigHttpFinalize(void* config) { HttpPluginConfig::Finalize(config); }
