// SPDX-License-Identifier: Apache-2.0
//
// The chained role, in front of a fake tcp_proxy.
#include "chain_filter.h"
#include "envoy.h"
#include "fake_plugin.h"
#include "harness.h"

using fake::Connection;
using fake::WorkerAt;
using Strings = std::vector<std::string>;

namespace {

constexpr int kDown = 0, kUp = 1;  // sides
constexpr char kDestination[] = "envoy.network.transport_socket.original_dst_address";

struct Setup {
  fake::Plugin plugin;
  std::shared_ptr<fake::Config> config = fake::Config::Create("rocketmq_proxy_chain", "{}");
  std::shared_ptr<Connection> connection;
  void* handle = nullptr;
  void* upstream = nullptr;
  bool connect_at_open = true;
  std::string address = "127.0.0.1:10911";
  std::atomic<int> closes{0};
  std::atomic<int> close_event{-1};
  std::atomic<int> wakes{0};
  std::atomic<bool> in_call{false};
  Strings seen;  // "d:..." and "u:...", "$" at the end of a stream

  Setup() {
    plugin.open = [this](void* h, const std::string& local, const std::string& remote) {
      EXPECT_EQ(local, "10.0.0.1:10911");
      EXPECT_EQ(remote, "[2001:db8::7]:40000");
      handle = h;
      if (connect_at_open) EXPECT(Connect());
      return uint64_t{7};
    };
    plugin.close = [this](int event) {
      close_event = event;
      closes++;
    };
    Record([](int, const std::string&, bool) { return ROCKETMQ_PROXY_PASS; });
  }
  void Record(std::function<int(int side, const std::string& data, bool end)> then) {
    const auto record = [this, then](int side, const std::string& data, bool end) {
      EXPECT(!in_call.exchange(true));
      seen.push_back((side == kDown ? "d:" : "u:") + data + (end ? "$" : ""));
      const int verdict = then(side, data, end);
      in_call = false;
      return verdict;
    };
    plugin.data = [record](const std::string& data, bool end) { return record(kDown, data, end); };
    plugin.on_up_data = [record](uint64_t upstream, const std::string& data) {
      EXPECT_EQ(upstream, 7U);
      return record(kUp, data, false);
    };
  }
  void Open(Connection::Options options = {}) {
    options.tcp_proxy = true;
    connection = Connection::Create(config, WorkerAt(0), options);
  }
  bool Connect() {
    void* const connected = plugin.Host()->connect(handle, 7, address.data(), address.size());
    if (connected != nullptr) upstream = connected;
    return connected != nullptr;
  }
  void Up(const std::string& data) {
    EXPECT_EQ(plugin.Host()->write_upstream(upstream, data.data(), data.size()), 0U);
  }
  void Down(const std::string& data) { plugin.Write(data); }
  void Close(bool flush = true) { plugin.Close(flush); }
  bool Full() { return plugin.Full(); }
  void Wake() { plugin.Wake(); }
  void Drain() { connection->worker.Drain(); }
  std::string ToClient() { return connection->Get(&Connection::to_client); }
  std::string ToUpstream() { return connection->Get(&Connection::to_upstream); }
  Strings Calls() { return connection->Get(&Connection::calls); }

  ~Setup() {
    if (connection != nullptr) fake::Release(&connection);
    config.reset();
    EXPECT_EQ(fake::TakeViolations(), Strings());
  }
};

}  // namespace

TEST(ChainOpenConnects) {
  Setup s;
  s.Open();
  EXPECT_EQ(s.connection->status_of_new, 0);
  EXPECT_EQ(s.connection->state[kDestination], "127.0.0.1:10911");
  EXPECT(s.connection->next_started);
  s.connection->Close(0);
  EXPECT_EQ(s.closes.load(), 1);
  EXPECT_EQ(s.close_event.load(), 0);
}

TEST(ChainOpenWithTheClusterOfTheConfig) {
  Setup s;
  s.address = "";
  s.Open();
  EXPECT_EQ(s.connection->status_of_new, 0);
  EXPECT(s.connection->state.empty());
}

