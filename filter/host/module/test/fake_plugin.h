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

// An upstream connection of the terminal role as the plugin knows it. Its id is its index in
// Plugin::ups. Records in order, on any thread.
struct Up {
  mutable std::mutex mu;
  void* host = nullptr;  // null once it has ended
  std::string data;
  std::vector<std::string> events;  // "ready", "data", "closed N"
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
  bool Ended() const { return Has("closed 0") || Has("closed 1") || Has("closed 2"); }
};

struct Plugin {
  // Config.
  std::function<void(void* stats)> define;  // while the config is read
  std::string errors;
  std::mutex mu;
  std::vector<std::string> configs;  // the role and the bytes of each
  std::vector<uint64_t> destroyed;
  std::function<void(uint64_t)> on_config_destroy;

  // The last connection. Its session is 7, unless `open` says otherwise.
  std::function<uint64_t(void* connection, const std::string& local, const std::string& remote)>
      open;
  std::function<int(const std::string& data, bool end)> data;
  std::function<void()> wake;
  std::function<void()> drained;
  std::function<void(int event)> close;

  // Its upstream connections. The hooks come after the recording.
  std::vector<std::unique_ptr<Up>> ups;
  std::function<void(uint64_t id)> on_ready;
  std::function<int(uint64_t id, const std::string& data)> on_up_data;
  std::function<bool(uint64_t id, bool full)> on_up_full;
  std::function<void(uint64_t id, size_t size)> on_up_drained;
  std::function<void(uint64_t id, int how)> on_up_closed;

  // What a plugin may do, if the connection has not ended; as Go does, it keeps a lock over these
  // and the end. Write returns whether it was done.
  bool Write(const std::string& data);
  void Close(bool flush = true);
  bool Full();
  void Wake();
  uint64_t Connect(const std::string& address);    // terminal: the id
  int64_t WriteUp(uint64_t id, std::string data);  // what is kept; -1 if it has ended
  void CloseUp(uint64_t id);

  Up& UpOf(uint64_t id) {
    const std::lock_guard<std::mutex> lock(mu);
    return *ups[id];
  }
  static const rocketmq_proxy_host* Host();

  // Makes itself the plugin in use, until it ends.
  Plugin();
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  std::recursive_mutex connection_mu;
  void* connection = nullptr;  // the host's; null once it has ended

 private:
  Plugin* const outer_;
};

// Waits until the event loops have done what they were asked so far.
void SettleLoops();

// Lets go of a connection on its worker, as Envoy does, and of what is queued for it.
void Release(std::shared_ptr<Connection>* connection);

}  // namespace fake
