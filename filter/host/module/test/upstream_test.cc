// SPDX-License-Identifier: Apache-2.0
//
// Upstream connections of the terminal role, on real loopback sockets.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <utility>
#include <vector>

#include "envoy.h"
#include "fake_plugin.h"
#include "harness.h"
#include "upstream_connection.h"

using fake::Connection;
using fake::WorkerAt;

namespace {

// A server socket, and the connection it accepted.
class Peer {
 public:
  explicit Peer(int receive_buffer = 0) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(a);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&a), size) != 0 ||
        listen(listener_, 1024) != 0 ||  // never full, or the kernel forgets connections
        getsockname(listener_, reinterpret_cast<sockaddr*>(&a), &size) != 0) {
      abort();
    }
    address_ = "127.0.0.1:" + std::to_string(ntohs(a.sin_port));
  }
  ~Peer() {
    Close();
    StopListening();
  }
  void StopListening() {
    if (listener_ >= 0) close(std::exchange(listener_, -1));
  }
  const std::string& address() const { return address_; }
  bool open() const { return fd_ >= 0; }
  void Accept() { fd_ = accept(listener_, nullptr, nullptr); }
  void Send(std::string data) {
    while (!data.empty()) {
      const ssize_t n = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      data.erase(0, static_cast<size_t>(n));
    }
  }
  // Sends what is taken within 100 ms.
  size_t SendSome(size_t limit) {
    const std::string block(64 << 10, 'u');
    size_t sent = 0;
    while (sent < limit) {
      pollfd p{fd_, POLLOUT, 0};
      if (poll(&p, 1, 100) != 1) break;
      const ssize_t n = send(fd_, block.data(), std::min(block.size(), limit - sent),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    return sent;
  }
  // Exactly so many bytes, or what came before the end.
  std::string Receive(size_t size) {
    std::string out;
    char buffer[64 << 10];
    error_ = 0;
    while (out.size() < size) {
      pollfd p{fd_, POLLIN, 0};
      if (poll(&p, 1, 20000) != 1) break;
      const ssize_t n = recv(fd_, buffer, std::min(sizeof(buffer), size - out.size()), 0);
      if (n < 0) error_ = errno;
      if (n <= 0) break;
      out.append(buffer, static_cast<size_t>(n));
    }
    return out;
  }
  std::string ReceiveAll() { return Receive(SIZE_MAX); }
  // What is there.
  std::string ReceiveSome() {
    std::string out(256 << 10, '\0');
    const ssize_t n = recv(fd_, out.data(), out.size(), MSG_DONTWAIT);
    out.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return out;
  }
  int error() const { return error_; }
  void End() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  void Reset() {
    const linger l{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    Close();
  }

 private:
  int listener_;
  int fd_ = -1;
  int error_ = 0;
  std::string address_;
};

// A server whose queue of connections is full, so that the kernel drops what else is asked of it.
class FullPeer {
 public:
  FullPeer() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(a);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&a), size) != 0 || listen(listener_, 0) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&a), &size) != 0) {
      abort();
    }
    port_ = ntohs(a.sin_port);
    for (int& fd : fill_) {
      fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      if (connect(fd, reinterpret_cast<sockaddr*>(&a), size) != 0 && errno != EINPROGRESS) abort();
    }
    pollfd first{fill_[0], POLLOUT, 0};
    if (poll(&first, 1, 20000) != 1) abort();
  }
  ~FullPeer() {
    for (const int fd : fill_) close(fd);
    close(listener_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // How many sockets still ask for a connection, beside our own that fill the queue.
  int Asking() const {
    char remote[16];
    snprintf(remote, sizeof(remote), "0100007F:%04X", port_);
    std::ifstream file("/proc/net/tcp");
    int count = 0;
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      std::string number, local, peer, state;
      fields >> number >> local >> peer >> state;
      if (peer == remote && state == "02") count++;  // SYN_SENT
    }
    return count - (static_cast<int>(std::size(fill_)) - 1);
  }

 private:
  const int listener_;
  uint16_t port_;
  int fill_[4];  // one is taken, the others wait
};

struct Setup {
  fake::Plugin plugin;
  std::shared_ptr<fake::Config> config = fake::Config::Create("rocketmq_proxy", "{}");
  std::shared_ptr<Connection> connection;

