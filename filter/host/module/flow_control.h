// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace rocketmq_proxy {

// Watermarks of the queues that are ours (Envoy's own buffers have theirs).
constexpr size_t kQueueHigh = 1 << 20;
constexpr size_t kQueueLow = 256 << 10;

// How long a full upstream holds its client back before the session may refuse what is for it. A
// burst drains within it even where the network is slow; a broker that has stopped reading does
// not.
constexpr std::chrono::milliseconds kFullPatience(1000);

}  // namespace rocketmq_proxy
