// SPDX-License-Identifier: Apache-2.0
#include "die.h"

#include <cstdio>
#include <cstdlib>

namespace contrib {
namespace {

thread_local int t_depth = 0;

}  // namespace

void Die(const char* what) {
  std::fprintf(stderr, "SIGABRT: the plugin would crash contrib Envoy: %s\n", what);
  std::abort();
}

EnvoyThread::EnvoyThread() { t_depth++; }
EnvoyThread::~EnvoyThread() { t_depth--; }
bool EnvoyThread::IsThis() { return t_depth > 0; }

}  // namespace contrib
