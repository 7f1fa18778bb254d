// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace rocketmq_proxy {

// A line of Envoy's log. What is neither a literal of this module nor a number may hold what a
// config, a client or a broker has written: it is quoted, or at least escaped, and cut, so that it
// cannot pass for a line of its own.
class LogLine {
 public:
  template <size_t n>
  LogLine& operator<<(const char (&literal)[n]) {
    text_.append(literal, n - 1);
    return *this;
  }
  template <typename Number, std::enable_if_t<std::is_integral_v<Number>, int> = 0>
  LogLine& operator<<(Number number) {
    text_.append(std::to_string(number));
    return *this;
  }
  // Quotes, and escapes all but ASCII.
  LogLine& Quote(std::string_view foreign);
  // Escapes control characters: for a text that quotes by itself what it has from others.
  LogLine& Escape(std::string_view text);

  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

}  // namespace rocketmq_proxy