  void Open(Connection::Options options = {}) {
    connection = Connection::Create(config, WorkerAt(0), options);
  }
  uint64_t Connect(const std::string& address) {
    if (connection == nullptr) Open();
    return plugin.Connect(address);
  }
  uint64_t ConnectReady(Peer* peer) {
    const uint64_t id = Connect(peer->address());
    peer->Accept();
    EXPECT_EVENTUALLY(plugin.UpOf(id).Has("ready"));
    return id;
  }
  std::vector<std::string> Events(uint64_t id) { return plugin.UpOf(id).Events(); }
  void ExpectEnd(uint64_t id, const std::vector<std::string>& events) {
    EXPECT_EVENTUALLY(Events(id).size() >= events.size());
    Settle();
    EXPECT_EQ(Events(id), events);
  }
  // Whatever the loops have to do is done.
  static void Settle() {
    fake::SettleLoops();
    test::Sleep(5);
  }
  ~Setup() {
    // The end of the client's connection ends them all.
    if (connection != nullptr) fake::Release(&connection);
    for (auto& up : plugin.ups) EXPECT_EVENTUALLY(up->Ended());
    Settle();
    config.reset();
    EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
  }
};

std::string Pattern(size_t size) {
  std::string out(size, '\0');
  uint32_t x = 12345;
  for (char& c : out) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>(x >> 24);
  }
  return out;
}

}  // namespace

TEST(UpstreamBothWays) {
  Setup s;
  s.plugin.on_up_data = [&](uint64_t, const std::string&) {
    EXPECT(s.connection->worker.OnThread());
    return ROCKETMQ_PROXY_REPLACE;
  };
  Peer peer;
  const uint64_t id = s.ConnectReady(&peer);
  EXPECT_EQ(s.plugin.WriteUp(id, "question"), 0);
  EXPECT_EQ(peer.Receive(8), "question");
  peer.Send("answer");
  EXPECT_EVENTUALLY(s.plugin.UpOf(id).Data() == "answer");
  const std::string data(200 << 10, 'x');
  peer.Send(data);
  peer.Send("last words");
  peer.Close();
  s.ExpectEnd(id, {"ready", "closed 0"});
  EXPECT(s.plugin.UpOf(id).Data() == "answer" + data + "last words");
}

TEST(UpstreamFailures) {
  Setup s;
  Peer peer;
  const std::string refused = peer.address();
  peer.StopListening();
  s.ExpectEnd(s.Connect(refused), {"closed 2"});
  for (const char* bad : {"", "nonsense", "1.2.3.4", "broker:1", "[::1:2"}) {
    s.ExpectEnd(s.Connect(bad), {"closed 1"});
  }
  const uint64_t v6 = s.Connect("[::1]:1");
  EXPECT_EVENTUALLY(!s.Events(v6).empty());
  EXPECT(s.plugin.UpOf(v6).Has("closed 2") || s.plugin.UpOf(v6).Has("closed 1"));
}

TEST(UpstreamLeavesTheLastFilesToEnvoy) {
  Setup s;
  Peer peer;
  std::vector<int> fillers;
  do {
    fillers.push_back(socket(AF_INET, SOCK_STREAM, 0));
  } while (fillers.back() < 64);
  rlimit before;
  EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(fillers.back()) + 5;  // Some are left, fewer than an eighth.
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  s.ExpectEnd(s.Connect(peer.address()), {"closed 1"});
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  for (const int filler : fillers) close(filler);
  s.ConnectReady(&peer);
}

TEST(UpstreamOverIpv6) {
  const int listener = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  a.sin6_addr = in6addr_loopback;
  socklen_t size = sizeof(a);
  if (listener < 0 || bind(listener, reinterpret_cast<sockaddr*>(&a), size) != 0) {
    if (listener >= 0) close(listener);
    return;  // A machine without IPv6.
  }
  listen(listener, 1);
  getsockname(listener, reinterpret_cast<sockaddr*>(&a), &size);
  {
    Setup s;
    const uint64_t id = s.Connect("[::1]:" + std::to_string(ntohs(a.sin6_port)));
    EXPECT_EVENTUALLY(s.plugin.UpOf(id).Has("ready"));
  }
  close(listener);
}

TEST(UpstreamIsWrittenToFromTheTimeItIsReady) {
  Setup s;
  Peer peer;
  s.plugin.on_ready = [&](uint64_t id) { EXPECT_EQ(s.plugin.WriteUp(id, "first "), 0); };
  const uint64_t id = s.ConnectReady(&peer);
  EXPECT_EQ(s.plugin.WriteUp(id, "second"), 0);
  EXPECT_EQ(peer.Receive(12), "first second");
}

