// SPDX-License-Identifier: Apache-2.0
//
// Connections as the plugin knows them, in either role: the functions of rocketmq_proxy_host lead
// here, and that contract says what each does, on which threads, and for how long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "stock/rocketmq_proxy_host.h"

namespace rocketmq_proxy {

// How the plugin wants a connection closed. The greater is the harder, and wins.
enum class CloseMode { kNone, kFlush, kAbort };

class Upstream {
 public:
  virtual size_t Write(std::string_view data) = 0;
  virtual void Close() = 0;

 protected:
  ~Upstream() = default;
};

class Downstream {
 public:
  virtual void Write(std::string_view data) = 0;
  virtual bool Full() = 0;
  virtual void Close(CloseMode mode) = 0;
  virtual void Wake() = 0;
  virtual Upstream* Connect(uint64_t upstream, std::string_view address) = 0;

 protected:
  ~Downstream() = default;
};

inline rocketmq_proxy_slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace rocketmq_proxy
