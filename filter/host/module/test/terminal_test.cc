// SPDX-License-Identifier: Apache-2.0
//
// The downstream side of the terminal role.
#include "envoy.h"
#include "fake_plugin.h"
#include "harness.h"
#include "terminal_filter.h"

using fake::Connection;
using fake::WorkerAt;
using Strings = std::vector<std::string>;

namespace {

struct Setup {
  fake::Plugin plugin;
  std::shared_ptr<fake::Config> config = fake::Config::Create("rocketmq_proxy", "{}");
  std::shared_ptr<Connection> connection;
  Strings seen;  // "open local remote", data with "$" at the end of the stream, "close N"

  Setup() {
    plugin.open = [this](void*, const std::string& local, const std::string& remote) {
      seen.push_back("open " + local + " " + remote);
      return uint64_t{7};
    };
    plugin.close = [this](int event) { seen.push_back("close " + std::to_string(event)); };
    OnData([](const std::string&) {});
  }
  void OnData(std::function<void(const std::string& data)> then) {
    plugin.data = [this, then](const std::string& data, bool end) {
      seen.push_back(data + (end ? "$" : ""));
      then(data);
      return ROCKETMQ_PROXY_PASS;  // which a terminal filter does not look at
    };
  }
  void Open(Connection::Options options = {}) {
    connection = Connection::Create(config, WorkerAt(0), options);
  }
  ~Setup() {
    if (connection != nullptr) fake::Release(&connection);
    config.reset();
    EXPECT_EQ(fake::TakeViolations(), Strings());
  }
};

constexpr char kOpened[] = "open 10.0.0.1:10911 [2001:db8::7]:40000";

}  // namespace

TEST(TerminalOpenAndRead) {
  Setup s;
  s.Open();
  EXPECT_EQ(s.connection->status_of_new, 1);
  s.connection->Event(rocketmq_proxy::kConnected);
  std::vector<std::string> pieces;
  std::string all;
  for (int i = 0; i < 40; i++) {  // more pieces than fit without allocation
    pieces.push_back("piece " + std::to_string(i));
    all += pieces.back();
  }
  s.connection->ClientSends(pieces);
  EXPECT_EQ(s.connection->last_status, 1);
  EXPECT(s.connection->read_buffer.empty());
  s.connection->ClientSends({}, true);
  EXPECT_EQ(s.connection->last_status, 1);
  s.connection->Close(0);
  EXPECT_EQ(s.seen, (Strings{kOpened, all, "$", "close 0"}));
}

TEST(TerminalOpenRefused) {
  Setup s;
  s.plugin.open = [](void*, const std::string&, const std::string&) { return uint64_t{0}; };
  s.Open();
  s.connection->ClientSends({"x"});
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->calls.back(), "close 1");
  EXPECT_EQ(s.seen, Strings());
}

TEST(TerminalEventBeforeOpenIsNotForThePlugin) {
  Setup s;
  Connection::Options options;
  options.start = false;
  s.Open(options);
  s.connection->Event(rocketmq_proxy::kConnected);
  s.connection->ClientSends({"x"});
  s.connection->Close(0);
  EXPECT_EQ(s.seen, Strings());
}

TEST(TerminalWriteInAHookIsDirect) {
  Setup s;
  s.OnData([&](const std::string& data) {
    s.plugin.Write(data);
    EXPECT_EQ(s.connection->to_client, data);
    s.plugin.Write("");
  });
  s.Open();
  s.connection->ClientSends({"abc"});
  EXPECT_EQ(s.connection->commits.load(), 0);
  EXPECT_EQ(s.connection->calls, (Strings{"write 3", "drain_read 3"}));
}

