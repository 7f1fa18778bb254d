// SPDX-License-Identifier: Apache-2.0
//
// What both roles of the module are to Envoy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "envoy.h"

namespace rocketmq_proxy {

// One network filter on one connection.
// Threads: the connection's worker, one hook at a time. The destructor may run on another thread in
// one case only, when Envoy destroys a filter that never saw a close event (see Scheduler).
// Lifetime: made and deleted by module.cc on Envoy's hooks. Envoy destroys filters from its event
// loop, never inside a hook, so a hook may go on after it closed the connection.
class Filter {
 public:
  virtual ~Filter() = default;

  virtual FilterStatus OnNewConnection() = 0;
  virtual FilterStatus OnRead(size_t size, bool end_stream) = 0;
  virtual FilterStatus OnWrite(size_t size, bool end_stream) = 0;
  virtual void OnEvent(int event) = 0;
  virtual void OnScheduled(uint64_t event_id) = 0;
  virtual void OnWriteBufferWatermark(bool above) = 0;
};

}  // namespace rocketmq_proxy
