// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>

namespace rocketmq_proxy {

// Bytes that go in at one end and out at the other. They lie in pieces, so that they take hardly
// more memory than their number, and that what has gone out takes none: who pays for them pays for
// their number.
// Not synchronized.
class ByteQueue {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // The first bytes; all there are only if they lie in one piece.
  std::string_view front() const {
    return empty() ? std::string_view() : std::string_view(pieces_.front()).substr(head_);
  }

  void Append(std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      if (pieces_.empty() || pieces_.back().size() == pieces_.back().capacity()) {
        pieces_.emplace_back().reserve(std::clamp(bytes.size(), kSmallest, kLargest));
      }
      std::string& last = pieces_.back();
      const size_t fits = std::min(bytes.size(), last.capacity() - last.size());
      last.append(bytes.substr(0, fits));
      bytes.remove_prefix(fits);
    }
  }

  // Takes out the first bytes, at most those of front().
  void Drain(size_t size) {
    size_ -= size;
    head_ += size;
    if (head_ == pieces_.front().size()) {
      pieces_.pop_front();
      head_ = 0;
    }
  }

  void Clear() {
    pieces_.clear();
    head_ = size_ = 0;
  }

 private:
  // Of a piece, without the zero that ends a string: with it, what allocators have a size for. The
  // greatest is what may stay of bytes that have gone out.
  static constexpr size_t kSmallest = (4 << 10) - 1;
  static constexpr size_t kLargest = (64 << 10) - 1;
  std::list<std::string> pieces_;  // none is empty
  size_t head_ = 0;                // of the first, what has gone out
  size_t size_ = 0;
};

}  // namespace rocketmq_proxy
