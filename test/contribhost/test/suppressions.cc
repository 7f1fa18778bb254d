// SPDX-License-Identifier: Apache-2.0

// The thread sanitizer does not see how Go's threads and garbage collector hand memory on, and all
// of Go's memory is used in the functions that Go calls.
extern "C" const char* __tsan_default_suppressions() { return "race:contribhost/golang_api.cc\n"; }