TEST(UpstreamWritesFromManyThreadsKeepTheirOrder) {
  Setup s;
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  std::vector<std::thread> threads;
  for (char t = 'a'; t < 'd'; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; i++) s.plugin.WriteUp(id, t + std::to_string(i) + ";");
      s.plugin.WriteUp(id, std::string(1 << 20, t) + ";");  // more than the socket takes
    });
  }
  std::map<char, int> next;
  std::string all;
  while (all.size() < 3U << 20 || std::count(all.begin(), all.end(), ';') < 6003) {
    const std::string piece = peer.Receive(1000);
    if (piece.empty()) break;
    all += piece;
  }
  for (auto& t : threads) t.join();
  std::istringstream in(all);
  for (std::string word; std::getline(in, word, ';');) {
    if (word.size() > 10) {
      EXPECT(word == std::string(1 << 20, word[0]));
    } else {
      EXPECT_EQ(std::stoi(word.substr(1)), next[word[0]]++);
    }
  }
  EXPECT_EQ(next['a'] + next['b'] + next['c'], 6000);
}

TEST(UpstreamReset) {
  Setup s;
  Peer peer;
  const uint64_t id = s.ConnectReady(&peer);
  peer.Reset();
  s.ExpectEnd(id, {"ready", "closed 0"});
}

TEST(UpstreamCloseFlushes) {
  Setup s;
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  const std::string data = Pattern(8 << 20);
  s.plugin.WriteUp(id, data);
  s.plugin.CloseUp(id);
  EXPECT_EQ(s.plugin.WriteUp(id, "too late"), 0);
  // Nobody reads it now, and unread input must not turn the close into a reset.
  peer.Send(std::string(100000, 'z'));
  test::Sleep(20);
  EXPECT_EQ(s.Events(id), std::vector<std::string>{"ready"});
  EXPECT(peer.ReceiveAll() == data);
  EXPECT_EQ(peer.error(), 0);
  s.ExpectEnd(id, {"ready", "closed 0"});
}

TEST(UpstreamFlushIsBounded) {
  Setup s;
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  s.plugin.WriteUp(id, std::string(8 << 20, 'x'));
  const auto start = std::chrono::steady_clock::now();
  s.plugin.CloseUp(id);
  s.ExpectEnd(id, {"ready", "closed 0"});
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT(took > std::chrono::seconds(4) && took < std::chrono::seconds(20));
}

TEST(UpstreamFlushGoesOnAfterTheClient) {
  Setup s;
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  const std::string data = Pattern(8 << 20);
  s.plugin.WriteUp(id, data);
  fake::Release(&s.connection);  // which closes it, too
  EXPECT(peer.ReceiveAll() == data);
  EXPECT_EQ(peer.error(), 0);
  s.ExpectEnd(id, {"ready", "closed 0"});
}

TEST(UpstreamPeerGoesWhileFlushing) {
  Setup s;
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  s.plugin.WriteUp(id, std::string(8 << 20, 'x'));
  s.plugin.CloseUp(id);
  peer.Reset();
  s.ExpectEnd(id, {"ready", "closed 0"});
}

TEST(UpstreamCloseWithNothingToSend) {
  Setup s;
  Peer peer;
  const uint64_t id = s.ConnectReady(&peer);
  s.plugin.CloseUp(id);
  s.ExpectEnd(id, {"ready", "closed 0"});
  EXPECT_EQ(peer.ReceiveAll(), "");
  EXPECT_EQ(peer.error(), 0);
}

