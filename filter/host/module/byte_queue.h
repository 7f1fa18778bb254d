// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rocketmq_proxy {

// Bytes that go in at one end and out at the other; taking from the front copies nothing.
// Not synchronized.
class ByteQueue {
 public:
  bool empty() const { return head_ == data_.size(); }
  size_t size() const { return data_.size() - head_; }
  std::string_view front() const { return std::string_view(data_).substr(head_); }

  void Append(std::string_view bytes) { data_.append(bytes); }

  void Drain(size_t size) {
    head_ += size;
    if (head_ == data_.size()) {
      Clear();
    } else if (head_ > data_.size() / 2 && head_ > kKeep) {
      data_.erase(0, head_);
      head_ = 0;
    }
  }

  void Clear() {
    head_ = 0;
    data_.clear();
    // One burst must not cost an idle connection its memory for ever.
    if (data_.capacity() > kKeep) data_.shrink_to_fit();
  }

 private:
  static constexpr size_t kKeep = 16 << 10;
  std::string data_;
  size_t head_ = 0;
};

}  // namespace rocketmq_proxy
