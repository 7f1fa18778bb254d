// SPDX-License-Identifier: Apache-2.0
#include "event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>

#include "envoy.h"

namespace rocketmq_proxy {
namespace {

constexpr uint64_t kWakeToken = 0;
constexpr int kEventsPerWait = 128;
constexpr uint32_t kWatched = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
// A loop has far less to do for a request than a worker, which reads and writes both ways.
constexpr uint32_t kWorkersPerLoop = 2;
constexpr uint32_t kMaxLoops = 16;

std::atomic<uint32_t> g_workers{1};

// Signals to the process are Envoy's. Those of a fault, and those that the Go runtime sends to its
// threads (which this one is while it runs the plugin), must get through.
void BlockSignals() {
  sigset_t set;
  sigfillset(&set);
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGURG, SIGPROF}) {
    sigdelset(&set, signal);
  }
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

}  // namespace

void EventLoop::SetWorkers(uint32_t workers) { g_workers = std::max(workers, 1U); }

EventLoop& EventLoop::ForKey(uint64_t key) {
  // Leaked, see the header.
  static const std::vector<EventLoop*>* const loops = [] {
    const uint32_t count = std::min((g_workers + kWorkersPerLoop - 1) / kWorkersPerLoop, kMaxLoops);
    auto* all = new std::vector<EventLoop*>;
    for (uint32_t i = 0; i < count; i++) all->push_back(new EventLoop);
    return all;
  }();
  return *(*loops)[key % loops->size()];
}

EventLoop::EventLoop()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeToken;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
    Log(LogLevel::kCritical,
        LogLine() << "rocketmq_proxy: no file descriptors left for the upstream event loop: "
                     "upstream connections will not work");
  }
  std::mutex mu;
  std::condition_variable started;
  bool running = false;
  std::thread thread([&] {
    {
      const std::lock_guard<std::mutex> lock(mu);
      thread_id_ = std::this_thread::get_id();
      running = true;
      started.notify_one();
    }
    Run();
  });
  std::unique_lock<std::mutex> lock(mu);
  started.wait(lock, [&] { return running; });
  thread.detach();
}

void EventLoop::Wake() {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the loop wakes anyway.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void EventLoop::Post(Task task) {
  bool first;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    first = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (first) Wake();
}

void EventLoop::RunAfter(std::chrono::milliseconds delay, Task task) {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    timers_.push({Clock::now() + delay, next_timer_++, std::move(task)});
  }
  Wake();
}

uint64_t EventLoop::Add(int fd, std::shared_ptr<Watcher> watcher) {
  const uint64_t token = next_token_++;
  epoll_event event{};
  event.events = kWatched;
  event.data.u64 = token;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  watchers_[token] = std::move(watcher);
  return token;
}

void EventLoop::LookAgain(int fd, uint64_t token) {
  epoll_event event{};
  event.events = kWatched;
  event.data.u64 = token;
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::Remove(int fd, uint64_t token) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  watchers_.erase(token);
}

void EventLoop::Run() {
  pthread_setname_np(pthread_self(), "rocketmq_proxy");
  BlockSignals();
  epoll_event events[kEventsPerWait];
  for (;;) {
    const int timeout = RunTimers();
    const int count = epoll_wait(epoll_fd_, events, kEventsPerWait, timeout);
    for (int i = 0; i < count; i++) {
      if (events[i].data.u64 == kWakeToken) {
        uint64_t ignored;
        [[maybe_unused]] const ssize_t size = read(wake_fd_, &ignored, sizeof(ignored));
        continue;
      }
      // A token is never used twice, so an event of a socket that was closed earlier in this round
      // finds nobody.
      const auto found = watchers_.find(events[i].data.u64);
      if (found == watchers_.end()) continue;
      const std::shared_ptr<Watcher> watcher = found->second;
      watcher->OnSocket(events[i].events);
    }
    RunTasks();
  }
}

void EventLoop::RunTasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

int EventLoop::RunTimers() {
  for (;;) {
    Task task;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (timers_.empty()) return -1;
      const auto left = timers_.top().at - Clock::now();
      if (left > Clock::duration::zero()) {
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
        return static_cast<int>(std::min<int64_t>(ms + 1, 60 * 1000));
      }
      // The queue shows its top as const; it is taken out right away.
      task = std::move(const_cast<Timer&>(timers_.top()).task);
      timers_.pop();
    }
    task();
  }
}

}  // namespace rocketmq_proxy
