// SPDX-License-Identifier: Apache-2.0
#include "config_stats.h"

#include "fake_plugin.h"
#include "harness.h"

namespace {

const rocketmq_proxy_host* Host() { return fake::Plugin::Host(); }

uint32_t Define(void* stats, int kind, const std::string& name) {
  uint32_t id = 0;
  EXPECT_EQ(Host()->define_stat(stats, kind, name.data(), name.size(), &id), 1);
  return id;
}

struct Setup {
  fake::Plugin plugin;
  void* stats = nullptr;  // of the config that was made last
  uint32_t counter = 0, gauge = 0, histogram = 0;
  std::shared_ptr<fake::Config> config;

  Setup() {
    fake::ResetStats();
    plugin.define = [this](void* of) {
      stats = of;
      counter = Define(stats, ROCKETMQ_PROXY_COUNTER, "demo.request");
      gauge = Define(stats, ROCKETMQ_PROXY_GAUGE, "demo.active");
      histogram = Define(stats, ROCKETMQ_PROXY_HISTOGRAM, "demo.size");
    };
    config = fake::Config::Create("rocketmq_proxy", "{}");
  }
  void Add(uint32_t id, int64_t delta) { Host()->add_to_stat(stats, id, delta); }
  void Record(uint64_t value, uint64_t count = 1) {
    Host()->record_stat(stats, histogram, value, count);
  }
  ~Setup() {
    config.reset();
    fake::Main().Drain();
    EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
  }
};

}  // namespace

TEST(StatsOnlyWhileAConfigIsRead) {
  Setup s;
  uint32_t id;
  EXPECT_EQ(Host()->define_stat(s.stats, ROCKETMQ_PROXY_COUNTER, "late", 4, &id), 0);
  EXPECT_EQ(Host()->define_stat(s.stats, 3, "x", 1, &id), 0);
}

TEST(StatsOfTheWrongKindAreIgnored) {
  Setup s;
  s.Add(s.histogram, 1);
  s.Add(99, 1);
  s.Add(s.counter, -5);  // counters do not go down
  Host()->record_stat(s.stats, s.counter, 1, 1);
  Host()->record_stat(s.stats, 99, 1, 1);
  fake::Main().Drain();
  EXPECT_EQ(s.config->commits.load(), 0);
  EXPECT_EQ(fake::Stat("demo.request"), 0);
}

TEST(StatsFromManyThreads) {
  Setup s;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; i++) {
        s.Add(s.counter, 2);
        s.Add(s.gauge, i % 2 == 0 ? 3 : -2);
        s.Record(7);
      }
    });
  }
  for (auto& t : threads) t.join();
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.request"), 8000);
  EXPECT_EQ(fake::Stat("demo.active"), 2000);
  EXPECT_EQ(fake::Samples("demo.size").size(), 4000U);
}

TEST(StatsOneCommitForABatch) {
  Setup s;
  fake::Main().Run([&] {  // the main thread is busy
    for (int i = 0; i < 100; i++) {
      s.Add(s.counter, 1);
      s.Record(static_cast<uint64_t>(i), 2);
    }
    EXPECT_EQ(fake::Stat("demo.request"), 0);
  });
  fake::Main().Drain();
  EXPECT_EQ(s.config->commits.load(), 1);
  EXPECT_EQ(fake::Stat("demo.request"), 100);
  EXPECT_EQ(fake::Samples("demo.size").size(), 200U);
  EXPECT_EQ(fake::Samples("demo.size")[199], 99U);
}

TEST(StatsHaveABoundWhileTheMainThreadIsStuck) {
  Setup s;
  fake::TakeLogs();
  fake::Main().Run([&] { s.Record(1, (1 << 20) + 3); });
  fake::Main().Drain();
  EXPECT_EQ(fake::Samples("demo.size").size(), size_t{1} << 20);
  EXPECT_EQ(fake::TakeLogs(),
            std::vector<std::string>{"3 rocketmq_proxy: 3 histogram values were dropped: the main "
                                     "thread was stuck"});
}

TEST(StatsWithTheSameNameInTwoConfigs) {
  Setup s;
  void* const first = s.stats;
  auto second = fake::Config::Create("rocketmq_proxy", "{}");
  Host()->add_to_stat(first, s.counter, 1);
  s.Add(s.counter, 10);
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.request"), 11);
  second.reset();
  Host()->add_to_stat(first, s.counter, 1);
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.request"), 12);
}

