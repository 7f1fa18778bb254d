// SPDX-License-Identifier: Apache-2.0
//
// Addresses, configs, and the loading of plugins.
#include "address.h"
#include "byte_queue.h"
#include "envoy.h"
#include "fake_plugin.h"
#include "filter_config.h"
#include "harness.h"

using rocketmq_proxy::LogLine;
using rocketmq_proxy::SocketAddress;

TEST(AddressParse) {
  SocketAddress a;
  for (const char* good : {"1.2.3.4:5", "127.0.0.1:65535", "[::1]:80", "[2001:db8::1]:10911"}) {
    EXPECT(rocketmq_proxy::ParseAddress(good, &a));
  }
  for (const char* bad :
       {"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4: 1", "1.2.3:1",
        "::1:80", "[::1]", "[::1:80", "broker:80", "1.2.3.4:123456", "[]:1", "[1.2.3.4]:1"}) {
    if (rocketmq_proxy::ParseAddress(bad, &a)) test::Fail(__FILE__, __LINE__, bad);
  }
}

TEST(AddressJoin) {
  EXPECT_EQ(rocketmq_proxy::JoinAddress("1.2.3.4", 5), "1.2.3.4:5");
  EXPECT_EQ(rocketmq_proxy::JoinAddress("::1", 80), "[::1]:80");
}

// A frame of 16 MiB must not stay in memory for its last byte, for which alone somebody pays.
TEST(ByteQueueKeepsNoMoreThanAPieceOfWhatHasGoneOut) {
  rocketmq_proxy::ByteQueue queue;
  std::string all, out;
  for (const size_t size : {size_t{1}, size_t{4095}, size_t{100}, size_t{16} << 20, size_t{5}}) {
    const std::string bytes(size, static_cast<char>('a' + all.size() % 26));
    queue.Append(bytes);
    all += bytes;
  }
  EXPECT_EQ(queue.size(), all.size());
  while (!queue.empty()) {
    const std::string_view front = queue.front();
    EXPECT(!front.empty() && front.size() < 64 << 10);
    const size_t taken = std::min(front.size(), size_t{5000});
    out.append(front.substr(0, taken));
    queue.Drain(taken);
  }
  EXPECT(out == all);
  EXPECT(queue.front().empty());
}

TEST(ConfigUnknownFilterNameIsRejected) {
  fake::Plugin plugin;
  fake::TakeLogs();
  EXPECT(fake::Config::Create("nonsense", "{}") == nullptr);
  const auto logs = fake::TakeLogs();
  EXPECT_EQ(logs.size(), 1U);
  EXPECT(logs[0].find("4 rocketmq_proxy: unknown filter_name \"nonsense\"") == 0);
  EXPECT(logs[0].find("\"rocketmq_proxy_chain\"") != std::string::npos);
  EXPECT(plugin.configs.empty());
}

TEST(ConfigErrorsAreLoggedAndRejected) {
  fake::Plugin plugin;
  fake::TakeLogs();
  plugin.errors = "a.b: too big\n\nc: missing\n";
  EXPECT(fake::Config::Create("rocketmq_proxy", "{}") == nullptr);
  EXPECT_EQ(fake::TakeLogs(), (std::vector<std::string>{"4 rocketmq_proxy: config: a.b: too big",
                                                        "4 rocketmq_proxy: config: c: missing"}));
  EXPECT(plugin.destroyed.empty());
}

TEST(ConfigLife) {
  fake::Plugin plugin;
  for (const char* role : {"rocketmq_proxy", "rocketmq_proxy_chain"}) {
    EXPECT(fake::Config::Create(role, "{\"x\": 1}") != nullptr);
  }
  EXPECT_EQ(plugin.configs, (std::vector<std::string>{"0 {\"x\": 1}", "1 {\"x\": 1}"}));
  EXPECT_EQ(plugin.destroyed, (std::vector<uint64_t>{1001, 1002}));
}

TEST(PluginLoadErrors) {
  rocketmq_proxy::Plugin table;
  std::string error;
  EXPECT(!rocketmq_proxy::OpenPlugin("/does/not/exist.so", &table, &error));
  EXPECT(error.find("/does/not/exist.so") != std::string::npos);
  EXPECT(!rocketmq_proxy::OpenPlugin("libm.so.6", &table, &error));
  EXPECT_EQ(error, "it does not export rocketmqProxyAttach");
  setenv("ROCKETMQ_PROXY_PLUGIN", "/x/y.so", 1);
  EXPECT_EQ(rocketmq_proxy::PluginPath(), "/x/y.so");
  setenv("ROCKETMQ_PROXY_PLUGIN", "", 1);
  EXPECT(rocketmq_proxy::PluginPath().find("librocketmq_proxy.so") != std::string::npos);
}

TEST(LinesOfTheLogAreLinesAndBounded) {
  LogLine line;
  (line << "a " << 3 << " ").Quote("b\n\x1b[1m\"\\\xc3\xa9").Escape(" \"c\"\r\n\x7f\xc3\xa9");
  EXPECT_EQ(line.view(), "a 3 \"b\\x0a\\x1b[1m\\\"\\\\\\xc3\\xa9\" \"c\"\\x0d\\x0a\\x7f\xc3\xa9");
  const std::string text(100000, 'x');
  EXPECT_EQ(LogLine().Quote(text).view(), "\"" + text.substr(0, 512) + "\"...(99488 more)");
  EXPECT_EQ(LogLine().Escape(text).view(), text.substr(0, 8192) + "...(91808 more)");
  EXPECT_EQ(LogLine().Quote("").Escape("").view(), "\"\"");
}

TEST(PluginWritesToTheLog) {
  fake::TakeLogs();
  fake::Plugin::Host()->log(ROCKETMQ_PROXY_INFO, "hello\n", 6);
  fake::Plugin::Host()->log(ROCKETMQ_PROXY_ERROR, "no", 2);
  EXPECT_EQ(fake::TakeLogs(), (std::vector<std::string>{"2 hello\\x0a", "4 no"}));
}