TEST(TerminalWritesKeepTheirOrder) {
  Setup s;
  s.Open();
  // From other threads, and then on the worker with those still queued.
  s.connection->worker.Run([&] {
    std::thread other([&] {
      for (int i = 0; i < 10; i++) s.plugin.Write(std::to_string(i));
    });
    other.join();
    s.plugin.Write("A");
    EXPECT_EQ(s.connection->to_client, "");
  });
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->to_client, "0123456789A");
  EXPECT_EQ(s.connection->commits.load(), 1);

  // Each thread's own order.
  std::vector<std::thread> threads;
  for (char t = 'a'; t < 'd'; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; i++) s.plugin.Write(t + std::to_string(i) + ";");
    });
  }
  for (auto& t : threads) t.join();
  s.connection->worker.Drain();
  std::istringstream in(s.connection->to_client.substr(11));
  std::map<char, int> next;
  for (std::string word; std::getline(in, word, ';');) {
    EXPECT_EQ(std::stoi(word.substr(1)), next[word[0]]++);
  }
  EXPECT_EQ(next['a'] + next['b'] + next['c'], 1500);
}

TEST(TerminalWakesComeOnTheWorkerAndAreJoined) {
  Setup s;
  int wakes = 0;
  s.plugin.wake = [&] {
    EXPECT(s.connection->worker.OnThread());
    wakes++;
    s.plugin.Write("w");
  };
  s.Open();
  s.connection->worker.Run([&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) threads.emplace_back([&] { s.plugin.Wake(); });
    for (auto& t : threads) t.join();
    EXPECT_EQ(wakes, 0);
  });
  s.connection->worker.Drain();
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(s.connection->to_client, "w");
  EXPECT_EQ(s.connection->commits.load(), 1);
}

TEST(TerminalCloseComesAfterTheCallAndTheWrites) {
  Setup s;
  s.OnData([&](const std::string&) {
    std::thread([&] { s.plugin.Write("queued "); }).join();
    s.plugin.Write("last");
    s.plugin.Close();
    s.plugin.Write("too late");
    EXPECT_EQ(s.seen.back(), "x");
  });
  s.Open();
  s.connection->ClientSends({"x"});
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->to_client, "queued last");
  EXPECT_EQ(s.connection->calls.back(), "close 0");
  EXPECT_EQ(s.seen, (Strings{kOpened, "x", "close 1"}));
}

TEST(TerminalCloseFromAnotherThread) {
  for (const bool flush : {true, false}) {
    Setup s;
    s.Open();
    s.plugin.Write("bye");
    s.plugin.Close(flush);
    s.connection->worker.Drain();
    EXPECT_EQ(s.connection->to_client, "bye");
    EXPECT_EQ(s.connection->calls.back(), flush ? "close 0" : "close 1");
  }
}

TEST(TerminalWritesRaceWithTheClose) {
  for (int i = 0; i < 200; i++) {
    Setup s;
    s.Open();
    std::thread writer([&] {
      while (s.plugin.Write("x")) {
      }
    });
    std::thread waker([&] { s.plugin.Wake(); });
    std::thread closer([&] {
      if (i % 2 == 0) s.plugin.Close(false);
    });
    if (i % 2 != 0) s.connection->Close(0);
    // Envoy destroys the filter while the others are at it.
    if (i % 4 < 2) {
      s.connection->worker.Run([&] {
        s.connection->Close(0);
        s.connection.reset();
      });
    }
    writer.join();
    waker.join();
    closer.join();
    WorkerAt(0).Drain();
    EXPECT_EQ(s.seen.size(), 2U);
  }
}

TEST(TerminalDestroyedWithoutAnEvent) {
  Setup s;
  s.Open();
  s.connection->worker.Run([&] { s.connection.reset(); });
  EXPECT_EQ(s.seen, (Strings{kOpened, "close 1"}));

  // By the committing thread, inside a call of the plugin: the session ends elsewhere.
  for (int i = 0; i < 100; i++) {
    Setup t;
    std::thread::id where;
    std::atomic<bool> closed{false};
    t.plugin.close = [&](int) {
      where = std::this_thread::get_id();
      closed = true;
    };
    t.Open();
    std::atomic<bool> go{false};
    std::thread writer([&] {
      go = true;
      t.plugin.Write("x");
    });
    while (!go) std::this_thread::yield();
    const auto id = writer.get_id();
    t.connection->worker.Run([&] { t.connection.reset(); });
    writer.join();
    EXPECT_EVENTUALLY(closed.load());
    WorkerAt(0).Drain();
    fake::SettleLoops();
    EXPECT(where != id);
  }
}

