// SPDX-License-Identifier: Apache-2.0
#include "dispatcher.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "die.h"

namespace contrib {
namespace {

std::mutex g_mu;
uint32_t g_workers = 0;
uint32_t g_next = 0;
// Go's threads outlive static objects.
auto& g_all = *new std::vector<Dispatcher*>;
auto& g_destroyed = *new std::vector<Dispatcher*>;

// Signals to the process are Envoy's. Those of a fault, and those that the Go runtime sends to its
// threads, must get through.
void BlockSignals() {
  sigset_t set;
  sigfillset(&set);
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGURG, SIGPROF}) {
    sigdelset(&set, signal);
  }
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

// Static objects are destroyed when Envoy's main has returned.
struct AtExit {
  ~AtExit() { Dispatcher::DestroyAll(); }
} g_at_exit;

}  // namespace

void Dispatcher::SetWorkers(uint32_t workers) {
  const std::lock_guard<std::mutex> lock(g_mu);
  g_workers = std::max(workers, 1U);
}

Dispatcher& Dispatcher::Next() {
  const std::lock_guard<std::mutex> lock(g_mu);
  if (g_workers == 0) Die("an upstream connection without workers");
  while (g_all.size() < g_workers) g_all.push_back(new Dispatcher);
  return *g_all[g_next++ % g_workers];
}

void Dispatcher::DestroyAll() {
  std::vector<Dispatcher*> all;
  {
    const std::lock_guard<std::mutex> lock(g_mu);
    all.swap(g_all);
    g_destroyed.insert(g_destroyed.end(), all.begin(), all.end());
    g_workers = 0;
  }
  for (Dispatcher* dispatcher : all) dispatcher->Destroy();
}

Dispatcher::Dispatcher()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_fd_;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event);
  thread_ = std::thread([this] { Run(); });
}

void Dispatcher::Destroy() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    stopping_ = true;
  }
  eventfd_write(wake_fd_, 1);
  thread_.join();
  {
    const std::lock_guard<std::mutex> lock(mu_);
    destroyed_ = true;
  }
  close(epoll_fd_);
  close(wake_fd_);
}

void Dispatcher::Post(Task task) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (destroyed_) Die("a dispatcher is used that is destroyed");
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) eventfd_write(wake_fd_, 1);
}

void Dispatcher::RunAfter(std::chrono::milliseconds delay, Task task) {
  timers_.emplace(Clock::now() + delay, std::move(task));
}

bool Dispatcher::Watch(int fd, uint32_t epoll_events, std::shared_ptr<Watcher> watcher) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  watchers_[fd] = std::move(watcher);
  return true;
}

void Dispatcher::Change(int fd, uint32_t epoll_events) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.fd = fd;
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
}

void Dispatcher::Forget(int fd) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  watchers_.erase(fd);
}

void Dispatcher::Run() {
  BlockSignals();
  const EnvoyThread here;
  for (;;) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (stopping_) break;
    }
    epoll_event event;  // one at a time: what is done about it may end another
    if (epoll_wait(epoll_fd_, &event, 1, RunTimers()) == 1) {
      if (event.data.fd == wake_fd_) {
        eventfd_t ignored;
        eventfd_read(wake_fd_, &ignored);
      } else if (const auto found = watchers_.find(event.data.fd); found != watchers_.end()) {
        const std::shared_ptr<Watcher> watcher = found->second;
        watcher->OnSocket(event.events);
      }
    }
    RunTasks();
  }
  while (!watchers_.empty()) {
    const std::shared_ptr<Watcher> watcher = watchers_.begin()->second;
    watcher->OnWorkerExit();
  }
  timers_.clear();
  const std::lock_guard<std::mutex> lock(mu_);
  tasks_.clear();
}

void Dispatcher::RunTasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

int Dispatcher::RunTimers() {
  while (!timers_.empty()) {
    const auto left = timers_.begin()->first - Clock::now();
    if (left > Clock::duration::zero()) {
      return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()) +
             1;
    }
    const Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
  return -1;
}

}  // namespace contrib
