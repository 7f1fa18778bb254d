// SPDX-License-Identifier: Apache-2.0
//
// A name server that knows the broker "broker-a", and that broker, at one address: it answers each
// request with its body. A process of its own, since the plugin opens no connections to the process
// that it runs in. It prints its port, and takes orders from its standard input (see Broker).
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>

#include "../frame.h"

namespace {

constexpr int kGetBrokerClusterInfo = 106;

std::mutex g_mu;
std::string g_broker_address;             // of broker-a, as the name server tells it
std::atomic<bool> g_reads{true};          // else all connections are left unread
std::atomic<int> g_requests_to_break{0};  // a connection ends after so many, if it is not 0
std::atomic<int> g_answered{0};           // requests that are not for a name server

std::string AnswerTo(const std::string& request) {
  const int opaque = frame::Field(request, "opaque");
  if (frame::Field(request, "code") == kGetBrokerClusterInfo) {
    const std::lock_guard<std::mutex> lock(g_mu);
    return frame::Answer(
        0, opaque,
        R"({"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:")" + g_broker_address +
            R"("},"brokerName":"broker-a","cluster":"c"}},"clusterAddrTable":{"c":["broker-a"]}})");
  }
  g_answered++;
  const size_t header = frame::Number(std::string_view(request).substr(4)) & 0xffffff;
  const std::string_view body = std::string_view(request).substr(8 + header);
  return frame::Answer(body == "fault" ? frame::kFault : 0, opaque, body);
}

void Serve(int fd) {
  std::string bytes;
  char buffer[64 << 10];
  for (int served = 0;;) {
    while (!g_reads) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
    if (size <= 0) break;
    bytes.append(buffer, static_cast<size_t>(size));
    bool broken = false;
    for (std::string request; !broken && !(request = frame::Take(&bytes)).empty();) {
      const std::string answer = AnswerTo(request);
      (void)!send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      broken = g_requests_to_break > 0 && ++served >= g_requests_to_break;
    }
    if (broken) break;
  }
  close(fd);
}

// Listens, and returns the port.
int Listen(int fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, any, size) != 0 || listen(fd, 1024) != 0 || getsockname(fd, any, &size) != 0) {
    std::perror("a listener for the broker");
    std::exit(1);
  }
  return ntohs(address.sin_port);
}

}  // namespace

int main() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int port = Listen(listener);
  g_broker_address = "127.0.0.1:" + std::to_string(port);
  std::cout << port << std::endl;
  std::thread([listener] {
    for (int fd; (fd = accept(listener, nullptr, nullptr)) >= 0;) std::thread(Serve, fd).detach();
  }).detach();
  for (std::string order, value; std::cin >> order >> value;) {
    if (order == "broker_address") {
      const std::lock_guard<std::mutex> lock(g_mu);
      g_broker_address = value;
    }
    if (order == "reads") g_reads = value == "1";
    if (order == "requests_to_break") g_requests_to_break = std::stoi(value);
    std::cout << g_answered << std::endl;
  }
  _exit(0);
}
