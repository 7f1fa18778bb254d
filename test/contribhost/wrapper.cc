// SPDX-License-Identifier: Apache-2.0
#include "wrapper.h"

#include <mutex>
#include <unordered_set>

#include "die.h"

namespace contrib {
namespace {

struct Table {
  std::mutex mu;
  std::unordered_set<const void*> alive;
};

Table& AllWrappers() {
  static auto* const table = new Table;  // Go's threads outlive static objects
  return *table;
}

void* Check(void* wrapper) {
  const std::lock_guard<std::mutex> lock(AllWrappers().mu);
  if (AllWrappers().alive.count(wrapper) == 0) Die("a wrapper is used that is null or freed");
  return wrapper;
}

}  // namespace

Wrapper::Wrapper() {
  const std::lock_guard<std::mutex> lock(AllWrappers().mu);
  AllWrappers().alive.insert(this);
}

Wrapper::~Wrapper() {
  const std::lock_guard<std::mutex> lock(AllWrappers().mu);
  AllWrappers().alive.erase(this);
}

DownstreamWrapper& ToDownstream(void* wrapper) {
  return *static_cast<DownstreamWrapper*>(Check(wrapper));
}

UpstreamWrapper& ToUpstream(void* wrapper) {
  return *static_cast<UpstreamWrapper*>(Check(wrapper));
}

size_t LiveWrappers() {
  const std::lock_guard<std::mutex> lock(AllWrappers().mu);
  return AllWrappers().alive.size();
}

}  // namespace contrib
