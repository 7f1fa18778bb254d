// SPDX-License-Identifier: Apache-2.0
//
// What the module's queues cost. Prints lines as Go's benchmarks do, so that the same tools read
// them.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "byte_queue.h"
#include "envoy.h"
#include "event_loop.h"

// All of Envoy that the event loop needs.
extern "C" void envoy_dynamic_module_callback_log(envoy_dynamic_module_type_log_level,
                                                  envoy_dynamic_module_type_module_buffer text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.length), text.ptr);
}

namespace rocketmq_proxy {
namespace {

using Clock = std::chrono::steady_clock;

// Calls `work` more and more often, until it takes a while.
template <typename Work>
void Bench(const char* name, int64_t bytes, Work work) {
  constexpr auto kLongEnough = std::chrono::milliseconds(300);
  for (int64_t n = 1;; n *= 2) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < n; i++) work();
    const auto took = Clock::now() - start;
    if (took < kLongEnough) continue;
    const double ns = static_cast<double>(std::chrono::nanoseconds(took).count()) / n;
    std::printf("Benchmark%s\t%lld\t%.2f ns/op", name, static_cast<long long>(n), ns);
    if (bytes > 0) std::printf("\t%.2f MB/s", bytes * 1e3 / ns);
    std::printf("\n");
    std::fflush(stdout);
    return;
  }
}

// An answer that the socket takes at once but for a part: queued, and gone with the next write.
void BenchByteQueue() {
  for (const size_t size : {size_t{300}, size_t{64} << 10}) {
    const std::string bytes(size, 'b');
    ByteQueue queue;
    Bench(("ByteQueue/through/bytes=" + std::to_string(size)).c_str(), size, [&] {
      queue.Append(bytes);
      queue.Drain(size);
    });
  }
  // A slow receiver: the queue stays long, and small pieces go in and out.
  const std::string frame(500, 'b');
  ByteQueue queue;
  for (int i = 0; i < 2000; i++) queue.Append(frame);
  Bench("ByteQueue/standing/bytes=500", frame.size(), [&] {
    queue.Append(frame);
    queue.Drain(frame.size());
  });
}

// One task at a time there and its answer back: what a request pays at one connection.
void BenchHandOver(EventLoop& loop) {
  std::mutex mu;
  std::condition_variable changed;
  bool done = false;
  Bench("EventLoop/hand-over-and-back", 0, [&] {
    loop.Post([&] {
      const std::lock_guard<std::mutex> lock(mu);
      done = true;
      changed.notify_one();
    });
    std::unique_lock<std::mutex> lock(mu);
    changed.wait(lock, [&] { return done; });
    done = false;
  });
}

// Many tasks while the loop is at work: what a request pays under load.
void BenchBatch(EventLoop& loop) {
  constexpr int kBatch = 256;
  std::mutex mu;
  std::condition_variable changed;
  int left = 0;
  Bench("EventLoop/batch=256", 0, [&] {
    left = kBatch;
    for (int i = 0; i < kBatch; i++) {
      loop.Post([&] {
        const std::lock_guard<std::mutex> lock(mu);
        if (--left == 0) changed.notify_one();
      });
    }
    std::unique_lock<std::mutex> lock(mu);
    changed.wait(lock, [&] { return left == 0; });
  });
}

int Main() {
  BenchByteQueue();
  EventLoop& loop = EventLoop::ForKey(0);
  BenchHandOver(loop);
  BenchBatch(loop);
  return 0;
}

}  // namespace
}  // namespace rocketmq_proxy

int main() { return rocketmq_proxy::Main(); }
