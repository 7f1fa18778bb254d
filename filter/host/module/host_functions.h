// SPDX-License-Identifier: Apache-2.0
//
// What the host does for the plugin: filter/host/stock/rocketmq_proxy_host.h.
#pragma once

#include "stock/rocketmq_proxy_host.h"

namespace rocketmq_proxy {

// Constant.
const rocketmq_proxy_host* HostFunctions();

}  // namespace rocketmq_proxy
