// SPDX-License-Identifier: Apache-2.0
//
// Envoy's Golang network filter on one client connection.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "envoy.h"
#include "golang_abi.h"
#include "scheduler.h"
#include "wrapper.h"

namespace contrib {

class FilterConfig;

// Threads: the connection's worker; Post, and what only posts, from any.
// Lifetime: Envoy's, by the hooks in module.cc. A call of the plugin on another thread may hold it
// for a moment longer.
class Downstream : public std::enable_shared_from_this<Downstream> {
 public:
  Downstream(const FilterConfig& config, void* envoy_filter);

  // Hooks.
  rocketmq_proxy::FilterStatus OnNewConnection();
  rocketmq_proxy::FilterStatus OnRead(size_t size, bool end_stream);
  rocketmq_proxy::FilterStatus OnWrite(bool end_stream);
  void OnEvent(int event);
  void OnScheduled();
  // Nothing of Envoy is used any more. What is left to be done is done at once.
  static void Destroy(std::shared_ptr<Downstream> connection);

  // Runs a task on the worker later, in the order of calls.
  void Post(std::function<void()> task);
  void Write(std::string_view data, bool end_stream);
  void Close(int type);
  // Off the worker Envoy answers later, by way of code of its Go packages that is broken.
  GoStatus GetFilterState(const std::string& key, GoString* out);

  const std::string& local_address() const { return local_; }
  const std::string& peer_address() const { return peer_; }

 private:
  const FilterConfig& config_;
  void* const envoy_;
  const std::thread::id worker_;
  const std::string local_;
  const std::string peer_;
  // The plugin's, which frees it. Null as long as the connection has not reached this filter:
  // events may come before.
  DownstreamWrapper* wrapper_ = nullptr;
  bool closed_ = false;

  rocketmq_proxy::Scheduler scheduler_;
  std::mutex mu_;  // guards what follows
  std::vector<std::function<void()>> tasks_;
};

}  // namespace contrib
