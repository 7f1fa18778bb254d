// SPDX-License-Identifier: Apache-2.0
#include "log_line.h"

namespace rocketmq_proxy {
namespace {

constexpr size_t kMaxQuoted = 512;
constexpr size_t kMaxEscaped = 8192;

void AppendHex(unsigned char c, std::string* out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out->append("\\x");
  out->push_back(kDigits[c >> 4]);
  out->push_back(kDigits[c & 0xf]);
}

// Cuts a text, and returns what says how much of it is left out.
std::string Cut(size_t most, std::string_view* text) {
  if (text->size() <= most) return "";
  const size_t rest = text->size() - most;
  *text = text->substr(0, most);
  return "...(" + std::to_string(rest) + " more)";
}

}  // namespace

LogLine& LogLine::Quote(std::string_view foreign) {
  const std::string rest = Cut(kMaxQuoted, &foreign);
  text_.push_back('"');
  for (const char c : foreign) {
    if (c == '"' || c == '\\') text_.push_back('\\');
    if (c < ' ' || c > '~') {  // The bytes of all but ASCII are negative, or above.
      AppendHex(static_cast<unsigned char>(c), &text_);
    } else {
      text_.push_back(c);
    }
  }
  text_.push_back('"');
  text_.append(rest);
  return *this;
}

LogLine& LogLine::Escape(std::string_view text) {
  const std::string rest = Cut(kMaxEscaped, &text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f) {
      AppendHex(byte, &text_);
    } else {
      text_.push_back(c);
    }
  }
  text_.append(rest);
  return *this;
}

}  // namespace rocketmq_proxy
