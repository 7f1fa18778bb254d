// SPDX-License-Identifier: Apache-2.0
//
// The one way into an Envoy thread from any other: "commit" makes Envoy run a scheduled hook there.
#pragma once

#include <cstdint>
#include <mutex>

namespace rocketmq_proxy {

// Threads: Commit from any; Detach and the destructor from the thread that runs the owner's hooks.
// Lock: mu_ protects what follows it and is held across Envoy's commit, so that after Detach no
// thread is inside it any more.
//
// Why that matters: Envoy's commit holds a strong reference to the filter (or config) for a moment.
// If that became the last one, Envoy would destroy the filter on the committing thread, inside a
// call of the plugin that may hold the plugin's locks. A filter is detached while its connection
// still owns it (in the close event), hence the last reference is never the committer's. A config
// has no such moment; its destroy hook asks InsideCommit.
// Lifetime: whoever commits keeps the object alive by himself (not through the filter or config).
class Scheduler {
 public:
  enum Kind { kFilter, kConfig };

  Scheduler(Kind kind, void* envoy);
  ~Scheduler() { Detach(); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void Commit(uint64_t event_id);
  void Detach();

  // True if this thread is inside a Commit of any scheduler: a destroy hook that runs now runs
  // inside somebody else's call.
  static bool InsideCommit();

 private:
  void Delete(void* handle) const;

  const Kind kind_;
  std::mutex mu_;
  void* handle_;
  bool detached_inside_ = false;  // of our own commit
};

}  // namespace rocketmq_proxy
