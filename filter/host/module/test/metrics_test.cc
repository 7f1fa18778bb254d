// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include "fake_plugin.h"
#include "golang_abi.h"
#include "harness.h"

namespace {

uint32_t Define(uint32_t type, std::string name) {
  uint32_t id = 0;
  EXPECT_EQ(
      envoyGoFilterHttpDefineMetric(nullptr, type, name.data(), static_cast<int>(name.size()), &id),
      0);
  return id;
}

struct Setup {
  fake::Plugin plugin;
  uint32_t counter = 0, gauge = 0, histogram = 0;
  std::shared_ptr<fake::Config> config;

  explicit Setup(const std::string& prefix = "demo") {
    fake::ResetStats();
    plugin.define = [this, prefix] {
      counter = Define(0, prefix + ".request");
      gauge = Define(1, prefix + ".active");
      histogram = Define(2, prefix + ".size");
    };
    config = fake::Config::Create("rocketmq_proxy", "{}");
  }
  ~Setup() {
    config.reset();
    fake::Main().Drain();
    EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
  }
};

uint64_t Get(uint32_t id) {
  uint64_t value = 99;
  EXPECT_EQ(envoyGoFilterHttpGetMetric(nullptr, id, &value), 0);
  return value;
}

}  // namespace

TEST(MetricsIdsAndPhases) {
  Setup s;
  EXPECT_EQ(s.counter & 3, 0U);
  EXPECT_EQ(s.gauge & 3, 1U);
  EXPECT_EQ(s.histogram & 3, 2U);
  uint32_t id;
  std::string name = "late";
  EXPECT_EQ(envoyGoFilterHttpDefineMetric(nullptr, 0, name.data(), 4, &id), -4);
  uint64_t value;
  EXPECT_EQ(envoyGoFilterHttpIncrementMetric(nullptr, 1U << 30, 1), -5);
  EXPECT_EQ(envoyGoFilterHttpGetMetric(nullptr, 1U << 30, &value), -5);
  EXPECT_EQ(envoyGoFilterHttpRecordMetric(nullptr, s.counter | 2, 1), -5);
}

TEST(MetricsUnknownTypeIsRefused) {
  fake::Plugin plugin;
  int status = 0;
  plugin.define = [&] {
    uint32_t id;
    std::string name = "x";
    status = envoyGoFilterHttpDefineMetric(nullptr, 3, name.data(), 1, &id);
  };
  fake::Config::Create("rocketmq_proxy", "{}");
  EXPECT_EQ(status, -5);
}

TEST(MetricsFromManyThreads) {
  Setup s;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; i++) {
        envoyGoFilterHttpIncrementMetric(nullptr, s.counter, 2);
        envoyGoFilterHttpIncrementMetric(nullptr, s.gauge, i % 2 == 0 ? 3 : -2);
        envoyGoFilterHttpRecordMetric(nullptr, s.histogram, 7);
      }
    });
  }
  for (auto& t : threads) t.join();
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.request"), 8000);
  EXPECT_EQ(fake::Stat("demo.active"), 2000);
  EXPECT_EQ(fake::Samples("demo.size").size(), 4000U);
  EXPECT_EQ(Get(s.counter), 8000U);
  EXPECT_EQ(Get(s.gauge), 2000U);
  EXPECT_EQ(Get(s.histogram), 0U);
}

TEST(MetricsOneCommitForABatch) {
  Setup s;
  fake::Main().Run([&] {  // the main thread is busy
    for (int i = 0; i < 100; i++) {
      envoyGoFilterHttpIncrementMetric(nullptr, s.counter, 1);
      envoyGoFilterHttpRecordMetric(nullptr, s.histogram, static_cast<uint64_t>(i));
    }
    EXPECT_EQ(fake::Stat("demo.request"), 0);
  });
  fake::Main().Drain();
  EXPECT_EQ(s.config->commits.load(), 1);
  EXPECT_EQ(fake::Stat("demo.request"), 100);
  EXPECT_EQ(fake::Samples("demo.size")[99], 99U);
  envoyGoFilterHttpIncrementMetric(nullptr, s.counter, -5);  // counters do not go down
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.request"), 100);
}

TEST(MetricsRecordSets) {
  Setup s;
  fake::Main().Run([&] {  // in one batch
    envoyGoFilterHttpIncrementMetric(nullptr, s.gauge, 100);
    envoyGoFilterHttpRecordMetric(nullptr, s.gauge, 40);
    envoyGoFilterHttpIncrementMetric(nullptr, s.gauge, 2);
    envoyGoFilterHttpRecordMetric(nullptr, s.counter, 5);
  });
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.active"), 42);
  EXPECT_EQ(Get(s.gauge), 42U);
  EXPECT_EQ(fake::Stat("demo.request"), 5);
}

TEST(MetricsSameNameInTwoConfigs) {
  Setup a;
  const uint32_t first = a.counter;
  auto second_config = fake::Config::Create("rocketmq_proxy", "{}");
  EXPECT(first != a.counter);
  envoyGoFilterHttpIncrementMetric(nullptr, first, 1);
  envoyGoFilterHttpIncrementMetric(nullptr, a.counter, 10);
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("demo.request"), 11);
  EXPECT_EQ(Get(first), 1U);
  second_config.reset();
  EXPECT_EQ(envoyGoFilterHttpIncrementMetric(nullptr, a.counter, 1), -1);
  EXPECT_EQ(envoyGoFilterHttpIncrementMetric(nullptr, first, 1), 0);
}

