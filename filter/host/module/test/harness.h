// SPDX-License-Identifier: Apache-2.0
//
// A few lines in place of a test framework, which a fresh machine does not have.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace test {

struct Case {
  const char* name;
  void (*run)();
};

inline std::vector<Case>& Cases() {
  static std::vector<Case> cases;
  return cases;
}
inline std::atomic<int>& Failures() {
  static std::atomic<int> failures{0};
  return failures;
}

struct Registration {
  Registration(const char* name, void (*run)()) { Cases().push_back({name, run}); }
};

inline void Fail(const char* file, int line, const std::string& what) {
  static std::mutex mu;
  const std::lock_guard<std::mutex> lock(mu);
  Failures()++;
  std::cerr << file << ":" << line << ": " << what << std::endl;
}

template <typename T>
std::string Show(const T& value) {
  std::ostringstream out;
  out << value;
  std::string text = out.str();
  return text.size() > 200 ? text.substr(0, 200) + "... (" + std::to_string(text.size()) + ")"
                           : text;
}
template <typename T>
std::string Show(const std::vector<T>& values) {
  std::string out = "[";
  for (const T& v : values) out += (out.size() > 1 ? ", " : "") + Show(v);
  return out + "]";
}

template <typename A, typename B>
bool CheckEqual(const A& a, const B& b, const char* text, const char* file, int line) {
  if (a == b) return true;
  Fail(file, line, std::string(text) + ": " + Show(a) + " against " + Show(b));
  return false;
}

// Waits until the condition holds. Long enough for a loaded machine under a sanitizer.
inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds limit = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline void Sleep(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

}  // namespace test

#define TEST(name)                                                    \
  static void name();                                                 \
  static const ::test::Registration registration_##name(#name, name); \
  static void name()
#define EXPECT(condition) \
  ((condition) ? (void)0 : ::test::Fail(__FILE__, __LINE__, "false: " #condition))
#define EXPECT_EQ(a, b) ::test::CheckEqual((a), (b), #a " == " #b, __FILE__, __LINE__)
#define EXPECT_EVENTUALLY(condition)               \
  (::test::Eventually([&] { return (condition); }) \
       ? (void)0                                   \
       : ::test::Fail(__FILE__, __LINE__, "never true: " #condition))
