// SPDX-License-Identifier: Apache-2.0
//
// Stands in for the Go plugin: the functions that it would export are std::functions here, which a
// test sets before it starts anything. What it leaves unset does the least that is right.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fake_envoy.h"
#include "plugin.h"

namespace fake {

// A downstream or upstream connection as the plugin knows it. Records in order, on any thread.
struct Side {
  mutable std::mutex mu;
  void* wrapper = nullptr;
  std::string data;
  std::vector<std::string> events;  // "open", "ready", "failure N", "data", "end", "event N"
  bool keep_data_events = false;

  void Add(const std::string& event) {
    const std::lock_guard<std::mutex> lock(mu);
    events.push_back(event);
  }
  std::vector<std::string> Events() const {
    const std::lock_guard<std::mutex> lock(mu);
    return events;
  }
  std::string Data() const {
    const std::lock_guard<std::mutex> lock(mu);
    return data;
  }
  size_t Size() const {
    const std::lock_guard<std::mutex> lock(mu);
    return data.size();
  }
  bool Has(const std::string& event) const {
    const std::lock_guard<std::mutex> lock(mu);
    for (const auto& e : events) {
      if (e == event) return true;
    }
    return false;
  }
};

struct Plugin {
  // Config.
  std::function<void()> define;  // while the config is parsed
  std::string errors;
  std::mutex mu;
  std::vector<std::string> configs;  // the Any of each
  std::vector<uint64_t> destroyed;
  std::function<void(uint64_t)> on_config_destroy;

  // Terminal. The hooks come after the recording.
  Side down;  // of the last connection
  std::function<void(void* wrapper)> on_connection;
  std::function<void(void* wrapper, const std::string& data, bool end)> on_data;
  std::function<void(void* wrapper, int event)> on_event;
  std::function<void(void* wrapper)> on_sema_dec;
  uint64_t status = 1;
  // Upstreams, by connection id.
  std::vector<std::unique_ptr<Side>> ups;
  std::function<void(uint64_t id, void* wrapper)> on_ready;
  std::function<void(uint64_t id, int reason)> on_failure;
  std::function<void(uint64_t id, void* wrapper, const std::string& data, bool end)> on_up_data;
  std::function<void(uint64_t id, void* wrapper, int event)> on_up_event;

  // Chain.
  std::function<uint64_t(uint64_t connection, const std::string& local, const std::string& remote)>
      chain_open;
  std::function<int(uint64_t session, int side, const std::string& data, bool end)> chain_data;
  std::function<void(uint64_t session)> chain_wake;
  std::function<void(uint64_t session)> chain_drained;
  std::function<void(uint64_t session, int event)> chain_close;

  // As an HTTP plugin, see contrib.h; 0 rejects the config.
  std::function<uint64_t(rocketmq_proxy::HttpConfig* config)> on_http_config;
  std::function<void(uint64_t id)> on_http_config_destroy;

  std::function<void(uint64_t receiver, const std::string& data)> terminal_data;
  std::function<void(uint64_t receiver)> terminal_drained;
  std::function<bool(uint64_t receiver, bool full)> terminal_full;
  std::function<void(uint64_t receiver, size_t size)> upstream_drained;

  // Opens an upstream as Go would, for a connection that receive_downstream returned or by the
  // Golang ABI; the id is its index in `ups`.
  uint64_t Connect(const std::string& address, void* downstream = nullptr);
  Side& Up(uint64_t id) {
    const std::lock_guard<std::mutex> lock(mu);
    return *ups[id];
  }
  static const rocketmq_proxy_host* Host();

  // Makes itself the plugin in use, until it ends.
  Plugin();
  // The wrappers, as Go's finalizers do; when nothing runs any more.
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  uint64_t IdOf(void* wrapper);
  std::vector<void*> down_wrappers;
  std::vector<void*> up_wrappers;  // by id

 private:
  Plugin* const outer_;
};

// Waits until the event loops have done what they were asked so far.
void SettleLoops();

// Lets go of a connection on its worker, as Envoy does, and of what is queued for it.
void Release(std::shared_ptr<Connection>* connection);

}  // namespace fake
