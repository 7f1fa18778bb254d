// SPDX-License-Identifier: Apache-2.0
//
// A thread of our own that watches upstream sockets: stock Envoy lets a network filter neither open
// a connection nor watch a socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <unordered_map>
#include <vector>

namespace rocketmq_proxy {

// Threads: Post, RunAfter, LookAgain and ForKey from any; Add and Remove on the loop's own thread,
// where tasks and Watcher::OnSocket run.
// Lock: mu_ protects tasks and timers, and is not held while they run.
// Lifetime: started when first asked for (a config that is only validated starts none) and never
// destroyed: the process may exit while the thread is inside the plugin, and static destruction
// must not pull anything from under it.
class EventLoop {
 public:
  using Task = std::function<void()>;

  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void OnSocket(uint32_t epoll_events) = 0;
  };

  // The loop of `key`. What belongs to one downstream connection uses one key, and so one thread:
  // the plugin serializes it anyway.
  static EventLoop& ForKey(uint64_t key);
  // How many workers Envoy has; counts until the first loop is started.
  static void SetWorkers(uint32_t workers);

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Post(Task task);
  void RunAfter(std::chrono::milliseconds delay, Task task);
  bool OnThread() const { return std::this_thread::get_id() == thread_id_; }

  // Tells the watcher, until Remove and keeping it alive until then, each time that more can be
  // read from the socket, or written after it took no more, and that its peer has ended (EPOLLET:
  // once, so nothing need be said to the kernel per event). Returns the token for the other two; 0
  // on failure.
  uint64_t Add(int fd, std::shared_ptr<Watcher> watcher);
  // Tells the watcher once more what can be done. The caller makes sure that the socket is not
  // removed at the same time.
  void LookAgain(int fd, uint64_t token);
  // Afterwards the socket may be closed.
  void Remove(int fd, uint64_t token);

 private:
  using Clock = std::chrono::steady_clock;
  struct Timer {
    Clock::time_point at;
    uint64_t order;
    Task task;
    bool operator<(const Timer& other) const {  // the earliest on top of the queue
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  EventLoop();
  ~EventLoop() = delete;
  void Run();
  void Wake();
  void RunTasks();
  int RunTimers();  // milliseconds until the next one, -1 if there is none

  const int epoll_fd_;
  const int wake_fd_;
  std::thread::id thread_id_;
  std::mutex mu_;
  std::vector<Task> tasks_;
  std::priority_queue<Timer> timers_;
  uint64_t next_timer_ = 0;
  // Loop thread only.
  std::unordered_map<uint64_t, std::shared_ptr<Watcher>> watchers_;
  uint64_t next_token_ = 1;
};

}  // namespace rocketmq_proxy
