// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// As much of RocketMQ's remoting protocol as the tests speak: headers are JSON.
namespace frame {

inline void AppendNumber(uint32_t n, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(n >> shift));
}

inline uint32_t Number(std::string_view bytes) {
  uint32_t n = 0;
  for (const char c : bytes.substr(0, 4)) n = n << 8 | static_cast<unsigned char>(c);
  return n;
}

inline std::string Make(const std::string& header, std::string_view body) {
  std::string out;
  AppendNumber(static_cast<uint32_t>(4 + header.size() + body.size()), &out);
  AppendNumber(static_cast<uint32_t>(header.size()), &out);
  return out.append(header).append(body);
}

// The code at which the plugin panics, of requests and of answers
// (filter/framing/fault_injected.go).
constexpr int kFault = 29'999;
constexpr int kSendMessageV2 = 310;

inline std::string Request(int code, int opaque, const std::string& broker,
                           std::string_view body = {}) {
  return Make(R"({"code":)" + std::to_string(code) + R"(,"extFields":{"n":")" + broker +
                  R"("},"flag":0,"language":"JAVA","opaque":)" + std::to_string(opaque) +
                  R"(,"version":0})",
              body);
}

inline std::string Answer(int code, int opaque, std::string_view body = {}) {
  return Make(R"({"code":)" + std::to_string(code) + R"(,"flag":1,"language":"JAVA","opaque":)" +
                  std::to_string(opaque) + R"(,"version":0})",
              body);
}

// A number in the header of a frame.
inline int Field(std::string_view frame, const std::string& name) {
  const std::string_view header = frame.substr(8, Number(frame.substr(4)) & 0xffffff);
  const size_t at = header.find("\"" + name + "\":");
  return at == std::string_view::npos
             ? -1
             : std::atoi(std::string(header.substr(at + name.size() + 3)).c_str());
}

// Takes the first frame out of `bytes`; empty if it is not whole yet.
inline std::string Take(std::string* bytes) {
  if (bytes->size() < 4 || bytes->size() < 4 + Number(*bytes)) return {};
  const size_t size = 4 + Number(*bytes);
  std::string first = bytes->substr(0, size);
  bytes->erase(0, size);
  return first;
}

}  // namespace frame
