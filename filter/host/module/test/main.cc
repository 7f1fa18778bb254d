// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "harness.h"

// Arguments: parts of names; without any, all tests run.
int main(int argc, char** argv) {
  int passed = 0;
  int failed = 0;
  for (const test::Case& c : test::Cases()) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; i++) wanted |= std::strstr(c.name, argv[i]) != nullptr;
    if (!wanted) continue;
    const int before = test::Failures();
    c.run();
    const bool ok = test::Failures() == before;
    (ok ? passed : failed)++;
    std::cout << (ok ? "ok   " : "FAIL ") << c.name << std::endl;
  }
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed == 0 && passed > 0 ? 0 : 1;
}
