// SPDX-License-Identifier: Apache-2.0
#include "contrib.h"

#include <cstdlib>

#include "envoy.h"
#include "fake_plugin.h"
#include "golang_abi.h"
#include "harness.h"

namespace {

using rocketmq_proxy::HttpConfig;

struct Setup {
  fake::Plugin plugin;
  HttpConfig* handle = nullptr;
  std::string plugin_name;
  uint32_t counter = 0;
  uint64_t id = 5;
  std::vector<uint64_t> destroyed;

  Setup() {
    setenv("ROCKETMQ_PROXY_AS_CONTRIB", "1", 1);
    fake::ResetStats();
    plugin.on_http_config = [this](HttpConfig* config) {
      handle = config;
      plugin_name.assign(reinterpret_cast<const char*>(config->plugin_name),
                         config->plugin_name_size);
      EXPECT_EQ(config->of_route, 0);
      if (id == 0) envoyGoConfigHttpFinalize(config);
      return id;
    };
    plugin.on_http_config_destroy = [this](uint64_t destroyed_id) {
      destroyed.push_back(destroyed_id);
      EXPECT_EQ(envoyGoFilterHttpIncrementMetric(handle, counter, 1), -1);
    };
  }
  ~Setup() {
    unsetenv("ROCKETMQ_PROXY_AS_CONTRIB");
    EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
  }
};

}  // namespace

TEST(ContribHttpConfigHasTheMetrics) {
  Setup s;
  s.plugin.define = [&] {  // in a network filter's config, behind the HTTP filter's handle
    std::string name = "rocketmq.demo.request";
    EXPECT_EQ(envoyGoFilterHttpDefineMetric(s.handle, 0, name.data(), static_cast<int>(name.size()),
                                            &s.counter),
              0);
  };
  auto http = fake::Config::Create("rocketmq_proxy_stats", "{}");
  EXPECT(http != nullptr);
  EXPECT_EQ(s.plugin_name, "rocketmq_proxy_stats");
  auto network = fake::Config::Create("rocketmq_proxy", "{}");
  EXPECT_EQ(envoyGoFilterHttpIncrementMetric(s.handle, s.counter, 3), 0);
  uint64_t value = 0;
  EXPECT_EQ(envoyGoFilterHttpGetMetric(s.handle, s.counter, &value), 0);
  EXPECT_EQ(value, 3U);
  fake::Main().Drain();
  EXPECT_EQ(fake::Stat("rocketmq.demo.request"), 3);

  http.reset();
  EXPECT_EQ(s.destroyed, std::vector<uint64_t>{5});
  EXPECT_EQ(envoyGoFilterHttpIncrementMetric(s.handle, s.counter, 1), -1);
  EXPECT_EQ(envoyGoFilterHttpGetMetric(s.handle, s.counter, &value), -1);
  EXPECT_EQ(envoyGoFilterHttpRecordMetric(s.handle, s.counter, 1), -1);
  std::string name = "x";
  EXPECT_EQ(envoyGoFilterHttpDefineMetric(s.handle, 0, name.data(), 1, &s.counter), -1);
  envoyGoConfigHttpFinalize(s.handle);

  network.reset();  // the plugin is not told: contrib Envoy has no words for it
  fake::Main().Drain();
  EXPECT(s.plugin.destroyed.empty());
}

TEST(ContribHttpConfigRejected) {
  Setup s;
  s.id = 0;
  EXPECT(fake::Config::Create("rocketmq_proxy_stats", "{}") == nullptr);
  EXPECT(s.destroyed.empty());
}

TEST(ContribHttpConfigTakesNoConnections) {
  Setup s;
  auto http = fake::Config::Create("rocketmq_proxy_stats", "{}");
  EXPECT(envoy_dynamic_module_on_network_filter_new(http->module, nullptr) == nullptr);
  http.reset();
  envoyGoConfigHttpFinalize(s.handle);
}

TEST(ContribKnowsOnlyThePeerOfTheSocket) {
  Setup s;
  auto config = fake::Config::Create("rocketmq_proxy", "{}");
  auto connection = fake::Connection::Create(config, fake::WorkerAt(0), {});
  rocketmq_proxy::GoString text{};
  EXPECT_EQ(envoyGoFilterDownstreamInfo(s.plugin.down.wrapper, 1, &text), 0);
  EXPECT_EQ(std::string(text.data, static_cast<size_t>(text.size)), "10.9.9.9:50000");
  fake::Release(&connection);
}

TEST(ContribIsOnlyOnDemand) {
  {
    Setup s;
    EXPECT(fake::Config::Create("rocketmq_proxy_chain", "{}") == nullptr);
  }
  EXPECT(fake::Config::Create("rocketmq_proxy_stats", "{}") == nullptr);
  EXPECT_EQ(fake::TakeLogs().size(), 2U);
}