TEST(UpstreamClosedInsideCallbacks) {
  // In ready.
  {
    Setup s;
    Peer peer;
    s.plugin.on_ready = [&](uint64_t id) {
      s.plugin.CloseUp(id);
      EXPECT_EQ(s.Events(id), std::vector<std::string>{"ready"});  // later, not in here
    };
    const uint64_t id = s.ConnectReady(&peer);
    s.ExpectEnd(id, {"ready", "closed 0"});
  }
  // In data: nothing more comes, though there is more.
  {
    Setup s;
    Peer peer;
    s.plugin.on_up_data = [&](uint64_t id, const std::string&) {
      s.plugin.CloseUp(id);
      return ROCKETMQ_PROXY_REPLACE;
    };
    const uint64_t id = s.Connect(peer.address());
    {
      fake::Up& up = s.plugin.UpOf(id);
      const std::lock_guard<std::mutex> lock(up.mu);
      up.keep_data_events = true;
    }
    peer.Accept();
    peer.SendSome(4 << 20);
    s.ExpectEnd(id, {"ready", "data", "closed 0"});
  }
  // While its end is told.
  {
    Setup s;
    Peer peer;
    s.plugin.on_up_closed = [&](uint64_t id, int) { s.plugin.CloseUp(id); };
    const uint64_t id = s.ConnectReady(&peer);
    peer.Close();
    s.ExpectEnd(id, {"ready", "closed 0"});
  }
}

TEST(UpstreamClosedWhileConnecting) {
  for (int i = 0; i < 50; i++) {
    Setup s;
    Peer peer;
    const uint64_t id = s.Connect(peer.address());
    s.plugin.CloseUp(id);
    EXPECT_EVENTUALLY(s.plugin.UpOf(id).Ended());
    s.Settle();
    const auto events = s.Events(id);
    EXPECT(events == std::vector<std::string>{"closed 0"} ||
           (events == std::vector<std::string>{"ready", "closed 0"}));
  }
}

TEST(UpstreamIsHeldBackByASlowClient) {
  Setup s;
  s.Open();
  s.connection->client_stalled = true;
  s.plugin.on_up_data = [&](uint64_t, const std::string& data) {
    s.plugin.Write(data);
    return ROCKETMQ_PROXY_REPLACE;
  };
  Peer peer;
  const uint64_t id = s.ConnectReady(&peer);
  const std::string data = Pattern(24 << 20);
  std::thread sender([&] { peer.Send(data); });
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::above));
  test::Sleep(100);
  const size_t before = s.plugin.UpOf(id).Size();
  EXPECT(before < (2 << 20));
  test::Sleep(50);
  EXPECT_EQ(s.plugin.UpOf(id).Size(), before);
  while (s.plugin.UpOf(id).Size() < data.size()) {
    s.connection->ClientReads(1 << 20);
    test::Sleep(0);
  }
  sender.join();
  s.connection->worker.Drain();
  EXPECT(s.connection->Get(&Connection::to_client) == data);
}

TEST(UpstreamWaitsForABusyWorker) {
  Setup s;
  s.Open();
  s.plugin.on_up_data = [&](uint64_t, const std::string& data) {
    EXPECT(s.connection->worker.OnThread());
    s.plugin.Write(data);
    return ROCKETMQ_PROXY_REPLACE;
  };
  Peer peer;
  const uint64_t id = s.ConnectReady(&peer);
  const std::string data = Pattern(16 << 20);
  std::thread sender;
  s.connection->worker.Run([&] {
    sender = std::thread([&] { peer.Send(data); });
    test::Sleep(100);
    EXPECT_EQ(s.plugin.UpOf(id).Size(), 0U);
  });
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::to_client).size() == data.size());
  sender.join();
  EXPECT(s.connection->Get(&Connection::to_client) == data);
}

// What other threads write while the worker is busy is kept, and no more is read for it beyond a
// limit.
TEST(UpstreamIsHeldBackByOurOwnQueue) {
  Setup s;
  s.Open();
  Peer peer;
  const uint64_t id = s.ConnectReady(&peer);
  std::string data = Pattern(2 << 20);
  s.connection->worker.Run([&] {
    std::thread other([&] { s.plugin.Write(data); });
    other.join();
    peer.Send("x");
    test::Sleep(50);
  });
  EXPECT_EVENTUALLY(s.plugin.UpOf(id).Size() == 1);
  EXPECT(s.connection->Get(&Connection::to_client) == data);
}

TEST(ClientIsHeldBackByASlowUpstream) {
  Setup s;
  s.Open();
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  const std::string data = Pattern(16 << 20);
  s.plugin.data = [&](const std::string&, bool) {
    s.plugin.WriteUp(id, data);
    return ROCKETMQ_PROXY_REPLACE;
  };
  s.connection->ClientSends({"go"});
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  EXPECT(peer.Receive(data.size()) == data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);
  EXPECT_EQ(s.connection->Get(&Connection::read_disable_calls), 2);

  // From another thread, and undone when the upstream ends.
  s.plugin.data = nullptr;
  s.plugin.WriteUp(id, data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 1);
  peer.Reset();
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);

  // Two at once count as one.
  Peer a(4096), b(4096);
  const uint64_t ida = s.ConnectReady(&a), idb = s.ConnectReady(&b);
  s.plugin.WriteUp(ida, data);
  s.plugin.WriteUp(idb, data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 1);
  EXPECT(a.Receive(data.size()) == data);
  s.Settle();
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  s.plugin.CloseUp(idb);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);
}