TEST(ChainConnectRefusesNonsense) {
  Setup s;
  s.plugin.open = [&](void* h, const std::string&, const std::string&) {
    s.handle = h;
    s.address = "nonsense";
    EXPECT(!s.Connect());
    s.address = "1.2.3.4:5";
    EXPECT(s.Connect());
    EXPECT(!s.Connect());  // once
    return uint64_t{7};
  };
  s.Open();
  EXPECT_EQ(s.connection->state[kDestination], "1.2.3.4:5");
  EXPECT(!s.Connect());  // outside of a call
  s.Up("x");
  s.Down("x");
  s.Close();
  s.Drain();
  EXPECT(s.connection->open);
}

TEST(ChainOpenRefused) {
  Setup s;
  s.plugin.open = [](void*, const std::string&, const std::string&) { return uint64_t{0}; };
  s.Open();
  EXPECT_EQ(s.connection->status_of_new, 1);
  EXPECT_EQ(s.connection->calls, Strings{"close 1"});
  EXPECT_EQ(s.closes.load(), 0);
}

TEST(ChainPassTouchesNothing) {
  Setup s;
  s.Open();
  s.connection->ClientSends({"ab", "cd"});
  s.connection->UpstreamSends("answer");
  EXPECT_EQ(s.seen, (Strings{"d:abcd", "u:answer"}));
  EXPECT_EQ(s.ToUpstream(), "abcd");
  EXPECT_EQ(s.ToClient(), "answer");
  EXPECT_EQ(s.Calls(), Strings());
  Strings many;
  for (int i = 0; i < 50; i++) many.push_back(std::to_string(i) + ";");
  s.connection->ClientSends(many);
  EXPECT_EQ(s.seen.back().size(), 2 + 10 * 2 + 40 * 3U);
  s.connection->ClientSends({}, true);
  EXPECT_EQ(s.seen.back(), "d:$");
  EXPECT(s.connection->to_upstream_ended);
  s.connection->UpstreamSends("", true);
  EXPECT_EQ(s.seen.back(), "d:$");  // its end says nothing to the plugin
  EXPECT(s.connection->to_client_ended);
}

TEST(ChainReplace) {
  Setup s;
  s.Record([&](int side, const std::string& data, bool) {
    if (data == "drop") return ROCKETMQ_PROXY_REPLACE;
    if (side == kDown) {
      s.Up("<");
      s.Up(data + ">");
    } else {
      s.Down("{" + data);
      s.Down("}");
    }
    return ROCKETMQ_PROXY_REPLACE;
  });
  s.Open();
  s.connection->ClientSends({"a", "b"});
  s.connection->ClientSends({"drop"});
  s.connection->UpstreamSends("answer");
  s.connection->UpstreamSends("drop");
  EXPECT_EQ(s.ToUpstream(), "<ab>");
  EXPECT_EQ(s.ToClient(), "{answer}");
  // The end of a stream goes on though its bytes do not.
  s.connection->ClientSends({"drop"}, true);
  s.connection->UpstreamSends("drop", true);
  EXPECT_EQ(s.ToUpstream(), "<ab>");
  EXPECT(s.connection->to_upstream_ended);
  EXPECT_EQ(s.ToClient(), "{answer}");
  EXPECT(s.connection->to_client_ended);
}

TEST(ChainAnswersTheClientItself) {
  Setup s;
  s.Record([&](int side, const std::string& data, bool) {
    if (side == kUp || data != "ping") return ROCKETMQ_PROXY_PASS;
    s.Down("po");
    s.Down("ng");
    return ROCKETMQ_PROXY_REPLACE;
  });
  s.Open();
  s.connection->ClientSends({"ping"});
  s.connection->ClientSends({"x"});
  EXPECT_EQ(s.ToClient(), "pong");
  EXPECT_EQ(s.ToUpstream(), "x");
  EXPECT_EQ(s.seen, (Strings{"d:ping", "d:x"}));  // not its own answer
}

