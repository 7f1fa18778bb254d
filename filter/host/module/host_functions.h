// SPDX-License-Identifier: Apache-2.0
//
// What the plugin is given beside the Golang ABI: filter/host/stock/rocketmq_proxy_host.h.
#pragma once

#include "stock/rocketmq_proxy_host.h"

namespace rocketmq_proxy {

// Constant. A call for a connection that is not in a hook on this thread is a bug of the plugin; it
// is ignored, as there is nothing it could safely do.
const rocketmq_proxy_host* HostFunctions();

}  // namespace rocketmq_proxy