// Who has been told to close a connection has nothing more for it: its client need not wait.
TEST(ClientIsReadAgainWhileAnUpstreamThatIsClosedFlushes) {
  Setup s;
  s.Open();
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  const std::string data = Pattern(16 << 20);
  s.plugin.WriteUp(id, data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 1);
  s.plugin.CloseUp(id);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);
  EXPECT_EQ(s.Events(id), std::vector<std::string>{"ready"});
  EXPECT(peer.Receive(data.size()) == data);
  s.ExpectEnd(id, {"ready", "closed 0"});
  EXPECT_EQ(s.connection->Get(&Connection::read_disable_calls), 2);
}

// The close comes while the session is asked, which it answers as if it knew nothing of it.
TEST(ClientIsHeldBackByTheNextUpstreamAfterACloseInTheMiddleOfARefusal) {
  Setup s;
  std::atomic<int> asked{0};
  uint64_t id = 0;
  s.plugin.on_up_full = [&](uint64_t, bool) {
    const bool first = asked == 0;
    if (first) s.plugin.CloseUp(id);
    asked++;
    return first;
  };
  s.Open();
  Peer peer(4096), next(4096);
  id = s.ConnectReady(&peer);
  const std::string data = Pattern(16 << 20);
  s.plugin.WriteUp(id, data);
  EXPECT_EVENTUALLY(asked == 1);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);
  peer.Reset();
  s.ExpectEnd(id, {"ready", "closed 0"});
  s.connection->worker.Drain();
  const uint64_t other = s.ConnectReady(&next);
  s.plugin.WriteUp(other, data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 1);
  EXPECT(next.Receive(data.size()) == data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);
}

TEST(ClientAndUpstreamHoldEachOtherBack) {
  Setup s;
  Peer peer(4096);
  const uint64_t id = s.Connect(peer.address());
  peer.Accept();
  EXPECT_EVENTUALLY(s.plugin.UpOf(id).Has("ready"));
  const std::string data = Pattern(16 << 20);
  s.plugin.WriteUp(id, data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 1);
  EXPECT(peer.Receive(data.size()) == data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);

  // And the other way round.
  s.connection->client_stalled = true;
  s.plugin.Write(std::string(100000, 'x'));
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::above));
  peer.Send("answer");
  s.Settle();
  EXPECT_EQ(s.plugin.UpOf(id).Data(), "");
  s.connection->ClientReads(100000);
  EXPECT_EVENTUALLY(s.plugin.UpOf(id).Data() == "answer");
}

TEST(ClientIsReadAgainWhenTheSessionRefusesWhatIsForASlowUpstream) {
  Setup s;
  std::mutex mu;
  std::vector<std::string> told;
  const auto count = [&] {
    const std::lock_guard<std::mutex> lock(mu);
    return told.size();
  };
  s.plugin.on_up_full = [&](uint64_t receiver, bool full) {
    const std::lock_guard<std::mutex> lock(mu);
    told.push_back(std::to_string(receiver) + (full ? " full" : " has room"));
    return true;
  };
  s.Open();
  Peer slow(4096);
  const uint64_t id = s.ConnectReady(&slow);
  const std::string data = Pattern(16 << 20);
  s.plugin.WriteUp(id, data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 1);
  EXPECT_EVENTUALLY(count() == 1);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);
  EXPECT(slow.Receive(data.size()) == data);
  EXPECT_EVENTUALLY(count() == 2);
  EXPECT(told == std::vector<std::string>({"0 full", "0 has room"}));
  EXPECT_EQ(s.connection->Get(&Connection::read_disable_calls), 2);

  // Once more, and we end it while it is refused: nothing is told to a receiver that is gone.
  s.plugin.WriteUp(id, data);
  EXPECT_EVENTUALLY(count() == 3);
  s.plugin.CloseUp(id);
  s.ExpectEnd(id, {"ready", "closed 0"});
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 0);
  EXPECT_EQ(count(), 3u);
}

