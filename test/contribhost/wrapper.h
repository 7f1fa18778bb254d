// SPDX-License-Identifier: Apache-2.0
//
// What a plugin holds of a connection, and frees itself.
#pragma once

#include <memory>
#include <string>

namespace contrib {

class Downstream;
class Upstream;

// Each is in a table of what is alive, so that the use of a freed one ends the process, whoever has
// its memory by then.
struct Wrapper {
  Wrapper();
  ~Wrapper();
  Wrapper(const Wrapper&) = delete;
  Wrapper& operator=(const Wrapper&) = delete;

  std::string text;  // what the last call answered with, until the next
};

struct DownstreamWrapper : Wrapper {
  std::weak_ptr<Downstream> connection;  // Envoy's
};

struct UpstreamWrapper : Wrapper {
  std::shared_ptr<Upstream> connection;  // nobody else keeps it
};

// Ends the process unless `wrapper` is alive.
DownstreamWrapper& ToDownstream(void* wrapper);
UpstreamWrapper& ToUpstream(void* wrapper);

// How many there are.
size_t LiveWrappers();

}  // namespace contrib
