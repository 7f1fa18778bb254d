// SPDX-License-Identifier: Apache-2.0
//
// The downstream side of the terminal role.
#include "envoy.h"
#include "fake_plugin.h"
#include "golang_abi.h"
#include "harness.h"
#include "terminal_filter.h"

using fake::Connection;
using fake::WorkerAt;
using rocketmq_proxy::GoString;

namespace {

int Write(void* wrapper, std::string data, int end = 0) {
  const int status =
      envoyGoFilterDownstreamWrite(wrapper, data.data(), static_cast<int>(data.size()), end);
  data.assign(data.size(), '!');  // copied by now
  return status;
}

GoString Text(const std::string& s) { return {s.data(), static_cast<ptrdiff_t>(s.size())}; }

std::string Info(void* wrapper, int type) {
  GoString text{};
  EXPECT_EQ(envoyGoFilterDownstreamInfo(wrapper, type, &text), 0);
  return std::string(text.data, static_cast<size_t>(text.size));
}

struct Setup {
  fake::Plugin plugin;
  std::shared_ptr<fake::Config> config = fake::Config::Create("rocketmq_proxy", "{}");
  std::shared_ptr<Connection> connection;

  void Open(Connection::Options options = {}) {
    connection = Connection::Create(config, WorkerAt(0), options);
  }
  void* wrapper() { return plugin.down.wrapper; }
  ~Setup() {
    if (connection != nullptr) fake::Release(&connection);
    config.reset();
    EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
  }
};

}  // namespace

TEST(TerminalDataGoesToItsReceiver) {
  Setup s;
  std::string received;
  s.plugin.on_connection = [](void*) { fake::Plugin::Host()->receive_downstream(7); };
  s.plugin.terminal_data = [&](uint64_t receiver, const std::string& data) {
    EXPECT_EQ(receiver, 7u);
    received += data;
  };
  s.Open();
  fake::Plugin::Host()->receive_downstream(8);  // outside of a hook: for nobody
  s.connection->ClientSends({"ab", "c"});
  s.connection->ClientSends({"d"});
  EXPECT_EQ(received, "abcd");
  EXPECT_EQ(s.plugin.down.Data(), "");
  EXPECT(s.connection->read_buffer.empty());
  EXPECT_EQ(s.connection->last_status, 1);
}

TEST(TerminalOpenAndRead) {
  Setup s;
  s.Open();
  EXPECT_EQ(s.connection->status_of_new, 1);
  EXPECT_EQ(Info(s.wrapper(), 0), "10.0.0.1:10911");
  EXPECT_EQ(Info(s.wrapper(), 1), "[2001:db8::7]:40000");
  GoString text{};
  EXPECT_EQ(envoyGoFilterDownstreamInfo(s.wrapper(), 7, &text), -5);
  s.connection->Event(rocketmq_proxy::kConnected);
  std::vector<std::string> pieces;
  std::string all;
  for (int i = 0; i < 40; i++) {  // more pieces than fit without allocation
    pieces.push_back("piece " + std::to_string(i));
    all += pieces.back();
  }
  s.connection->ClientSends(pieces);
  EXPECT_EQ(s.plugin.down.Data(), all);
  EXPECT_EQ(s.connection->last_status, 1);
  EXPECT(s.connection->read_buffer.empty());
  s.plugin.status = 0;
  s.connection->ClientSends({}, true);
  EXPECT_EQ(s.connection->last_status, 0);
  s.connection->Close(0);
  EXPECT_EQ(s.plugin.down.Events(),
            (std::vector<std::string>{"open", "event 2", "end", "event 0"}));
}

TEST(TerminalEventBeforeOpenIsNotForThePlugin) {
  Setup s;
  Connection::Options options;
  options.start = false;
  s.Open(options);
  s.connection->Event(rocketmq_proxy::kConnected);
  s.connection->ClientSends({"x"});
  s.connection->Close(0);
  EXPECT(s.plugin.down.Events().empty());
}

TEST(TerminalWriteInAHookIsDirect) {
  Setup s;
  s.plugin.on_data = [&](void* w, const std::string& data, bool) {
    EXPECT_EQ(Write(w, data), 0);
    EXPECT_EQ(s.connection->to_client, data);
    EXPECT_EQ(envoyGoFilterDownstreamWrite(w, nullptr, 0, 0), 0);
    EXPECT_EQ(envoyGoFilterDownstreamWrite(w, nullptr, 0, 1), 0);
  };
  s.Open();
  s.connection->ClientSends({"abc"});
  EXPECT_EQ(s.connection->commits.load(), 0);
  EXPECT_EQ(s.connection->calls, (std::vector<std::string>{"write 3", "write 0", "drain_read 3"}));
  EXPECT(s.connection->to_client_ended);
}