TEST(ClientStaysHeldBackWhenTheSessionDoesNotRefuse) {
  Setup s;
  std::atomic<int> asked{0};
  s.plugin.on_up_full = [&](uint64_t, bool full) {
    EXPECT(full);
    asked++;
    return false;
  };
  s.Open();
  Peer slow(4096);
  const uint64_t id = s.ConnectReady(&slow);
  const std::string data = Pattern(16 << 20);
  s.plugin.WriteUp(id, data);
  EXPECT_EVENTUALLY(asked == 1);
  s.connection->worker.Drain();
  EXPECT_EQ(s.connection->Get(&Connection::read_disabled), 1);
  EXPECT(slow.Receive(data.size()) == data);
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::read_disabled) == 0);
  EXPECT_EQ(asked, 1);
}

TEST(WhatAnUpstreamDoesNotTakeIsCounted) {
  Setup s;
  std::atomic<size_t> drained{0};
  s.plugin.on_up_drained = [&](uint64_t receiver, size_t size) {
    EXPECT_EQ(receiver, 0u);
    drained += size;
  };
  s.Open();
  Peer peer(4096);
  const uint64_t id = s.ConnectReady(&peer);
  EXPECT_EQ(s.plugin.WriteUp(id, "at once"), 0u);
  EXPECT(peer.Receive(7) == "at once");
  const std::string data = Pattern(16 << 20);
  size_t kept = s.plugin.WriteUp(id, data);
  EXPECT(kept > data.size() / 4 && kept < data.size());
  EXPECT_EQ(s.plugin.WriteUp(id, "behind it"), 9u);
  kept += 9;
  s.Settle();
  EXPECT_EQ(drained, 0u);
  EXPECT(peer.Receive(data.size()) == data);
  EXPECT(peer.Receive(9) == "behind it");
  EXPECT_EVENTUALLY(drained == kept);
  EXPECT_EQ(s.plugin.WriteUp(id, "at once"), 0u);

  // What is kept when the connection ends is not told: its end tells.
  drained = 0;
  kept = s.plugin.WriteUp(id, data);
  EXPECT(kept > 0);
  peer.Reset();
  s.ExpectEnd(id, {"ready", "closed 0"});
  EXPECT(drained <= kept);
  EXPECT_EQ(s.plugin.WriteUp(id, "too late"), -1);
}

// Nobody is charged for what a connection that is being closed has still to send, so all of them
// together have a limit.
TEST(UpstreamsThatAreClosedMaySendOnlySoMuchMore) {
  Setup s;
  s.Open();
  Peer peers[] = {Peer(4096), Peer(4096), Peer(4096), Peer(4096)};
  const std::string data = Pattern(16 << 20);
  uint64_t ids[4];
  for (int i = 0; i < 4; i++) {
    ids[i] = s.ConnectReady(&peers[i]);
    EXPECT(s.plugin.WriteUp(ids[i], data) > (32 << 20) / 3);
  }
  for (int i = 0; i < 3; i++) s.plugin.CloseUp(ids[i]);
  s.ExpectEnd(ids[2], {"ready", "closed 0"});
  for (int i = 0; i < 2; i++) {
    EXPECT_EQ(s.Events(ids[i]), std::vector<std::string>{"ready"});
    peers[i].Close();
    s.ExpectEnd(ids[i], {"ready", "closed 0"});
  }
  // Now there is room again.
  s.plugin.CloseUp(ids[3]);
  s.Settle();
  EXPECT_EQ(s.Events(ids[3]), std::vector<std::string>{"ready"});
  peers[3].Close();
  s.ExpectEnd(ids[3], {"ready", "closed 0"});
}

TEST(UpstreamThatIsClosedWhileItConnectsLeavesNoSocket) {
  Setup s;
  s.Open();
  FullPeer peer;
  std::vector<uint64_t> ids;
  for (int i = 0; i < 12; i++) ids.push_back(s.Connect(peer.address()));
  EXPECT_EVENTUALLY(peer.Asking() == 12);
  for (const uint64_t id : ids) s.plugin.CloseUp(id);
  EXPECT_EVENTUALLY(peer.Asking() == 0);
  for (const uint64_t id : ids) s.ExpectEnd(id, {"closed 0"});
}