// By a filter in front, which sees what is written. The plugin writes under a lock that the end of
// the session takes, so the end must not come inside.
TEST(TerminalConnectionThatIsClosedInsideAWrite) {
  for (const bool in_wake : {false, true}) {
    std::recursive_mutex session_mu;
    std::atomic<bool> ended{false};
    Setup s;
    const auto write = [&] {
      const std::lock_guard<std::recursive_mutex> lock(session_mu);
      s.plugin.Write("x");
      EXPECT(!ended);
    };
    s.OnData([&](const std::string&) { write(); });
    s.plugin.wake = write;
    s.plugin.close = [&](int event) {
      const std::lock_guard<std::recursive_mutex> lock(session_mu);
      EXPECT_EQ(event, 1);
      EXPECT(!ended.exchange(true));
    };
    Connection::Options options;
    options.close_at_write = true;
    s.Open(options);
    if (in_wake) {
      s.plugin.Wake();
    } else {
      s.connection->ClientSends({"a"});
    }
    EXPECT_EVENTUALLY(ended.load());
    s.connection->ClientSends({"b"});
    s.connection->worker.Drain();
  }
}

TEST(TerminalConnectionThatIsClosedInsideTheOpen) {
  std::atomic<bool> ended{false};
  Setup s;
  s.plugin.open = [&](void*, const std::string&, const std::string&) {
    s.plugin.Write("x");
    EXPECT(!ended);
    return uint64_t{7};
  };
  s.plugin.close = [&](int) { EXPECT(!ended.exchange(true)); };
  Connection::Options options;
  options.close_at_write = true;
  s.Open(options);
  EXPECT_EVENTUALLY(ended.load());
}

TEST(TerminalClientThatDoesNotReadIsNotRead) {
  Setup s;
  Strings told;
  s.OnData([&](const std::string& data) {
    for (const char each : data) {
      told.push_back(s.plugin.Full() ? "full" : "takes");
      s.plugin.Write(std::string(30000, each));
    }
  });
  int again = 0;
  s.plugin.drained = [&] {
    EXPECT(!s.plugin.Full());
    told.push_back("drained");
    if (again-- > 0) s.plugin.Write(std::string(70000, 'z'));
  };
  s.Open();
  s.connection->client_stalled = true;
  s.connection->ClientSends({"abc"});  // 90,000 bytes; the watermark is at 65,536
  s.connection->ClientSends({"d"});
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.connection->ClientReads(80000);  // 40,000 are left
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  again = 1;
  s.connection->ClientReads(30000);
  s.connection->worker.Drain();
  EXPECT(s.plugin.Full());  // again: the plugin had more
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.connection->ClientReads(80000);
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 0);
  EXPECT_EQ(s.connection->Get(&Connection::read_disable_calls), 2);
  EXPECT_EQ(told, (Strings{"takes", "takes", "takes", "full", "drained", "drained"}));
}

TEST(TerminalQueueOfAnotherThreadIsFull) {
  Setup s;
  int drained = 0;
  s.plugin.drained = [&] { drained++; };
  s.Open();
  s.connection->worker.Run([&] {
    std::thread other([&] {
      s.plugin.Write(std::string(1 << 20, 'a'));
      EXPECT(!s.plugin.Full());
      s.plugin.Write("b");
      EXPECT(s.plugin.Full());
    });
    other.join();
    EXPECT_EQ(drained, 0);
  });
  s.connection->worker.Drain();
  EXPECT(!s.plugin.Full());
  EXPECT_EQ(drained, 1);
}

TEST(TerminalSecondCloseCutsAFlushShort) {
  Setup s;
  int drained = 0;
  s.plugin.drained = [&] { drained++; };
  s.Open();
  s.connection->client_stalled = true;
  s.plugin.Write(std::string(100000, 'a'));
  s.plugin.Close();
  s.connection->worker.Drain();
  s.connection->ClientReads(80000);  // The plugin hears that it reads.
  s.connection->worker.Drain();
  EXPECT_EQ(drained, 1);
  EXPECT(s.connection->Get(&Connection::open));
  s.plugin.Close(false);
  s.connection->worker.Drain();
  EXPECT(!s.connection->Get(&Connection::open));
  EXPECT_EQ(s.connection->calls.back(), "close 1");
  EXPECT_EQ(s.seen, (Strings{kOpened, "close 1"}));
}
