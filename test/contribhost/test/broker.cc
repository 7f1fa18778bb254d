// SPDX-License-Identifier: Apache-2.0
#include "broker.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr char kProgram[] = "CONTRIBHOST_BROKER";  // the variable with the program's path

}  // namespace

Broker::Broker() {
  int in[2];
  int out[2];
  const char* const program = std::getenv(kProgram);
  if (program == nullptr || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
    std::perror(kProgram);
    std::abort();
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
  char* argv[] = {const_cast<char*>(program), nullptr};
  if (posix_spawn(&process_, program, &files, nullptr, argv, environ) != 0) {
    std::perror(program);
    std::abort();
  }
  posix_spawn_file_actions_destroy(&files);
  close(in[0]);
  close(out[1]);
  in_ = in[1];
  out_ = out[0];
  port_ = ReadLine();
}

Broker::~Broker() {
  close(in_);  // it ends
  close(out_);
  waitpid(process_, nullptr, 0);
}

std::string Broker::Order(const std::string& order, const std::string& value) {
  const std::string line = order + " " + value + "\n";
  if (write(in_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  return ReadLine();
}

std::string Broker::ReadLine() {
  std::string line;
  for (char c; read(out_, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}
