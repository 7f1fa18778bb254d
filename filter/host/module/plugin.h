// SPDX-License-Identifier: Apache-2.0
//
// What the Go plugin exports, and how it is loaded.
#pragma once

#include <cstdint>
#include <string>

#include "golang_abi.h"
#include "stock/rocketmq_proxy_host.h"

namespace rocketmq_proxy {

// The plugin's function table. Filled once on the main thread, before anything reads it; constant
// from then on, and so free to use on any thread.
struct Plugin {
  // Golang network filter ABI. A data argument is an array of (pointer, size) pairs.
  GoUint64 (*on_config)(GoUint64 library, GoUint64 library_size, GoUint64 config, GoUint64 size);
  GoUint64 (*on_downstream_connection)(void* wrapper, GoUint64 name, GoUint64 name_size,
                                       GoUint64 config_id);
  GoUint64 (*on_downstream_data)(void* wrapper, GoUint64 size, GoUint64 slices, GoInt count,
                                 GoInt end_stream);
  // Part of the ABI, never called: see TerminalFilter::OnWrite.
  GoUint64 (*on_downstream_write)(void* wrapper, GoUint64 size, GoUint64 slices, GoInt count,
                                  GoInt end_stream);
  void (*on_downstream_event)(void* wrapper, GoInt event);
  void (*on_upstream_ready)(void* wrapper, GoUint64 connection_id);
  void (*on_upstream_failure)(void* wrapper, GoInt reason, GoUint64 connection_id);
  void (*on_upstream_data)(void* wrapper, GoUint64 size, GoUint64 slices, GoInt count,
                           GoInt end_stream);
  void (*on_upstream_event)(void* wrapper, GoInt event);
  void (*on_sema_dec)(void* wrapper);

  // Golang HTTP filter ABI, as far as metrics need it (contrib.h).
  GoUint64 (*on_http_config)(HttpConfig* config);
  void (*on_http_config_destroy)(GoUint64 id, GoInt need_delay);

  // Our own contract (filter/host/stock/rocketmq_proxy_host.h).
  int (*attach)(const rocketmq_proxy_host* host);
  uint64_t (*last_config)(int chained, char** errors);
  void (*config_destroy)(uint64_t config);
  uint64_t (*chain_open)(uint64_t config, uint64_t connection, rocketmq_proxy_slice local,
                         rocketmq_proxy_slice remote);
  int (*chain_data)(uint64_t session, int side, const rocketmq_proxy_slice* slices, int count,
                    int end);
  void (*chain_wake)(uint64_t session);
  void (*chain_drained)(uint64_t session);
  void (*chain_close)(uint64_t session, int event);
  void (*terminal_data)(uint64_t receiver, const rocketmq_proxy_slice* slices, int count);
  void (*terminal_drained)(uint64_t receiver);
  int (*terminal_full)(uint64_t receiver, int full);
  void (*upstream_drained)(uint64_t receiver, uint64_t size);
};

// The plugin in use. Call it only after LoadPlugin has succeeded.
const Plugin& GetPlugin();

// Main thread. Loads and attaches the plugin at the first call, and answers every later call alike:
// true, or false with what to do about it.
bool LoadPlugin(std::string* error);

// Where LoadPlugin looks: $ROCKETMQ_PROXY_PLUGIN, else librocketmq_proxy.so beside this module.
std::string PluginPath();

// Opens `path` and fills the table, with nothing global touched.
bool OpenPlugin(const std::string& path, Plugin* plugin, std::string* error);

// Takes the table given instead of loading one. For tests, before LoadPlugin.
void InstallPluginForTest(const Plugin& plugin);

}  // namespace rocketmq_proxy
