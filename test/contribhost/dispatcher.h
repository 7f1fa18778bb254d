// SPDX-License-Identifier: Apache-2.0
//
// The event loop of a worker, as far as upstream connections need one. A dynamic module cannot post
// to the workers of the Envoy that it runs in, so these are threads of the double, as many as there
// are workers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace contrib {

// Threads: Next and Post from any; all else on the dispatcher's own.
class Dispatcher {
 public:
  using Task = std::function<void()>;

  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void OnSocket(uint32_t epoll_events) = 0;
    // The worker ends.
    virtual void OnWorkerExit() = 0;
  };

  // Main thread, in a config.
  static void SetWorkers(uint32_t workers);
  // The workers' dispatchers in turn, whichever connection asks.
  static Dispatcher& Next();
  // As when Envoy ends: each worker closes its connections and destroys its dispatcher, without a
  // look at what was posted to it. Whoever uses one afterwards ends the process. New workers start
  // with the next SetWorkers.
  static void DestroyAll();

  // Runs a task later, in the order of calls.
  void Post(Task task);

  void RunAfter(std::chrono::milliseconds delay, Task task);
  // Level-triggered. False if the kernel does not take it.
  bool Watch(int fd, uint32_t epoll_events, std::shared_ptr<Watcher> watcher);
  void Change(int fd, uint32_t epoll_events);
  void Forget(int fd);

  Dispatcher();
  ~Dispatcher() = delete;  // its memory stays, so that a use of it after its end is found
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void Destroy();
  void Run();
  void RunTasks();
  int RunTimers();  // milliseconds until the next, -1 if there is none

  const int epoll_fd_;
  const int wake_fd_;
  std::mutex mu_;
  std::vector<Task> tasks_;
  bool stopping_ = false;
  bool destroyed_ = false;
  // The dispatcher's thread only:
  std::multimap<Clock::time_point, Task> timers_;
  std::unordered_map<int, std::shared_ptr<Watcher>> watchers_;
  std::thread thread_;
};

}  // namespace contrib
