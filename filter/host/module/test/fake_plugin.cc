// SPDX-License-Identifier: Apache-2.0
#include "fake_plugin.h"

#include <cstdlib>
#include <cstring>

#include "envoy.h"
#include "event_loop.h"
#include "golang_abi.h"
#include "host_functions.h"

namespace fake {
namespace {

using rocketmq_proxy::EnvoyBuffer;
using rocketmq_proxy::GoInt;
using rocketmq_proxy::GoString;
using rocketmq_proxy::GoUint64;

std::atomic<Plugin*> g_plugin{nullptr};

std::string Join(const void* slices, size_t count) {
  std::string out;
  const auto* s = static_cast<const EnvoyBuffer*>(slices);
  for (size_t i = 0; i < count; i++) out.append(s[i].ptr, s[i].length);
  return out;
}
std::string Join(GoUint64 slices, GoInt count) {
  return Join(reinterpret_cast<const void*>(slices), static_cast<size_t>(count));
}

GoUint64 OnConfig(GoUint64, GoUint64, GoUint64 config, GoUint64 size) {
  Plugin* const p = g_plugin;
  {
    const std::lock_guard<std::mutex> lock(p->mu);
    p->configs.emplace_back(reinterpret_cast<const char*>(config), size);
  }
  if (p->define) p->define();
  const std::lock_guard<std::mutex> lock(p->mu);
  return p->configs.size();
}

uint64_t LastConfig(int /*chained*/, char** errors) {
  Plugin* const p = g_plugin;
  if (!p->errors.empty()) *errors = strdup(p->errors.c_str());
  const std::lock_guard<std::mutex> lock(p->mu);
  return 1000 + p->configs.size();
}

void ConfigDestroy(uint64_t config) {
  Plugin* const p = g_plugin;
  if (p->on_config_destroy) p->on_config_destroy(config);
  const std::lock_guard<std::mutex> lock(p->mu);
  p->destroyed.push_back(config);
}

GoUint64 OnConnection(void* wrapper, GoUint64 name, GoUint64 size, GoUint64) {
  Plugin* const p = g_plugin;
  {
    const std::lock_guard<std::mutex> lock(p->mu);
    p->down_wrappers.push_back(wrapper);
    p->down.wrapper = wrapper;
  }
  p->down.Add("open");
  if (std::string(reinterpret_cast<const char*>(name), size) != "rocketmq_proxy") abort();
  if (p->on_connection) p->on_connection(wrapper);
  return p->status;
}

GoUint64 OnData(void* wrapper, GoUint64 size, GoUint64 slices, GoInt count, GoInt end) {
  Plugin* const p = g_plugin;
  const std::string data = Join(slices, count);
  if (data.size() != size) abort();
  {
    const std::lock_guard<std::mutex> lock(p->down.mu);
    p->down.data += data;
    if (end != 0) p->down.events.push_back("end");
  }
  if (p->on_data) p->on_data(wrapper, data, end != 0);
  return p->status;
}

GoUint64 OnWrite(void*, GoUint64, GoUint64, GoInt, GoInt) { abort(); }

void OnEvent(void* wrapper, GoInt event) {
  Plugin* const p = g_plugin;
  p->down.Add("event " + std::to_string(event));
  if (p->on_event) p->on_event(wrapper, static_cast<int>(event));
}

void OnReady(void* wrapper, GoUint64 id) {
  Plugin* const p = g_plugin;
  p->Up(id).Add("ready");
  if (p->on_ready) p->on_ready(id, wrapper);
}

void OnFailure(void*, GoInt reason, GoUint64 id) {
  Plugin* const p = g_plugin;
  p->Up(id).Add("failure " + std::to_string(reason));
  if (p->on_failure) p->on_failure(id, static_cast<int>(reason));
}

void OnUpData(void* wrapper, GoUint64, GoUint64 slices, GoInt count, GoInt end) {
  Plugin* const p = g_plugin;
  const uint64_t id = p->IdOf(wrapper);
  const std::string data = Join(slices, count);
  Side& up = p->Up(id);
  {
    const std::lock_guard<std::mutex> lock(up.mu);
    up.data += data;
    if (up.keep_data_events && !data.empty()) up.events.push_back("data");
    if (end != 0) up.events.push_back("end");
  }
  if (p->on_up_data) p->on_up_data(id, wrapper, data, end != 0);
}

void OnUpEvent(void* wrapper, GoInt event) {
  Plugin* const p = g_plugin;
  const uint64_t id = p->IdOf(wrapper);
  p->Up(id).Add("event " + std::to_string(event));
  if (p->on_up_event) p->on_up_event(id, wrapper, static_cast<int>(event));
}

void OnSemaDec(void* wrapper) {
  Plugin* const p = g_plugin;
  if (p->on_sema_dec) p->on_sema_dec(wrapper);
}

GoUint64 OnHttpConfig(rocketmq_proxy::HttpConfig* config) {
  return g_plugin.load()->on_http_config(config);
}
void OnHttpConfigDestroy(GoUint64 id, GoInt) { g_plugin.load()->on_http_config_destroy(id); }

int Attach(const rocketmq_proxy_host*) { return 0; }

std::string Text(rocketmq_proxy_slice s) { return std::string(s.data, s.size); }

uint64_t ChainOpen(uint64_t config, uint64_t connection, rocketmq_proxy_slice local,
                   rocketmq_proxy_slice remote) {
  if (config < 1000) abort();
  return g_plugin.load()->chain_open(connection, Text(local), Text(remote));
}
int ChainData(uint64_t session, int side, const rocketmq_proxy_slice* slices, int count, int end) {
  Plugin* const p = g_plugin;
  if (!p->chain_data) return ROCKETMQ_PROXY_PASS;
  return p->chain_data(session, side, Join(slices, static_cast<size_t>(count)), end != 0);
}
void ChainWake(uint64_t session) {
  Plugin* const p = g_plugin;
  if (p->chain_wake) p->chain_wake(session);
}
void ChainDrained(uint64_t session) {
  Plugin* const p = g_plugin;
  if (p->chain_drained) p->chain_drained(session);
}
void ChainClose(uint64_t session, int event) {
  Plugin* const p = g_plugin;
  if (p->chain_close) p->chain_close(session, event);
}
void TerminalData(uint64_t receiver, const rocketmq_proxy_slice* slices, int count) {
  Plugin* const p = g_plugin;
  if (!p->terminal_data) abort();
  p->terminal_data(receiver, Join(slices, static_cast<size_t>(count)));
}
void TerminalDrained(uint64_t receiver) {
  Plugin* const p = g_plugin;
  if (p->terminal_drained) p->terminal_drained(receiver);
}
int TerminalFull(uint64_t receiver, int full) {
  Plugin* const p = g_plugin;
  return p->terminal_full && p->terminal_full(receiver, full != 0) ? 1 : 0;
}
void UpstreamDrained(uint64_t receiver, uint64_t size) {
  Plugin* const p = g_plugin;
  if (p->upstream_drained) p->upstream_drained(receiver, size);
}

}  // namespace

Plugin::Plugin() : outer_(g_plugin.exchange(this)) {
  static const bool installed = [] {
    rocketmq_proxy::Plugin table{};
    table.on_config = OnConfig;
    table.on_downstream_connection = OnConnection;
    table.on_downstream_data = OnData;
    table.on_downstream_write = OnWrite;
    table.on_downstream_event = OnEvent;
    table.on_upstream_ready = OnReady;
    table.on_upstream_failure = OnFailure;
    table.on_upstream_data = OnUpData;
    table.on_upstream_event = OnUpEvent;
    table.on_sema_dec = OnSemaDec;
    table.on_http_config = OnHttpConfig;
    table.on_http_config_destroy = OnHttpConfigDestroy;
    table.attach = Attach;
    table.last_config = LastConfig;
    table.config_destroy = ConfigDestroy;
    table.chain_open = ChainOpen;
    table.chain_data = ChainData;
    table.chain_wake = ChainWake;
    table.chain_drained = ChainDrained;
    table.chain_close = ChainClose;
    table.terminal_data = TerminalData;
    table.terminal_drained = TerminalDrained;
    table.terminal_full = TerminalFull;
    table.upstream_drained = UpstreamDrained;
    rocketmq_proxy::InstallPluginForTest(table);
    return true;
  }();
  (void)installed;
}

Plugin::~Plugin() {
  for (void* wrapper : down_wrappers) envoyGoFilterDownstreamFinalize(wrapper, 0);
  for (void* wrapper : up_wrappers) {
    if (wrapper != nullptr) envoyGoFilterUpstreamFinalize(wrapper, 0);
  }
  g_plugin = outer_;
}

void SettleLoops() {
  for (uint64_t key = 0; key < 2; key++) {
    std::mutex mu;
    std::condition_variable changed;
    bool done = false;
    rocketmq_proxy::EventLoop::ForKey(key).Post([&] {
      const std::lock_guard<std::mutex> lock(mu);
      done = true;
      changed.notify_all();
    });
    std::unique_lock<std::mutex> lock(mu);
    changed.wait(lock, [&] { return done; });
  }
}

const rocketmq_proxy_host* Plugin::Host() { return rocketmq_proxy::HostFunctions(); }

uint64_t Plugin::Connect(const std::string& address, void* downstream) {
  uint64_t id;
  {
    const std::lock_guard<std::mutex> lock(mu);
    id = ups.size();
    ups.push_back(std::make_unique<Side>());
    up_wrappers.push_back(nullptr);
  }
  const std::string library = "rocketmq_proxy";
  GoString library_text{library.data(), static_cast<ptrdiff_t>(library.size())};
  GoString text{address.data(), static_cast<ptrdiff_t>(address.size())};
  // Held, so that a callback which comes before this returns waits in IdOf.
  const std::lock_guard<std::mutex> lock(mu);
  up_wrappers[id] = downstream != nullptr ? Host()->connect_upstream_connection(
                                                downstream, address.data(), address.size(), id)
                                          : envoyGoFilterUpstreamConnect(&library_text, &text, id);
  return id;
}

uint64_t Plugin::IdOf(void* wrapper) {
  const std::lock_guard<std::mutex> lock(mu);
  for (size_t i = 0; i < up_wrappers.size(); i++) {
    if (up_wrappers[i] == wrapper) return i;
  }
  abort();
}

void Release(std::shared_ptr<Connection>* connection) {
  Worker& worker = (*connection)->worker;
  worker.Run([&] {
    (*connection)->Close(rocketmq_proxy::kLocalClose);
    connection->reset();
  });
  worker.Drain();
}

}  // namespace fake
