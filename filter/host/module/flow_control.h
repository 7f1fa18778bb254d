// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace rocketmq_proxy {

// Watermarks of the queues that are ours (Envoy's own buffers have theirs).
constexpr size_t kQueueHigh = 1 << 20;
constexpr size_t kQueueLow = 256 << 10;

// What upstream connections that are being closed may still have to send, all together. Nobody is
// charged for it any more.
constexpr size_t kMaxLingering = 32 << 20;

// How long a full upstream holds its client back before the session may refuse what is for it. A
// burst drains within it even where the network is slow; a broker that has stopped reading does
// not.
constexpr std::chrono::milliseconds kFullPatience(1000);

}  // namespace rocketmq_proxy
