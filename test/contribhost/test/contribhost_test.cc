// SPDX-License-Identifier: Apache-2.0
//
// The real plugin in the double of contrib Envoy, without an Envoy: what fake_envoy.h calls workers
// calls the double.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "broker.h"
#include "dispatcher.h"
#include "fake_envoy.h"
#include "frame.h"
#include "harness.h"
#include "wrapper.h"

namespace {

constexpr int kRemoteClose = 0;
constexpr int kConnected = 2;

using fake::Connection;
using ConnectionPtr = std::shared_ptr<Connection>;

std::shared_ptr<fake::Config> NewConfig(const Broker& name_server,
                                        const std::string& plugin_name = "rocketmq_proxy") {
  return fake::Config::Create(
      plugin_name,
      R"({"rocketmq_proxy":{"stat_prefix":"t"},"clusters":[{"name":"c","name_servers":[")" +
          name_server.address() + R"("]}],"addressing":{"unified":{}}})");
}

ConnectionPtr NewClient(const std::shared_ptr<fake::Config>& config, uint32_t worker = 0) {
  return Connection::Create(config, fake::WorkerAt(worker));
}

std::string Send(int opaque, const std::string& body = "") {
  return frame::Request(frame::kSendMessageV2, opaque, "broker-a", body);
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Sends a request to broker-a and waits for its answer.
bool Exchange(Connection* client, int opaque, const std::string& body) {
  const std::string request = Send(opaque, body);
  const size_t middle = request.size() / 2;
  client->ClientSends({request.substr(0, middle), request.substr(middle)});
  const std::string opaque_field = "\"opaque\":" + std::to_string(opaque) + ",";
  return test::Eventually([&] {
    return Contains(client->Get(&Connection::to_client), opaque_field) ||
           !client->Get(&Connection::open);
  });
}

void End(ConnectionPtr* client) {
  (*client)->Close(kRemoteClose);
  client->reset();
}

// What the plugin holds of connections has been freed.
void ExpectNothingLeft() {
  EXPECT_EVENTUALLY(contrib::LiveWrappers() == 0U);
  EXPECT_EQ(fake::TakeViolations(), std::vector<std::string>());
}

size_t LogLines(const std::string& part) {
  size_t count = 0;
  for (const std::string& line : fake::TakeLogs()) count += Contains(line, part) ? 1 : 0;
  return count;
}

}  // namespace