TEST(TerminalWritesKeepTheirOrder) {
  Setup s;
  s.Open();
  // From other threads, and then on the worker with those still queued.
  s.connection->worker.Run([&] {
    std::thread other([&] {
      for (int i = 0; i < 10; i++) Write(s.wrapper(), std::to_string(i));
    });
    other.join();
    Write(s.wrapper(), "A");
    EXPECT_EQ(s.connection->to_client, "");
  });
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->to_client, "0123456789A");
  EXPECT_EQ(s.connection->commits.load(), 1);

  // Each thread's own order.
  std::vector<std::thread> threads;
  for (char t = 'a'; t < 'd'; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; i++) Write(s.wrapper(), t + std::to_string(i) + ";");
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

TEST(TerminalCloseComesAfterTheCallAndTheWrites) {
  Setup s;
  s.plugin.on_data = [&](void* w, const std::string&, bool) {
    std::thread([&] { Write(w, "queued "); }).join();
    Write(w, "last");
    EXPECT_EQ(envoyGoFilterDownstreamClose(w, 0), 0);
    EXPECT_EQ(Write(w, "too late"), -1);
    EXPECT(!s.plugin.down.Has("event 1"));
  };
  s.Open();
  s.connection->ClientSends({"x"});
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->to_client, "queued last");
  EXPECT_EQ(s.connection->calls.back(), "close 0");
  EXPECT_EQ(s.plugin.down.Events(), (std::vector<std::string>{"open", "event 1"}));
  EXPECT_EQ(Write(s.wrapper(), "x"), -1);
  EXPECT_EQ(envoyGoFilterDownstreamClose(s.wrapper(), 0), -1);
}

TEST(TerminalCloseFromAnotherThread) {
  for (int type = 0; type <= 4; type++) {
    Setup s;
    s.Open();
    EXPECT_EQ(Write(s.wrapper(), "bye"), 0);
    EXPECT_EQ(envoyGoFilterDownstreamClose(s.wrapper(), type), 0);
    s.connection->worker.Drain();
    EXPECT_EQ(s.connection->to_client, "bye");
    EXPECT_EQ(s.connection->calls.back(), "close " + std::to_string(type));
  }
}

TEST(TerminalWritesRaceWithTheClose) {
  for (int i = 0; i < 200; i++) {
    Setup s;
    s.Open();
    void* const w = s.wrapper();
    std::thread writer([&] {
      while (Write(w, "x") == 0) {
      }
    });
    std::thread closer([&] {
      if (i % 2 == 0) envoyGoFilterDownstreamClose(w, 1);
    });
    if (i % 2 != 0) s.connection->Close(0);
    // Envoy destroys the filter while the others are at it.
    if (i % 4 < 2)
      s.connection->worker.Run([&] {
        s.connection->Close(0);
        s.connection.reset();
      });
    writer.join();
    closer.join();
    WorkerAt(0).Drain();
    EXPECT_EQ(s.plugin.down.Events().size(), 2U);
  }
}

TEST(TerminalDestroyedWithoutAnEvent) {
  Setup s;
  s.Open();
  s.connection->worker.Run([&] { s.connection.reset(); });
  EXPECT_EQ(s.plugin.down.Events(), (std::vector<std::string>{"open", "event 1"}));
  EXPECT_EQ(Write(s.wrapper(), "x"), -1);

  // By the committing thread, inside a call of the plugin: that is told from elsewhere.
  for (int i = 0; i < 100; i++) {
    Setup t;
    std::thread::id where;
    t.plugin.on_event = [&](void*, int) { where = std::this_thread::get_id(); };
    t.Open();
    std::atomic<bool> go{false};
    std::thread writer([&] {
      go = true;
      Write(t.wrapper(), "x");
    });
    while (!go) std::this_thread::yield();
    const auto id = writer.get_id();
    t.connection->worker.Run([&] { t.connection.reset(); });
    writer.join();
    EXPECT_EVENTUALLY(t.plugin.down.Has("event 1"));
    WorkerAt(0).Drain();
    fake::SettleLoops();
    EXPECT(where != id);
  }
}

TEST(TerminalWrapperMayEndBeforeOrAfterTheFilter) {
  Setup s;
  s.Open();
  s.plugin.on_event = [&](void* w, int) {  // Go's finalizer may be that quick
    envoyGoFilterDownstreamFinalize(w, 0);
    s.plugin.down_wrappers.clear();
  };
  s.connection->Close(0);
  s.connection->ClientSends({"x"});
}

