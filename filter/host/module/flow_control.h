// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace rocketmq_proxy {

// Watermarks of the queues that are ours (Envoy's own buffers have theirs).
constexpr size_t kQueueHigh = 1 << 20;
constexpr size_t kQueueLow = 256 << 10;

}  // namespace rocketmq_proxy