TEST(MetricsOfADestroyedConfig) {
  uint32_t counter, gauge, histogram;
  {
    Setup s;
    counter = s.counter;
    gauge = s.gauge;
    histogram = s.histogram;
    envoyGoFilterHttpIncrementMetric(nullptr, gauge, 3);
    fake::Main().Drain();
    EXPECT_EQ(fake::Stat("demo.active"), 3);
    // The plugin's last words, and a decrement that never comes.
    s.plugin.on_config_destroy = [&](uint64_t) {
      EXPECT_EQ(envoyGoFilterHttpIncrementMetric(nullptr, counter, 4), 0);
    };
    fake::Main().Run([&] { s.config.reset(); });
    EXPECT_EQ(fake::Stat("demo.request"), 4);
    EXPECT_EQ(fake::Stat("demo.active"), 0);
  }
  EXPECT_EQ(envoyGoFilterHttpIncrementMetric(nullptr, counter, 1), -1);
  EXPECT_EQ(envoyGoFilterHttpRecordMetric(nullptr, histogram, 1), -1);
  uint64_t value;
  EXPECT_EQ(envoyGoFilterHttpGetMetric(nullptr, gauge, &value), -1);
}

TEST(MetricsWhileConfigsComeAndGo) {
  fake::ResetStats();
  fake::Plugin plugin;
  std::atomic<uint32_t> counter{0}, histogram{0};
  plugin.define = [&] {
    counter = Define(0, "demo.request");
    histogram = Define(2, "demo.size");
  };
  std::atomic<bool> stop{false};
  std::atomic<int64_t> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++) {
    threads.emplace_back([&] {
      while (!stop) {
        if (envoyGoFilterHttpIncrementMetric(nullptr, counter, 1) == 0) taken++;
        envoyGoFilterHttpRecordMetric(nullptr, histogram, 1);
      }
    });
  }
  for (int i = 0; i < 200; i++) {
    auto config = fake::Config::Create("rocketmq_proxy", "{}");
    test::Sleep(i % 10 == 0 ? 1 : 0);
    // As when the last connection of a config ends: on a worker. Or it ends within a commit.
    fake::WorkerAt(0).Run([&] { config.reset(); });
  }
  stop = true;
  for (auto& t : threads) t.join();
  fake::Main().Drain();
  EXPECT(test::Eventually([&] {
    const std::lock_guard<std::mutex> lock(plugin.mu);
    return plugin.destroyed.size() == 200;
  }));
  EXPECT_EQ(fake::Stat("demo.request"), taken.load());  // none lost, none counted twice
  EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
}

TEST(MetricsConfigThatEndsInsideACommit) {
  // The committing thread holds the last reference, inside a call of the plugin.
  Setup s;
  std::atomic<bool> destroyed{false};
  std::thread::id where;
  s.plugin.on_config_destroy = [&](uint64_t) {
    where = std::this_thread::get_id();
    destroyed = true;
  };
  for (int i = 0; i < 300; i++) {
    if (s.config == nullptr) s.config = fake::Config::Create("rocketmq_proxy", "{}");
    std::atomic<bool> go{false};
    std::thread committer([&] {
      go = true;
      envoyGoFilterHttpIncrementMetric(nullptr, s.counter, 1);
    });
    while (!go) std::this_thread::yield();
    const auto committer_id = committer.get_id();
    s.config.reset();
    committer.join();
    EXPECT_EVENTUALLY(destroyed.load());
    fake::SettleLoops();
    EXPECT(where != committer_id);
    destroyed = false;
  }
}

TEST(MetricsThroughWorkers) {
  rocketmq_proxy::PretendNoConfigMetricsForTest(true);
  {
    Setup s;
    rocketmq_proxy::PretendNoConfigMetricsForTest(false);
    envoyGoFilterHttpIncrementMetric(nullptr, s.counter, 3);
    envoyGoFilterHttpIncrementMetric(nullptr, s.gauge, 3);
    envoyGoFilterHttpIncrementMetric(nullptr, s.gauge, -1);
    envoyGoFilterHttpRecordMetric(nullptr, s.histogram, 8);
    fake::Main().Drain();
    EXPECT_EQ(fake::Stat("demo.request"), 0);
    auto c = fake::Connection::Create(s.config, fake::WorkerAt(0));
    EXPECT_EQ(fake::Stat("demo.request"), 3);
    EXPECT_EQ(fake::Stat("demo.active"), 2);
    EXPECT_EQ(fake::Samples("demo.size"), std::vector<uint64_t>{8});
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; t++) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; i++) envoyGoFilterHttpIncrementMetric(nullptr, s.counter, 1);
      });
    }
    for (int i = 0; i < 50; i++) c->ClientSends({"x"});
    for (auto& t : threads) t.join();
    c->ClientSends({"x"});
    EXPECT_EQ(fake::Stat("demo.request"), 1503);
    envoyGoFilterHttpRecordMetric(nullptr, s.gauge, 9);
    c->Close(0);
    EXPECT_EQ(fake::Stat("demo.active"), 9);
    fake::Release(&c);
    envoyGoFilterHttpIncrementMetric(nullptr, s.counter, 1);  // dropped with the config
  }
  rocketmq_proxy::PretendNoConfigMetricsForTest(false);
}