TEST(ChainAnswersTheUpstreamItself) {
  Setup s;
  s.Record([&](int side, const std::string& data, bool) {
    if (side == kDown) return ROCKETMQ_PROXY_PASS;
    s.Up("ack " + data);
    if (data == "both") {
      s.Down("changed");
      return ROCKETMQ_PROXY_REPLACE;
    }
    return ROCKETMQ_PROXY_PASS;
  });
  s.Open();
  s.connection->UpstreamSends("1");
  s.connection->UpstreamSends("both");
  EXPECT_EQ(s.ToClient(), "1changed");
  EXPECT_EQ(s.ToUpstream(), "ack 1ack both");
}

TEST(ChainConnectsLater) {
  Setup s;
  s.connect_at_open = false;
  s.plugin.wake = [&]() {
    if (s.wakes++ == 0) return;  // not yet
    s.Connect();
  };
  s.Open();
  EXPECT_EQ(s.connection->status_of_new, 1);
  s.Wake();
  s.Drain();
  EXPECT(!s.connection->Get(&Connection::next_started));
  std::thread([&] { s.Wake(); }).join();
  s.Drain();
  EXPECT_EQ(s.Calls(), Strings{"continue_reading"});
  EXPECT(s.connection->Get(&Connection::next_started));
  s.connection->ClientSends({"x"});
  EXPECT_EQ(s.ToUpstream(), "x");
}

TEST(ChainBytesBeforeTheConnectAreShownOnce) {
  Setup s;
  s.connect_at_open = false;
  s.plugin.wake = [&]() { s.Connect(); };
  s.Record([&](int, const std::string& data, bool) {
    if (data == "local") {
      s.Down("reply");
      return ROCKETMQ_PROXY_REPLACE;
    }
    return data == "drop" ? ROCKETMQ_PROXY_REPLACE : ROCKETMQ_PROXY_PASS;
  });
  Connection::Options options;
  options.early_data = true;
  s.Open(options);
  s.connection->ClientSends({"one ", "two "});
  EXPECT_EQ(s.connection->last_status, 1);
  s.connection->ClientSends({"drop"});
  s.connection->ClientSends({"local"});
  s.connection->ClientSends({" three"});
  EXPECT_EQ(s.seen, (Strings{"d:one two ", "d:drop", "d:local", "d: three"}));
  EXPECT_EQ(s.ToUpstream(), "");
  EXPECT_EQ(s.ToClient(), "reply");
  s.Wake();
  s.Drain();
  EXPECT_EQ(s.ToUpstream(), "one two  three");
  s.connection->ClientSends({" four"}, true);
  EXPECT_EQ(s.seen.back(), "d: four$");
  EXPECT_EQ(s.ToUpstream(), "one two  three four");
}

TEST(ChainEndBeforeTheConnect) {
  Setup s;
  s.connect_at_open = false;
  s.plugin.wake = [&]() { s.Connect(); };
  Connection::Options options;
  options.early_data = true;
  s.Open(options);
  s.connection->ClientSends({"all"}, true);
  s.Wake();
  s.Drain();
  EXPECT_EQ(s.ToUpstream(), "all");
  EXPECT(s.connection->to_upstream_ended);
}

TEST(ChainWritesOfAWake) {
  Setup s;
  s.plugin.wake = [&]() {
    s.Down("down");
    s.Up("up");
  };
  s.Open();
  s.Wake();
  s.Drain();
  EXPECT_EQ(s.ToClient(), "down");
  EXPECT_EQ(s.ToUpstream(), "up");
  EXPECT_EQ(s.seen, Strings());
}