TEST(UpstreamAsksTheKernelWhetherItsPeerLives) {
  Setup s;
  Peer peer;
  s.ConnectReady(&peer);
  int found = 0;
  for (int fd = 0; fd < 1024; fd++) {
    sockaddr_in to{};
    socklen_t size = sizeof(to);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&to), &size) != 0 || to.sin_family != AF_INET ||
        "127.0.0.1:" + std::to_string(ntohs(to.sin_port)) != peer.address()) {
      continue;
    }
    found++;
    const auto option = [fd](int level, int name) {
      int value = -1;
      socklen_t length = sizeof(value);
      getsockopt(fd, level, name, &value, &length);
      return value;
    };
    EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 30);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
  }
  EXPECT_EQ(found, 1);
}

TEST(UpstreamDiesWhileHeldBack) {
  // Its data is delivered once it may be, then its end; and the loop does not spin meanwhile.
  for (const bool ended_first : {false, true}) {
    Setup s;
    s.Open();
    s.connection->client_stalled = true;
    Peer peer;
    const uint64_t id = s.ConnectReady(&peer);
    s.plugin.Write(std::string(100000, 'x'));
    EXPECT_EVENTUALLY(s.connection->Get(&Connection::above));
    peer.Send("last words");
    if (ended_first) peer.End();
    test::Sleep(20);
    peer.Reset();
    const clock_t cpu = clock();
    test::Sleep(300);
    EXPECT(clock() - cpu < CLOCKS_PER_SEC / 5);
    EXPECT_EQ(s.Events(id), std::vector<std::string>{"ready"});
    EXPECT_EQ(s.plugin.WriteUp(id, "x"), 0);
    s.connection->ClientReads(100000);
    s.ExpectEnd(id, {"ready", "closed 0"});
    EXPECT(s.plugin.UpOf(id).Data() == "last words" || s.plugin.UpOf(id).Data().empty());
  }
}

TEST(UpstreamEndsWithItsClient) {
  for (const bool ready : {false, true}) {
    Setup s;
    s.Open();
    s.connection->client_stalled = true;
    Peer peer;
    const uint64_t id = ready ? s.ConnectReady(&peer) : s.Connect(peer.address());
    // Held back, by a connection that ends.
    s.plugin.Write(std::string(100000, 'x'));
    EXPECT_EVENTUALLY(s.connection->Get(&Connection::above));
    if (ready) peer.Send("hello");
    fake::Release(&s.connection);
    EXPECT_EVENTUALLY(s.plugin.UpOf(id).Ended());
    EXPECT_EQ(s.plugin.UpOf(id).Data(), "");
  }
}

TEST(UpstreamIsOpenedInTheEndOfAnother) {
  Setup s;
  s.Open();
  s.connection->client_stalled = true;
  Peer first, second;
  std::atomic<int> other{-1};
  s.plugin.on_up_closed = [&](uint64_t id, int) {
    if (id == 0) other = static_cast<int>(s.Connect(second.address()));
  };
  s.ConnectReady(&first);
  first.Close();
  EXPECT_EVENTUALLY(other >= 0);
  second.Accept();
  EXPECT_EVENTUALLY(s.plugin.UpOf(1).Has("ready"));
  s.plugin.Write(std::string(100000, 'x'));
  EXPECT_EVENTUALLY(s.connection->Get(&Connection::above));
  second.Send("held");
  test::Sleep(50);
  EXPECT_EQ(s.plugin.UpOf(1).Data(), "");
  s.connection->ClientReads(100000);
  EXPECT_EVENTUALLY(s.plugin.UpOf(1).Data() == "held");
}

TEST(UpstreamChurn) {
  Setup s;
  s.Open();
  std::atomic<bool> stop{false};
  Peer peer;
  std::thread server([&] {
    for (int i = 0; !stop; i++) {
      peer.Accept();
      if (i % 3 == 0)
        peer.Reset();
      else
        peer.Close();
    }
  });
  s.plugin.on_ready = [&](uint64_t id) {
    if (id % 5 != 0) s.plugin.WriteUp(id, "hello");
    if (id % 4 == 0) s.plugin.CloseUp(id);
  };
  for (int i = 0; i < 200; i++) {
    const uint64_t id = s.Connect(peer.address());
    if (i % 7 == 0) s.plugin.CloseUp(id);
  }
  for (uint64_t id = 0; id < 200; id++) {
    EXPECT_EVENTUALLY(s.plugin.UpOf(id).Ended());
  }
  s.Settle();
  for (uint64_t id = 0; id < 200; id++) EXPECT(s.Events(id).size() <= 2);
  stop = true;
  const uint64_t last = s.Connect(peer.address());  // lets accept return
  EXPECT_EVENTUALLY(!s.Events(last).empty());
  server.join();
}

