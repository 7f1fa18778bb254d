// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace contrib {

// Ends the process: the plugin has done what crashes, or may crash, a contrib Envoy.
[[noreturn]] void Die(const char* what);

// Marks the threads on which Envoy calls a plugin; some functions may be used on them only.
class EnvoyThread {
 public:
  EnvoyThread();
  ~EnvoyThread();
  EnvoyThread(const EnvoyThread&) = delete;
  EnvoyThread& operator=(const EnvoyThread&) = delete;

  static bool IsThis();
};

}  // namespace contrib