TEST(ChainUpstreamBytesWaitForTcpProxy) {
  // tcp_proxy would lose what is injected before its upstream is there.
  Setup s;
  s.connect_at_open = false;
  s.plugin.wake = [&]() {
    if (s.wakes++ == 0) s.Connect();
    s.Up("early" + std::to_string(s.wakes.load()) + " ");
  };
  Connection::Options options;
  options.upstream_at_once = false;
  s.Open(options);
  s.Wake();
  s.Drain();
  s.Wake();
  test::Sleep(30);
  s.Drain();
  EXPECT_EQ(s.ToUpstream(), "");
  s.connection->ConnectUpstream();
  EXPECT_EVENTUALLY(s.ToUpstream() == "early1 early2 ");
  s.connection->ClientSends({"x"});
  EXPECT_EQ(s.ToUpstream(), "early1 early2 x");

  // And go before what the client sends next.
  Setup t;
  t.plugin.open = [&](void* h, const std::string&, const std::string&) {
    t.handle = h;
    t.Connect();
    t.Up("first ");
    return uint64_t{7};
  };
  t.Record([&](int, const std::string& data, bool) {
    if (data == "pass") return ROCKETMQ_PROXY_PASS;
    t.Up("replaced");
    return ROCKETMQ_PROXY_REPLACE;
  });
  t.Open(options);
  t.connection->worker.Run([&] {
    t.connection->ConnectUpstream();
    t.connection->ClientSends({"replace"});
  });
  EXPECT_EQ(t.seen, Strings{"d:replace"});
  EXPECT_EQ(t.ToUpstream(), "first replaced");
  t.connection->ClientSends({"pass"});
  EXPECT_EQ(t.ToUpstream(), "first replacedpass");
}

TEST(ChainCloseAfterAnAnswer) {
  Setup s;
  s.Record([&](int, const std::string& data, bool) {
    if (data != "quit") return ROCKETMQ_PROXY_PASS;
    s.Down("bye");
    s.Close();
    return ROCKETMQ_PROXY_REPLACE;
  });
  s.Open();
  s.connection->worker.Run([&] {
    s.connection->ClientSends({"quit"});
    EXPECT_EQ(s.closes.load(), 0);
    // Neither side is shown any more.
    s.connection->ClientSends({"late"});
    s.connection->UpstreamSends("late");
  });
  s.Drain();
  EXPECT_EQ(s.ToClient(), "bye");
  EXPECT_EQ(s.ToUpstream(), "");
  EXPECT_EQ(s.Calls().back(), "close 0");
  EXPECT_EQ(s.seen, Strings{"d:quit"});
  EXPECT_EQ(s.closes.load(), 1);
  EXPECT_EQ(s.close_event.load(), 1);
}

TEST(ChainCloseInUpstreamDataKeepsItsBytes) {
  Setup s;
  s.Record([&](int, const std::string&, bool) {
    s.Close();
    return ROCKETMQ_PROXY_PASS;
  });
  s.Open();
  s.connection->UpstreamSends("last answer");
  s.Drain();
  EXPECT_EQ(s.ToClient(), "last answer");
  EXPECT_EQ(s.Calls(), Strings{"close 0"});
}

TEST(ChainCloseLetsTheBytesOfItsCallGoOn) {
  Setup s;
  s.Record([&](int, const std::string&, bool) {
    s.Close();
    return ROCKETMQ_PROXY_PASS;
  });
  s.Open();
  s.connection->ClientSends({"last question"});
  s.Drain();
  EXPECT_EQ(s.ToUpstream(), "last question");
  EXPECT_EQ(s.Calls(), Strings{"close 0"});
}

TEST(ChainCloseAtOpenAndInWake) {
  {
    Setup s;
    s.plugin.open = [&](void* h, const std::string&, const std::string&) {
      s.handle = h;
      s.Down("no");
      s.Close();
      return uint64_t{7};
    };
    s.Open();
    s.Drain();
    EXPECT_EQ(s.ToClient(), "no");
    EXPECT(!s.connection->next_started);
    EXPECT_EQ(s.closes.load(), 1);
  }
  {
    Setup s;
    s.plugin.wake = [&]() {
      s.Close();
      s.Down("no");
    };
    s.Open();
    s.Wake();
    s.Drain();
    EXPECT_EQ(s.ToClient(), "no");
    EXPECT_EQ(s.Calls(), (Strings{"write 2", "close 0"}));
    EXPECT_EQ(s.closes.load(), 1);
  }
}