TEST(StatsOfADestroyedConfig) {
  Setup s;
  s.Add(s.gauge, 3);
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.active"), 3);
  // The plugin's last words, and a decrement that never comes.
  s.plugin.on_config_destroy = [&](uint64_t) { s.Add(s.counter, 4); };
  fake::Main().Run([&] { s.config.reset(); });
  EXPECT_EQ(fake::Stat("demo.request"), 4);
  EXPECT_EQ(fake::Stat("demo.active"), 0);
}

TEST(StatsWhileConfigsComeAndGo) {
  Setup s;
  std::atomic<int64_t> taken{0};
  for (int i = 0; i < 200; i++) {
    if (s.config == nullptr) s.config = fake::Config::Create("rocketmq_proxy", "{}");
    // As the plugin does: the end of a config waits for what counts.
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    s.plugin.on_config_destroy = [&](uint64_t) {
      stop = true;
      for (auto& t : threads) t.join();
    };
    for (int t = 0; t < 3; t++) {
      threads.emplace_back([&] {
        while (!stop) {
          s.Add(s.counter, 1);
          taken++;
          s.Record(1);
        }
      });
    }
    test::Sleep(i % 10 == 0 ? 1 : 0);
    // As when the last connection of a config ends: on a worker. Or it ends within a commit.
    fake::WorkerAt(0).Run([&] { s.config.reset(); });
    EXPECT_EVENTUALLY([&] {
      const std::lock_guard<std::mutex> lock(s.plugin.mu);
      return s.plugin.destroyed.size() == static_cast<size_t>(i) + 1;
    }());
  }
  fake::Main().Drain();
  const int64_t counted = fake::Stat("demo.request");
  // None twice; what comes after Envoy's config has ended, inside a commit, is lost.
  EXPECT(counted > 0 && counted <= taken.load());
}

TEST(StatsOfAConfigThatEndsInsideACommit) {
  // The committing thread holds the last reference, inside a call of the plugin.
  Setup s;
  std::thread committer;
  std::atomic<bool> destroyed{false};
  std::thread::id where;
  s.plugin.on_config_destroy = [&](uint64_t) {
    if (committer.joinable()) committer.join();  // As the plugin does: it waits for what counts.
    where = std::this_thread::get_id();
    destroyed = true;
  };
  for (int i = 0; i < 300; i++) {
    if (s.config == nullptr) s.config = fake::Config::Create("rocketmq_proxy", "{}");
    std::atomic<bool> go{false};
    committer = std::thread([&] {
      go = true;
      s.Add(s.counter, 1);
    });
    while (!go) std::this_thread::yield();
    const auto committer_id = committer.get_id();
    s.config.reset();
    EXPECT_EVENTUALLY(destroyed.load());
    fake::SettleLoops();
    EXPECT(where != committer_id);
    destroyed = false;
  }
}

// An Envoy without the functions for it (1.38).
TEST(StatsThroughWorkers) {
  using rocketmq_proxy::ConfigStats;
  fake::ResetStats();
  fake::Plugin plugin;
  auto config = fake::Config::Create("rocketmq_proxy", "{}");
  auto connection = fake::Connection::Create(config, fake::WorkerAt(0));
  config->frozen = false;
  ConfigStats stats(config.get(), ConfigStats::Route::kFilter);
  const uint32_t counter = Define(&stats, ROCKETMQ_PROXY_COUNTER, "demo.request");
  const uint32_t gauge = Define(&stats, ROCKETMQ_PROXY_GAUGE, "demo.active");
  const uint32_t histogram = Define(&stats, ROCKETMQ_PROXY_HISTOGRAM, "demo.size");
  stats.Add(counter, 3);
  stats.Add(gauge, 3);
  stats.Add(gauge, -1);
  stats.Record(histogram, 8, 1);
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.request"), 0);
  const auto hook = [&] { connection->worker.Run([&] { stats.ApplyOnWorker(connection.get()); }); };
  hook();
  EXPECT_EQ(fake::Stat("demo.request"), 3);
  EXPECT_EQ(fake::Stat("demo.active"), 2);
  EXPECT_EQ(fake::Samples("demo.size"), std::vector<uint64_t>{8});
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; i++) stats.Add(counter, 1);
    });
  }
  for (int i = 0; i < 50; i++) hook();
  for (auto& t : threads) t.join();
  hook();
  EXPECT_EQ(fake::Stat("demo.request"), 1503);
  stats.Add(gauge, -1);
  hook();
  EXPECT_EQ(fake::Stat("demo.active"), 1);
  stats.Add(counter, 1);  // lost with the config
  stats.Detach();
  hook();
  EXPECT_EQ(fake::Stat("demo.request"), 1503);
  fake::Release(&connection);
  EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
}
