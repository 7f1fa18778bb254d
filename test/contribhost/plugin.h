// SPDX-License-Identifier: Apache-2.0
//
// What a Go plugin has for Envoy, and how it is loaded.
#pragma once

#include <string>

#include "golang_abi.h"

namespace contrib {

// Filled once on the main thread, before anything reads it. A data argument is an array of pairs of
// an address and a size.
struct Plugin {
  GoUint64 (*on_config)(GoUint64 library, GoUint64 library_size, GoUint64 config, GoUint64 size);
  GoUint64 (*on_downstream_connection)(void* wrapper, GoUint64 name, GoUint64 name_size,
                                       GoUint64 config_id);
  GoUint64 (*on_downstream_data)(void* wrapper, GoUint64 size, GoUint64 slices, GoInt count,
                                 GoInt end_stream);
  GoUint64 (*on_downstream_write)(void* wrapper, GoUint64 size, GoUint64 slices, GoInt count,
                                  GoInt end_stream);
  void (*on_downstream_event)(void* wrapper, GoInt event);
  void (*on_upstream_ready)(void* wrapper, GoUint64 connection_id);
  void (*on_upstream_failure)(void* wrapper, GoInt reason, GoUint64 connection_id);
  void (*on_upstream_data)(void* wrapper, GoUint64 size, GoUint64 slices, GoInt count,
                           GoInt end_stream);
  void (*on_upstream_event)(void* wrapper, GoInt event);
  void (*on_sema_dec)(void* wrapper);

  GoUint64 (*on_http_config)(HttpConfig* config);
  void (*on_http_config_destroy)(GoUint64 id, GoInt need_delay);
};

// Loads $ROCKETMQ_PROXY_PLUGIN at the first call; false with the reason if that has failed. Main
// thread.
bool LoadPlugin(std::string* error);
// The plugin in use. Call it only after LoadPlugin has succeeded.
const Plugin& GetPlugin();

}  // namespace contrib