TEST(ChainTcpProxyClosesInsideOurCalls) {
  {  // at open
    Setup s;
    Connection::Options options;
    options.close_at_start = true;
    s.Open(options);
    EXPECT_EQ(s.closes.load(), 1);
    s.connection->ClientSends({"x"});
    EXPECT_EQ(s.seen, Strings());
  }
  {  // in continue_reading
    Setup s;
    s.connect_at_open = false;
    s.plugin.wake = [&]() {
      s.Connect();
      s.Up("more");
      s.Close();
    };
    Connection::Options options;
    options.close_at_start = true;
    s.Open(options);
    s.Wake();
    s.Drain();
    EXPECT_EQ(s.Calls(), (Strings{"continue_reading", "close tcp_proxy"}));
    EXPECT_EQ(s.closes.load(), 1);
  }
}

TEST(ChainWakesAreJoined) {
  Setup s;
  s.plugin.wake = [&]() { s.wakes++; };
  s.Open();
  s.connection->worker.Run([&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) threads.emplace_back([&] { s.Wake(); });
    for (auto& t : threads) t.join();
  });
  s.Drain();
  EXPECT_EQ(s.wakes.load(), 1);
  EXPECT_EQ(s.connection->commits.load(), 1);
  s.Wake();
  s.Drain();
  EXPECT_EQ(s.wakes.load(), 2);
}

TEST(ChainWakesRaceWithTheClose) {
  for (int i = 0; i < 200; i++) {
    Setup s;
    std::atomic<bool> stop{false};
    // As the plugin does: it keeps one lock over its wakes and the close of its session.
    std::mutex session_mu;
    bool closed = false;
    s.plugin.wake = [&]() {
      const std::lock_guard<std::mutex> lock(session_mu);
      EXPECT_EQ(s.closes.load(), 0);
      s.wakes++;
      s.Down("w");
    };
    s.plugin.close = [&](int) {
      const std::lock_guard<std::mutex> lock(session_mu);
      s.closes++;
      closed = true;
    };
    s.Open();
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; t++) {
      threads.emplace_back([&, t] {
        while (!stop) {
          if (t == 0) {
            s.Wake();  // even without that lock, even afterwards
          } else {
            const std::lock_guard<std::mutex> lock(session_mu);
            if (!closed) s.Wake();
          }
        }
      });
    }
    if (i % 3 == 0) test::Sleep(1);
    s.connection->worker.Run([&] {
      if (i % 2 == 0) s.connection->Close(0);
      s.connection.reset();
    });
    EXPECT_EVENTUALLY(s.closes.load() == 1);
    stop = true;
    for (auto& t : threads) t.join();
    WorkerAt(0).Drain();
    fake::SettleLoops();
    EXPECT_EQ(s.closes.load(), 1);
  }
}

TEST(ChainNothingAfterTheClose) {
  Setup s;
  s.Open();
  s.connection->Close(0);
  s.Wake();
  s.Drain();
  s.connection->worker.Run([&] { s.connection->Event(1); });
  EXPECT_EQ(s.closes.load(), 1);
  EXPECT_EQ(s.close_event.load(), 0);
}

TEST(ChainTrafficWithWakes) {
  // Both ways, edited, while other threads wake: bytes and order hold.
  Setup s;
  s.Record([&](int side, const std::string& data, bool) {
    if (data.size() % 3 == 0) return ROCKETMQ_PROXY_PASS;
    side == kDown ? s.Up(data) : s.Down(data);
    return ROCKETMQ_PROXY_REPLACE;
  });
  s.plugin.wake = [&]() { s.wakes++; };
  s.Open();
  std::atomic<bool> stop{false};
  std::thread waker([&] {
    while (!stop) s.Wake();
  });
  std::string up, down;
  for (int i = 0; i < 300; i++) {
    const std::string piece(static_cast<size_t>(i % 50 + 1), static_cast<char>('a' + i % 26));
    s.connection->ClientSends({piece, "-"});
    s.connection->UpstreamSends(piece);
    up += piece + "-";
    down += piece;
  }
  stop = true;
  waker.join();
  EXPECT_EQ(s.ToUpstream(), up);
  EXPECT_EQ(s.ToClient(), down);
}