TEST(TerminalFilterState) {
  Setup s;
  std::atomic<int> decs{0};
  s.plugin.on_sema_dec = [&](void*) { decs++; };
  s.Open();
  const std::string k_text = "k", v_text = "v", w_text = "w";
  GoString key = Text(k_text), value = Text(v_text);
  EXPECT_EQ(envoyGoFilterSetFilterState(s.wrapper(), &key, &value, 0, 2, 0), 0);
  GoString out{};
  EXPECT_EQ(envoyGoFilterGetFilterState(s.wrapper(), &key, &out), -6);
  EXPECT_EVENTUALLY(decs == 1);
  EXPECT_EQ(std::string(out.data, static_cast<size_t>(out.size)), "v");
  s.connection->worker.Run([&] {
    const std::string other = "other";
    GoString k = Text(other), v = Text(w_text), got{};
    EXPECT_EQ(envoyGoFilterSetFilterState(s.wrapper(), &k, &v, 0, 2, 0), 0);
    EXPECT_EQ(envoyGoFilterGetFilterState(s.wrapper(), &k, &got), 0);
    EXPECT_EQ(std::string(got.data, static_cast<size_t>(got.size)), "w");
    const std::string missing = "missing";
    k = Text(missing);
    got = {};
    EXPECT_EQ(envoyGoFilterGetFilterState(s.wrapper(), &k, &got), 0);
    EXPECT(got.data == nullptr);
  });
  // Who waits while the connection ends is let go.
  s.connection->worker.Run([&] {
    std::thread([&] {
      EXPECT_EQ(envoyGoFilterGetFilterState(s.wrapper(), &key, &out), -6);
    }).join();
    s.connection->Close(0);
    EXPECT_EQ(decs.load(), 2);
  });
  EXPECT_EQ(envoyGoFilterSetFilterState(s.wrapper(), &key, &value, 0, 2, 0), -2);
  EXPECT_EQ(envoyGoFilterGetFilterState(s.wrapper(), &key, &out), -2);
}

TEST(TerminalClientThatDoesNotReadIsNotRead) {
  Setup s;
  void* known = nullptr;
  std::vector<std::string> told;
  const auto full = [&] { return fake::Plugin::Host()->terminal_downstream_full(known) == 1; };
  s.plugin.on_connection = [&](void*) { known = fake::Plugin::Host()->receive_downstream(7); };
  s.plugin.terminal_data = [&](uint64_t, const std::string& data) {
    for (const char each : data) {
      told.push_back(full() ? "full" : "takes");
      Write(s.wrapper(), std::string(30000, each));
    }
  };
  int again = 0;
  s.plugin.terminal_drained = [&](uint64_t receiver) {
    EXPECT_EQ(receiver, 7U);
    EXPECT(!full());
    told.push_back("drained");
    if (again-- > 0) Write(s.wrapper(), std::string(70000, 'z'));
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
  EXPECT(full());  // again: the plugin had more
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.connection->ClientReads(80000);
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 0);
  EXPECT_EQ(s.connection->Get(&Connection::read_disable_calls), 2);
  EXPECT_EQ(told,
            (std::vector<std::string>{"takes", "takes", "takes", "full", "drained", "drained"}));
}

TEST(TerminalQueueOfAnotherThreadIsFull) {
  Setup s;
  void* known = nullptr;
  int drained = 0;
  s.plugin.on_connection = [&](void*) { known = fake::Plugin::Host()->receive_downstream(7); };
  s.plugin.terminal_drained = [&](uint64_t) { drained++; };
  s.Open();
  s.connection->worker.Run([&] {
    std::thread other([&] {
      Write(s.wrapper(), std::string(1 << 20, 'a'));
      EXPECT_EQ(fake::Plugin::Host()->terminal_downstream_full(known), 0);
      Write(s.wrapper(), "b");
      EXPECT_EQ(fake::Plugin::Host()->terminal_downstream_full(known), 1);
    });
    other.join();
    EXPECT_EQ(drained, 0);
  });
  s.connection->worker.Drain();
  EXPECT_EQ(fake::Plugin::Host()->terminal_downstream_full(known), 0);
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(fake::Plugin::Host()->terminal_downstream_full(nullptr), 0);
}

TEST(TerminalSecondCloseCutsAFlushShort) {
  Setup s;
  int drained = 0;
  s.plugin.on_connection = [](void*) { fake::Plugin::Host()->receive_downstream(7); };
  s.plugin.terminal_drained = [&](uint64_t) { drained++; };
  s.Open();
  s.connection->client_stalled = true;
  Write(s.wrapper(), std::string(100000, 'a'));
  envoyGoFilterDownstreamClose(s.wrapper(), 0);
  s.connection->worker.Drain();
  s.connection->ClientReads(80000);  // The plugin hears that it reads.
  s.connection->worker.Drain();
  EXPECT_EQ(drained, 1);
  EXPECT(s.connection->Get(&Connection::open));
  envoyGoFilterDownstreamClose(s.wrapper(), 1);
  s.connection->worker.Drain();
  EXPECT(!s.connection->Get(&Connection::open));
  EXPECT_EQ(s.connection->calls.back(), "close 1");
  EXPECT_EQ(s.plugin.down.Events(), (std::vector<std::string>{"open", "event 1"}));
}
