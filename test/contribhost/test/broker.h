// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

// The process of broker/main.cc.
class Broker {
 public:
  Broker();
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Of the name server, and of the broker.
  std::string address() const { return "127.0.0.1:" + port_; }
  // Another address of the broker, as the name server tells it.
  void SetBrokerAddress(const std::string& address) { Order("broker_address", address); }
  // All connections are left unread from now on.
  void StopReading() { Order("reads", "0"); }
  // Each connection ends after so many requests.
  void BreakAfter(int requests) { Order("requests_to_break", std::to_string(requests)); }
  // How many requests the broker has answered.
  int Answered() { return std::stoi(Order("answered", "?")); }

 private:
  std::string Order(const std::string& order, const std::string& value);
  std::string ReadLine();

  pid_t process_ = 0;
  int in_ = -1;   // what it reads
  int out_ = -1;  // what it writes
  std::string port_;
};