TEST(ChainClientThatDoesNotReadIsNotRead) {
  Setup s;
  Strings told;
  s.plugin.drained = [&]() {
    EXPECT(!s.Full());
    told.push_back("drained");
    s.Up("kept");
  };
  s.Record([&](int side, const std::string& data, bool) {
    if (side == kUp) return ROCKETMQ_PROXY_PASS;
    told.push_back(s.Full() ? "full" : "takes");
    s.Down(std::string(40000, data[0]));
    return ROCKETMQ_PROXY_REPLACE;
  });
  s.Open();
  s.connection->client_stalled = true;
  for (const char* each : {"a", "b", "c"}) s.connection->ClientSends({each});  // 65,536 is full
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.connection->ClientReads(100000);  // 20,000 are left
  s.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 0);
  EXPECT_EQ(s.ToUpstream(), "kept");
  // Answers that pass count as well.
  s.connection->UpstreamSends(std::string(70000, 'u'));
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.connection->ClientReads(100000);
  s.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 0);
  EXPECT_EQ(s.connection->Get(&Connection::read_disable_calls), 4);
  EXPECT_EQ(told, (Strings{"takes", "takes", "full", "drained", "drained"}));
}

// tcp_proxy reads and does not read the client for reasons of its own: Envoy counts both.
TEST(ChainClientIsNotReadForTwoReasons) {
  Setup s;
  s.Record([&](int, const std::string&, bool) {
    s.Down(std::string(70000, 'a'));
    return ROCKETMQ_PROXY_REPLACE;
  });
  Connection::Options options;
  options.upstream_at_once = false;
  s.Open(options);
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.connection->client_stalled = true;
  s.connection->ClientSends({"x"});
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 2);
  s.connection->ConnectUpstream();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.connection->ClientReads(70000);
  s.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 0);
}

TEST(ChainQueueOfOneCallIsFull) {
  Setup s;
  int drained = 0;
  s.plugin.drained = [&]() { drained++; };
  s.Record([&](int, const std::string&, bool) {
    s.Down(std::string(1 << 20, 'a'));
    EXPECT(!s.Full());
    s.Down("b");
    EXPECT(s.Full());
    return ROCKETMQ_PROXY_REPLACE;
  });
  s.Open();
  s.connection->ClientSends({"x"});
  s.Drain();
  EXPECT_EQ(drained, 1);
  s.connection->UpstreamSends("y");
  s.Drain();
  EXPECT_EQ(drained, 2);
  EXPECT(!s.Full());  // outside of a call
}

TEST(ChainSecondCloseCutsAFlushShort) {
  for (const bool first : {true, false}) {
    Setup s;
    s.plugin.wake = [&]() { s.Close(false); };
    s.Record([&](int, const std::string&, bool) {
      s.Down(std::string(100000, 'a'));
      s.Close(first);
      return ROCKETMQ_PROXY_REPLACE;
    });
    s.Open();
    s.connection->client_stalled = true;
    s.connection->ClientSends({"x"});
    s.Drain();
    EXPECT_EQ(s.connection->Get(&Connection::open), first);
    s.Wake();
    s.Drain();
    EXPECT(!s.connection->Get(&Connection::open));
    EXPECT_EQ(s.Calls().back(), "close 1");
    EXPECT_EQ(s.closes.load(), 1);
  }
}

TEST(ChainAnswersAreFlushedWhereTheClientReads) {
  Setup s;
  s.Record([&](int, const std::string&, bool) {
    s.Down(std::string(100000, 'a'));
    s.Close();
    return ROCKETMQ_PROXY_REPLACE;
  });
  int drained = 0;
  s.plugin.drained = [&]() { drained++; };
  s.Open();
  s.connection->client_stalled = true;
  s.connection->ClientSends({"x"});
  s.Drain();
  s.connection->ClientReads(80000);  // The plugin hears that it reads.
  s.Drain();
  EXPECT_EQ(drained, 1);
  EXPECT(s.connection->Get(&Connection::open));
  s.connection->ClientReads(20000);
  s.Drain();
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(s.Calls().back(), "close flushed");
  EXPECT_EQ(s.closes.load(), 1);
}
