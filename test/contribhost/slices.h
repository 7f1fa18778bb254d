// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "golang_abi.h"

namespace contrib {

// A copy of bytes as the plugin is shown them, in slices of odd sizes. Its memory is overwritten
// and freed after the call: a plugin that has kept a view of it reads nonsense, and under the
// address sanitizer C++ code ends.
class Slices {
 public:
  void Add(std::string_view bytes) {
    // Neither frames nor their prefixes fall together with slices.
    static constexpr size_t kSlice = 4093;
    while (!bytes.empty()) {
      const size_t size = std::min(bytes.size(), kSlice);
      auto copy = std::make_unique<char[]>(size);
      std::copy_n(bytes.data(), size, copy.get());
      pairs_.push_back(reinterpret_cast<GoUint64>(copy.get()));
      pairs_.push_back(size);
      copies_.push_back(std::move(copy));
      size_ += size;
      bytes.remove_prefix(size);
    }
  }
  Slices() = default;
  ~Slices() {
    for (size_t i = 0; i < copies_.size(); i++) {
      std::fill_n(copies_[i].get(), pairs_[2 * i + 1], '\xdd');
    }
  }
  Slices(const Slices&) = delete;
  Slices& operator=(const Slices&) = delete;

  GoUint64 address() const { return reinterpret_cast<GoUint64>(pairs_.data()); }
  GoInt count() const { return static_cast<GoInt>(copies_.size()); }
  GoUint64 size() const { return size_; }

 private:
  std::vector<std::unique_ptr<char[]>> copies_;
  std::vector<GoUint64> pairs_;  // addresses and sizes
  GoUint64 size_ = 0;
};

}  // namespace contrib
