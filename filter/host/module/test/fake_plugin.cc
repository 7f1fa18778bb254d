// SPDX-License-Identifier: Apache-2.0
#include "fake_plugin.h"

#include <cstdlib>
#include <cstring>

#include "envoy.h"
#include "event_loop.h"
#include "host_functions.h"

namespace fake {
namespace {

constexpr uint64_t kHandle = 5;  // of the plugin
constexpr uint64_t kFirstConfig = 1001;
constexpr uint64_t kSession = 7;
constexpr uint64_t kFirstUpstream = 100;

std::atomic<Plugin*> g_plugin{nullptr};

std::string Text(rocketmq_proxy_slice s) { return std::string(s.data, s.size); }

std::string Join(const rocketmq_proxy_slice* slices, int count) {
  std::string out;
  for (int i = 0; i < count; i++) out += Text(slices[i]);
  return out;
}

uint64_t ConfigNew(uint64_t plugin, int role, rocketmq_proxy_slice bytes, void* stats,
                   char** errors) {
  if (plugin != kHandle) abort();
  Plugin* const p = g_plugin;
  if (p->define) p->define(stats);
  const std::lock_guard<std::mutex> lock(p->mu);
  p->configs.push_back(std::to_string(role) + " " + Text(bytes));
  if (!p->errors.empty()) {
    *errors = strdup(p->errors.c_str());
    return 0;
  }
  return kFirstConfig + p->configs.size() - 1;
}

void ConfigDestroy(uint64_t config) {
  Plugin* const p = g_plugin;
  if (p->on_config_destroy) p->on_config_destroy(config);
  const std::lock_guard<std::mutex> lock(p->mu);
  p->destroyed.push_back(config);
}

uint64_t Open(uint64_t config, void* connection, rocketmq_proxy_slice local,
              rocketmq_proxy_slice remote) {
  if (config < kFirstConfig) abort();
  Plugin* const p = g_plugin;
  {
    const std::lock_guard<std::recursive_mutex> lock(p->connection_mu);
    p->connection = connection;
  }
  const uint64_t session = p->open ? p->open(connection, Text(local), Text(remote)) : kSession;
  if (session == 0) {
    const std::lock_guard<std::recursive_mutex> lock(p->connection_mu);
    p->connection = nullptr;
  }
  return session;
}

int Data(uint64_t session, const rocketmq_proxy_slice* slices, int count, int end) {
  if (session != kSession) abort();
  Plugin* const p = g_plugin;
  return p->data ? p->data(Join(slices, count), end != 0) : ROCKETMQ_PROXY_PASS;
}

void Wake(uint64_t session) {
  if (session != kSession) abort();
  Plugin* const p = g_plugin;
  if (p->wake) p->wake();
}

void Drained(uint64_t session) {
  if (session != kSession) abort();
  Plugin* const p = g_plugin;
  if (p->drained) p->drained();
}

void Close(uint64_t session, int event) {
  if (session != kSession) abort();
  Plugin* const p = g_plugin;
  if (p->close) p->close(event);
  const std::lock_guard<std::recursive_mutex> lock(p->connection_mu);
  p->connection = nullptr;
}

void UpReady(uint64_t upstream) {
  Plugin* const p = g_plugin;
  const uint64_t id = upstream - kFirstUpstream;
  p->UpOf(id).Add("ready");
  if (p->on_ready) p->on_ready(id);
}

int UpData(uint64_t upstream, const rocketmq_proxy_slice* slices, int count) {
  Plugin* const p = g_plugin;
  const std::string data = Join(slices, count);
  if (upstream == kSession) return p->on_up_data ? p->on_up_data(kSession, data) : 0;
  const uint64_t id = upstream - kFirstUpstream;
  Up& up = p->UpOf(id);
  {
    const std::lock_guard<std::mutex> lock(up.mu);
    up.data += data;
    if (up.keep_data_events) up.events.push_back("data");
  }
  return p->on_up_data ? p->on_up_data(id, data) : ROCKETMQ_PROXY_PASS;
}

int UpFull(uint64_t upstream, int full) {
  Plugin* const p = g_plugin;
  return p->on_up_full && p->on_up_full(upstream - kFirstUpstream, full != 0) ? 1 : 0;
}

void UpDrained(uint64_t upstream, uint64_t size) {
  Plugin* const p = g_plugin;
  if (p->on_up_drained) p->on_up_drained(upstream - kFirstUpstream, size);
}

void UpClosed(uint64_t upstream, int how) {
  Plugin* const p = g_plugin;
  const uint64_t id = upstream - kFirstUpstream;
  Up& up = p->UpOf(id);
  if (p->on_up_closed) p->on_up_closed(id, how);
  const std::lock_guard<std::mutex> lock(up.mu);
  if (up.host == nullptr) abort();  // twice
  up.host = nullptr;
  up.events.push_back("closed " + std::to_string(how));
}

}  // namespace

Plugin::Plugin() : outer_(g_plugin.exchange(this)) {}
Plugin::~Plugin() { g_plugin = outer_; }

const rocketmq_proxy_host* Plugin::Host() { return rocketmq_proxy::HostFunctions(); }

bool Plugin::Write(const std::string& data) {
  const std::lock_guard<std::recursive_mutex> lock(connection_mu);
  if (connection == nullptr) return false;
  std::string copy = data;
  Host()->write(connection, copy.data(), copy.size());
  copy.assign(copy.size(), '!');  // the host has copied it by now
  return true;
}

void Plugin::Close(bool flush) {
  const std::lock_guard<std::recursive_mutex> lock(connection_mu);
  if (connection != nullptr) Host()->close(connection, flush ? 1 : 0);
}

bool Plugin::Full() {
  const std::lock_guard<std::recursive_mutex> lock(connection_mu);
  return connection != nullptr && Host()->full(connection) == 1;
}

void Plugin::Wake() {
  const std::lock_guard<std::recursive_mutex> lock(connection_mu);
  if (connection != nullptr) Host()->wake(connection);
}

uint64_t Plugin::Connect(const std::string& address) {
  Up* up;
  uint64_t id;
  {
    const std::lock_guard<std::mutex> lock(mu);
    id = ups.size();
    ups.push_back(std::make_unique<Up>());
    up = ups.back().get();
  }
  const std::lock_guard<std::recursive_mutex> lock(connection_mu);
  if (connection == nullptr) abort();
  // Held, so that the end of it waits.
  const std::lock_guard<std::mutex> up_lock(up->mu);
  up->host = Host()->connect(connection, kFirstUpstream + id, address.data(), address.size());
  return id;
}

int64_t Plugin::WriteUp(uint64_t id, std::string data) {
  Up& up = UpOf(id);
  const std::lock_guard<std::mutex> lock(up.mu);
  if (up.host == nullptr) return -1;
  const auto kept = static_cast<int64_t>(Host()->write_upstream(up.host, data.data(), data.size()));
  data.assign(data.size(), '!');
  return kept;
}

void Plugin::CloseUp(uint64_t id) {
  Up& up = UpOf(id);
  const std::lock_guard<std::mutex> lock(up.mu);
  if (up.host != nullptr) Host()->close_upstream(up.host);
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

void Release(std::shared_ptr<Connection>* connection) {
  Worker& worker = (*connection)->worker;
  worker.Run([&] {
    (*connection)->Close(rocketmq_proxy::kLocalClose);
    connection->reset();
  });
  worker.Drain();
}

}  // namespace fake

// In place of plugin_loader.cc.
const rocketmq_proxy::Plugin* rocketmq_proxy::LoadPlugin(std::string*) {
  static const Plugin plugin = [] {
    Plugin table{};
    table.config_new = fake::ConfigNew;
    table.config_destroy = fake::ConfigDestroy;
    table.open = fake::Open;
    table.data = fake::Data;
    table.wake = fake::Wake;
    table.drained = fake::Drained;
    table.close = fake::Close;
    table.upstream_ready = fake::UpReady;
    table.upstream_data = fake::UpData;
    table.upstream_full = fake::UpFull;
    table.upstream_drained = fake::UpDrained;
    table.upstream_closed = fake::UpClosed;
    table.handle = fake::kHandle;
    return table;
  }();
  return &plugin;
}