namespace {

// An upstream of a random script, and what went each way.
struct RandomUpstream {
  Peer peer;
  uint64_t id = 0;
  std::string written;   // that was taken
  std::string received;  // by the peer
};

// Plays what Envoy, its plugin, clients and brokers may do, in an order that the seed decides.
// Whatever it is: each upstream ends once, bytes come in order, and no callback is misused (Setup
// looks).
void PlayRandomScript(uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  std::vector<std::unique_ptr<RandomUpstream>> ups;
  std::atomic<uint32_t> turn{seed};
  std::function<void()> reply;  // on any thread, until the end of s
  Setup s;
  reply = [&] {
    const uint32_t n = turn.fetch_add(1);
    if (n % 3 != 0) return;
    std::string data(1 + n * 7919 % 40000, 'd');
    s.plugin.Write(data);
  };
  s.plugin.on_up_data = [&](uint64_t, const std::string&) {
    reply();
    return ROCKETMQ_PROXY_REPLACE;
  };
  s.plugin.on_up_full = [&](uint64_t, bool) { return turn.fetch_add(1) % 2 == 0; };
  s.Open();
  bool open = true;
  const auto write = [&](RandomUpstream& up) {
    std::string data = Pattern(1 + below(below(4) == 0 ? 3 << 20 : 50 << 10));
    if (s.plugin.WriteUp(up.id, data) >= 0) up.written += data;
  };
  for (int step = 0; step < 60; step++) {
    RandomUpstream* const up = ups.empty() ? nullptr : ups[below(ups.size())].get();
    switch (below(up == nullptr ? 2 : 14)) {
      case 0:
        if (!open || ups.size() > 5) break;
        ups.push_back(std::make_unique<RandomUpstream>());
        ups.back()->id = s.ConnectReady(&ups.back()->peer);
        break;
      case 1: {  // ended while it connects
        if (!open) break;
        Peer nobody;
        const uint64_t id = s.Connect(nobody.address());
        s.plugin.CloseUp(id);
        EXPECT_EVENTUALLY(s.plugin.UpOf(id).Events().size() > 0);
        break;
      }
      case 2:
        if (!open) break;
        s.plugin.data = [&](const std::string&, bool) {
          write(*up);
          return ROCKETMQ_PROXY_REPLACE;
        };
        s.connection->ClientSends({"a", "b"});
        s.plugin.data = nullptr;
        break;
      case 3:
      case 4:
        write(*up);
        break;
      case 5:
      case 6:
        if (up->peer.open()) up->peer.SendSome(below(64 << 10));
        break;
      case 7:
      case 8:
        if (up->peer.open()) up->received += up->peer.ReceiveSome();
        break;
      case 9:
        if (below(3) == 0 && up->peer.open()) up->peer.End();
        break;
      case 10:
        if (below(4) == 0 && up->peer.open()) up->peer.Reset();
        break;
      case 11:
        if (below(4) == 0) s.plugin.CloseUp(up->id);
        break;
      case 12:
        if (!open) break;
        s.connection->worker.Run(
            [&] { s.connection->client_stalled = !s.connection->client_stalled; });
        s.connection->ClientReads(below(1 << 20));
        break;
      case 13:
        if (below(20) == 0 && open) {
          open = false;
          s.connection->Close(static_cast<int>(below(2)));
        }
        break;
    }
  }
  for (const auto& each : ups) {
    if (each->peer.open()) each->received += each->peer.ReceiveSome();
    EXPECT(each->written.compare(0, each->received.size(), each->received) == 0);
  }
}

}  // namespace

// MODULE_SCRIPTS=10000 build/module_test.sh out/test address,undefined RandomScripts
TEST(RandomScripts) {
  const char* const scripts = getenv("MODULE_SCRIPTS");
  const uint32_t count = scripts != nullptr ? static_cast<uint32_t>(atoi(scripts)) : 60;
  for (uint32_t seed = 1; seed <= count; seed++) {
    const int before = test::Failures();
    PlayRandomScript(seed);
    if (test::Failures() != before) {
      std::cout << "     seed " << seed << std::endl;
      break;
    }
  }
}
