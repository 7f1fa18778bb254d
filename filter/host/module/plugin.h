// SPDX-License-Identifier: Apache-2.0
//
// What the Go plugin exports: filter/host/stock/rocketmq_proxy_host.h.
#pragma once

#include <cstdint>
#include <string>

#include "stock/rocketmq_proxy_host.h"

namespace rocketmq_proxy {

// The plugin's functions. Constant once they are filled in, and so free to use on any thread.
struct Plugin {
  uint64_t (*attach)(const rocketmq_proxy_host* host);
  uint64_t (*config_new)(uint64_t plugin, int role, rocketmq_proxy_slice bytes, void* stats,
                         char** errors);
  void (*config_destroy)(uint64_t config);
  uint64_t (*open)(uint64_t config, void* connection, rocketmq_proxy_slice local,
                   rocketmq_proxy_slice remote);
  int (*data)(uint64_t session, const rocketmq_proxy_slice* slices, int count, int end);
  void (*wake)(uint64_t session);
  void (*drained)(uint64_t session);
  void (*close)(uint64_t session, int event);
  void (*upstream_ready)(uint64_t upstream);
  int (*upstream_data)(uint64_t upstream, const rocketmq_proxy_slice* slices, int count);
  int (*upstream_full)(uint64_t upstream, int full);
  void (*upstream_drained)(uint64_t upstream, uint64_t size);
  void (*upstream_closed)(uint64_t upstream, int how);

  uint64_t handle = 0;  // what `attach` returned
};

// Where LoadPlugin looks: $ROCKETMQ_PROXY_PLUGIN, else librocketmq_proxy.so beside this module.
std::string PluginPath();

// Opens the library at `path` and fills in its functions.
bool OpenPlugin(const std::string& path, Plugin* plugin, std::string* error);

// Main thread. Opens and attaches the plugin of this process at the first call. Returns the same
// at every call: the plugin, or null with an error that says what to do about it.
const Plugin* LoadPlugin(std::string* error);

}  // namespace rocketmq_proxy