TEST(ARequestIsAnswered) {
  Broker broker;
  auto config = NewConfig(broker);
  auto client = NewClient(config);
  client->Event(kConnected);
  EXPECT(Exchange(client.get(), 1, std::string(100'000, 'x')));
  EXPECT(Contains(client->Get(&Connection::to_client), std::string(100'000, 'x')));
  End(&client);
  ExpectNothingLeft();
}

TEST(AConnectionMayEndBeforeItReachesTheFilter) {
  Broker broker;
  auto config = NewConfig(broker);
  Connection::Options options;
  options.start = false;  // a filter in front has stopped or closed it
  auto client = Connection::Create(config, fake::WorkerAt(0), options);
  client->Event(kConnected);
  End(&client);
  ExpectNothingLeft();
}

TEST(AnUnknownPluginNameIsALineOfTheLogAndClosedConnections) {
  fake::TakeLogs();
  Broker broker;
  auto config = NewConfig(broker, "rocketmq-proxy");
  for (int i = 0; i < 3; i++) {
    auto client = NewClient(config);
    EXPECT_EVENTUALLY(!client->Get(&Connection::open));
    client.reset();
  }
  EXPECT_EQ(LogLines("rocketmq-proxy"), 1U);
  ExpectNothingLeft();
}

TEST(ABadConfigClosesItsConnections) {
  auto config = fake::Config::Create("rocketmq_proxy", R"({"nonsense":1})");
  auto client = NewClient(config);
  EXPECT_EVENTUALLY(!client->Get(&Connection::open));
  client.reset();
  ExpectNothingLeft();
}

TEST(AClientMayLeaveWhileItsBrokerIsDialled) {
  Broker broker;
  broker.SetBrokerAddress("10.255.255.1:9");  // nobody answers
  auto config = NewConfig(broker);
  for (int i = 0; i < 20; i++) {
    auto client = NewClient(config, static_cast<uint32_t>(i % 2));
    client->ClientSends({Send(1)});
    End(&client);
  }
  ExpectNothingLeft();
}

TEST(ABrokerThatCannotBeReachedIsAnsweredFor) {
  Broker broker;
  broker.SetBrokerAddress("127.0.0.1:1");
  auto config = NewConfig(broker);
  auto client = NewClient(config);
  EXPECT(Exchange(client.get(), 1, "x"));
  EXPECT_EQ(broker.Answered(), 0);
  End(&client);
  ExpectNothingLeft();
}

TEST(ConnectionsBreakOnBothSidesAtOnce) {
  Broker broker;
  broker.BreakAfter(3);
  auto config = NewConfig(broker);
  std::array<std::thread, 4> clients;
  for (size_t n = 0; n < clients.size(); n++) {
    clients[n] = std::thread([&, n] {
      for (int i = 0; i < 40; i++) {
        auto client = NewClient(config, static_cast<uint32_t>(n % 2));
        for (int opaque = 1; opaque < 8; opaque++) {
          client->ClientSends({Send(opaque, std::string(10'000, 'x'))});
        }
        if (i % 2 == 0) Exchange(client.get(), 8, "last");
        End(&client);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT(broker.Answered() > 0);
  ExpectNothingLeft();
}

TEST(ABrokerThatDoesNotReadHoldsNoClosedConnection) {
  Broker broker;
  auto config = NewConfig(broker);
  auto client = NewClient(config);
  EXPECT(Exchange(client.get(), 1, "x"));
  broker.StopReading();
  for (int i = 0; i < 8; i++) {
    client->ClientSends({Send(2 + i, std::string(1 << 20, 'x'))});
  }
  End(&client);
  ExpectNothingLeft();  // Envoy's flush has no end
}

TEST(AClientThatDoesNotReadHoldsNoClosedConnection) {
  Broker broker;
  auto config = NewConfig(broker);
  auto client = NewClient(config);
  client->worker.Run([&] { client->client_stalled = true; });
  EXPECT(Exchange(client.get(), 1, std::string(100'000, 'x')));
  client->ClientSends({"no frame at all"});
  EXPECT_EVENTUALLY(client->Get(&Connection::closing));  // Envoy's flush has no end
  EXPECT_EVENTUALLY(!client->Get(&Connection::open));
  client.reset();
  ExpectNothingLeft();
}

TEST(APanicEndsItsConnectionAndNoOther) {
  Broker broker;
  auto config = NewConfig(broker);
  auto other = NewClient(config, 1);
  for (int i = 0; i < 40; i++) {
    auto client = NewClient(config, static_cast<uint32_t>(i % 2));
    EXPECT(Exchange(client.get(), 1, "x"));
    const bool of_broker = i % 4 < 2;
    client->ClientSends(
        {of_broker ? Send(2, "fault") : frame::Request(frame::kFault, 2, "broker-a")});
    // Of the broker's it is on another thread than the end.
    if (i < 20) EXPECT_EVENTUALLY(!client->Get(&Connection::open));
    End(&client);
  }
  EXPECT(Exchange(other.get(), 1, "x"));
  EXPECT(other->Get(&Connection::open));
  End(&other);
  ExpectNothingLeft();
}

TEST(TheProcessMayEndWithConnectionsOpen) {
  Broker broker;
  auto config = NewConfig(broker);
  std::vector<ConnectionPtr> clients;
  for (int i = 0; i < 20; i++) {
    clients.push_back(NewClient(config, static_cast<uint32_t>(i % 2)));
    EXPECT(Exchange(clients.back().get(), 1, "x"));
  }
  // As Envoy does: the clients of each worker, its upstream connections, its dispatcher.
  for (auto& client : clients) End(&client);
  contrib::Dispatcher::DestroyAll();
  // The plugin goes on for a while, its garbage collector too.
  auto late = Connection::Create(NewConfig(broker), fake::WorkerAt(0));
  for (int i = 0; i < 100; i++) Exchange(late.get(), i, std::string(100'000, 'x'));
  End(&late);
  fake::TakeViolations();
}
